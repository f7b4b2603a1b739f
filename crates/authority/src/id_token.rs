//! Makes id tokens: what tells a program who has signed in to it.

use std::time::Duration;

use contract::user_token::IdTokenClaims;
use domain::{ClientId, PrincipalId, TenantId};

use crate::issuer::TokenVersion;
use crate::mint::{Account, Authority, BACKDATE, MintError, token_id};

/// What an id token is to say.
#[derive(Clone, Copy, Debug)]
pub struct IdTokenSpec<'a> {
    /// The account's tenant.
    pub tenant: TenantId,
    /// The account.
    pub principal_id: PrincipalId,
    /// What it is called, if the program asked for that.
    pub account: Option<&'a Account>,
    /// The program.
    pub client_id: ClientId,
    /// How long it lives from now.
    pub lifetime: Duration,
}

impl Authority {
    /// Makes an id token of version 2.0. It opens nothing: its audience is the program itself.
    ///
    /// # Errors
    /// As [`Authority::mint`].
    pub async fn id_token(&self, spec: &IdTokenSpec<'_>) -> Result<String, MintError> {
        let now = self.clock().now();
        let principal_id = spec.principal_id.to_string();
        let claims = IdTokenClaims {
            aud: &spec.client_id.to_string(),
            iss: &self.issuers().issuer(TokenVersion::V2, spec.tenant),
            iat: now.minus(BACKDATE).unix(),
            nbf: now.minus(BACKDATE).unix(),
            exp: now.plus(spec.lifetime).unix(),
            name: spec.account.map(|account| account.name.as_str()),
            oid: &principal_id,
            preferred_username: spec.account.map(|account| account.username.as_str()),
            sub: &principal_id,
            tid: &spec.tenant.to_string(),
            uti: &token_id()?,
            ver: "2.0",
        };
        let (jwt, _) = self.sign(TokenVersion::V2, &serde_json::to_vec(&claims)?).await?;
        Ok(jwt)
    }
}
