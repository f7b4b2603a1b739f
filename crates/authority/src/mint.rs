//! Makes access tokens.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use contract::claims::AccessTokenClaims;
use contract::jose;
use domain::{ClientId, PrincipalId, SharedClock, TenantId, Timestamp};

use crate::issuer::{Issuers, TokenVersion};
use crate::key_ring::KeyRing;
use crate::signing_pool::{PoolError, SigningPool};

/// How far the start of a token's life lies back, for clocks that are behind.
pub const BACKDATE: Duration = Duration::from_secs(300);

/// What a token is to say.
#[derive(Clone, Debug)]
pub struct TokenSpec {
    /// The tenant.
    pub tenant: TenantId,
    /// Whose token it is.
    pub principal_id: PrincipalId,
    /// The same, as a client.
    pub client_id: ClientId,
    /// What it is.
    pub subject: Subject,
    /// The audience: the resource asked for, byte for byte.
    pub audience: Arc<str>,
    /// How long it lives from now.
    pub lifetime: Duration,
    /// When the tenant was created, where that is known (`xms_tcdt`).
    pub tenant_created_at: Option<Timestamp>,
    /// What the client said it can do.
    pub capabilities: Vec<String>,
    /// How it proved who it is; for the log alone.
    pub evidence: Evidence,
}

/// How somebody proved who it is before it was given a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// It asked from the VM that holds the identity.
    Machine,
    /// With a client secret.
    Secret,
    /// With a certificate of its own.
    Certificate,
    /// With a certificate on the disk of a VM that holds the identity, as the VM's extension does.
    Extension,
    /// With another issuer's word.
    Federated,
    /// With its secret, on a page of ours, for a program that showed a code.
    DeviceCode,
    /// With what such a sign-in left behind.
    RefreshToken,
}

impl Evidence {
    /// A word for the log.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Secret => "secret",
            Self::Certificate => "certificate",
            Self::Extension => "extension",
            Self::Federated => "federated",
            Self::DeviceCode => "device_code",
            Self::RefreshToken => "refresh_token",
        }
    }

    /// Whether it is the way that is to be left: whoever copied the VM's disk could have come by it too.
    #[must_use]
    pub fn is_legacy(self) -> bool {
        match self {
            Self::Extension => true,
            Self::Machine
            | Self::Secret
            | Self::Certificate
            | Self::Federated
            | Self::DeviceCode
            | Self::RefreshToken => false,
        }
    }
}

/// What a principal is.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A managed identity.
    ManagedIdentity {
        /// The resource it belongs to (`xms_mirid`).
        resource_id: String,
        /// The compute resource that used a user-assigned one (`xms_az_rid`).
        used_by: Option<String>,
    },
    /// An application that signed in with a credential of its own.
    Application {
        /// 1 for a secret, 2 for a certificate or another issuer's word (`appidacr`).
        credential: &'static str,
        /// The roles that the resource knows.
        roles: Vec<String>,
    },
    /// An account that signed in to a program: `client_id` is the program's, `principal_id` the account's.
    User(Account),
}

/// What an account is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its name in its tenant: `name@tenant`.
    pub username: String,
}

/// A signed token.
pub struct MintedToken {
    jwt: String,
    /// The start of its life.
    pub not_before: Timestamp,
    /// The end of its life.
    pub expires_on: Timestamp,
}

impl std::fmt::Debug for MintedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MintedToken").field("expires_on", &self.expires_on).finish_non_exhaustive()
    }
}

impl MintedToken {
    /// The compact JWT, to be answered with and nothing else.
    #[must_use]
    pub fn into_jwt(self) -> String {
        self.jwt
    }
}

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// No signature.
    #[error("the token could not be signed")]
    Pool(#[from] PoolError),
    /// The random generator failed.
    #[error("the random generator failed")]
    Random,
    /// The claims could not be written.
    #[error("the claims could not be written")]
    Claims(#[from] serde_json::Error),
}

/// Mints tokens for an installation. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Authority {
    ring: Arc<KeyRing>,
    pool: SigningPool,
    issuers: Arc<Issuers>,
    clock: SharedClock,
}

impl Authority {
    /// An authority that signs with the active key of a ring.
    #[must_use]
    pub fn new(ring: Arc<KeyRing>, pool: SigningPool, issuers: Arc<Issuers>, clock: SharedClock) -> Self {
        Self { ring, pool, issuers, clock }
    }

    /// The keys.
    #[must_use]
    pub fn ring(&self) -> &Arc<KeyRing> {
        &self.ring
    }

    /// Who the tokens say they are from.
    #[must_use]
    pub fn issuers(&self) -> &Arc<Issuers> {
        &self.issuers
    }

    /// The clock that dates the tokens.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// Makes a token, and says in the log for whom: of a token, what it says of itself and no byte.
    ///
    /// # Errors
    /// When it can't be signed, or as many wait for a signature as may.
    pub async fn mint(&self, spec: &TokenSpec) -> Result<MintedToken, MintError> {
        let now = self.clock.now();
        let (not_before, expires_on) = (now.minus(BACKDATE), now.plus(spec.lifetime));
        let version = self.issuers.version_for(&spec.audience);
        let uti = token_id()?;
        let claims = self.claims(spec, version, not_before, expires_on, &uti)?;
        let (jwt, kid) = self.sign(version, &claims).await?;
        tracing::info!(
            tenant = %spec.tenant,
            client_id = %spec.client_id,
            principal_id = %spec.principal_id,
            audience = ?spec.audience,
            kid,
            uti,
            evidence = spec.evidence.label(),
            legacy = spec.evidence.is_legacy(),
            "a token was issued"
        );
        Ok(MintedToken { jwt, not_before, expires_on })
    }

    /// Signs claims with the active key; the JWT and that key's id.
    pub(crate) async fn sign(&self, version: TokenVersion, claims: &[u8]) -> Result<(String, String), MintError> {
        let signer = Arc::clone(&self.ring.load().active);
        let kid = signer.kid().to_owned();
        let mut jwt = String::with_capacity(2_048);
        header(version, &kid, &mut jwt);
        jwt.push('.');
        jose::encode_into(claims, &mut jwt);
        let (message, signature) = self.pool.sign(signer, jwt.into_bytes()).await?;
        // What went in as text comes back as text.
        let mut jwt = String::from_utf8(message).map_err(|_| MintError::Random)?;
        jwt.push('.');
        jose::encode_into(signature, &mut jwt);
        Ok((jwt, kid))
    }

    fn claims(
        &self,
        spec: &TokenSpec,
        version: TokenVersion,
        not_before: Timestamp,
        expires_on: Timestamp,
        uti: &str,
    ) -> Result<Vec<u8>, MintError> {
        let issuer = self.issuers.issuer(version, spec.tenant);
        let client_id = spec.client_id.to_string();
        let principal_id = spec.principal_id.to_string();
        let tenant = spec.tenant.to_string();
        let (credential, roles, resource_id, used_by): (_, &[String], _, _) = match &spec.subject {
            Subject::ManagedIdentity { resource_id, used_by } => {
                ("2", &[], Some(resource_id.as_str()), used_by.as_deref())
            }
            Subject::Application { credential, roles } => (*credential, roles.as_slice(), None, None),
            Subject::User(_) => ("0", &[], None, None),
        };
        let v1 = version == TokenVersion::V1;
        let account = match &spec.subject {
            Subject::User(account) => Some(account),
            Subject::ManagedIdentity { .. } | Subject::Application { .. } => None,
        };
        let username = |shown: bool| account.filter(|_| shown).map(|account| account.username.as_str());
        let claims = AccessTokenClaims {
            aud: &spec.audience,
            iss: &issuer,
            iat: not_before.unix(),
            nbf: not_before.unix(),
            exp: expires_on.unix(),
            appid: v1.then_some(client_id.as_str()),
            appidacr: v1.then_some(credential),
            azp: (!v1).then_some(client_id.as_str()),
            azpacr: (!v1).then_some(credential),
            idp: &issuer,
            idtyp: if account.is_some() { "user" } else { "app" },
            name: account.map(|account| account.name.as_str()),
            oid: &principal_id,
            preferred_username: username(!v1),
            roles,
            scp: account.map(|_| "user_impersonation"),
            sub: &principal_id,
            tid: &tenant,
            unique_name: username(v1),
            upn: username(v1),
            uti,
            ver: if v1 { "1.0" } else { "2.0" },
            xms_act_fct: "3 9",
            xms_cc: &spec.capabilities,
            xms_idrel: "7 4",
            xms_mirid: resource_id,
            xms_az_rid: used_by,
            xms_sub_fct: "9 3",
            xms_tcdt: spec.tenant_created_at.map(Timestamp::unix),
        };
        Ok(serde_json::to_vec(&claims)?)
    }
}

/// A token's own id.
pub(crate) fn token_id() -> Result<String, MintError> {
    let mut uti = [0; 16];
    SystemRandom::new().fill(&mut uti).map_err(|_| MintError::Random)?;
    Ok(jose::encode(uti))
}

/// The header: `x5t` stands in version 1.0 only. A `kid` is base64url and needs no escaping.
fn header(version: TokenVersion, kid: &str, jwt: &mut String) {
    let header = match version {
        TokenVersion::V1 => format!(r#"{{"typ":"JWT","alg":"RS256","x5t":"{kid}","kid":"{kid}"}}"#),
        TokenVersion::V2 => format!(r#"{{"typ":"JWT","alg":"RS256","kid":"{kid}"}}"#),
    };
    jose::encode_into(header, jwt);
}
