//! What a person's sign-in gives: the two grants that ask for it, and the answer with its id token.
//!
//! Public sources: MicrosoftDocs/entra-docs `v2-oauth2-device-code.md`, `v2-oauth2-auth-code-flow.md` (refresh),
//! `id-token-claims-reference.md`; OpenID Connect Core 1.0.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::aadsts::Aadsts;
use crate::jose;
use crate::query::Parameters;
use crate::scope::RequestedScope;
use crate::token_endpoint::{capabilities, optional, required};

/// The grant that renews what a sign-in gave.
pub const REFRESH_TOKEN: &str = "refresh_token";

/// A request for a person's tokens. `Debug` doesn't show what it brings.
#[derive(Clone, PartialEq, Eq)]
pub struct UserForm<'f> {
    /// The client id as it was sent.
    pub client_id: Cow<'f, str>,
    /// What it brings.
    pub grant: UserGrant<'f>,
    /// What the client says it can do (`xms_cc`).
    pub capabilities: Vec<String>,
}

/// What a program brings that a person has signed in to.
#[derive(Clone, PartialEq, Eq)]
pub enum UserGrant<'f> {
    /// A device code.
    DeviceCode(Cow<'f, str>),
    /// A refresh token, and what for.
    RefreshToken {
        /// The token.
        token: Cow<'f, str>,
        /// What the new token will be for.
        scope: RequestedScope,
    },
}

impl fmt::Debug for UserForm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grant = match self.grant {
            UserGrant::DeviceCode(_) => "DeviceCode(redacted)",
            UserGrant::RefreshToken { .. } => "RefreshToken(redacted)",
        };
        f.debug_struct("UserForm").field("client_id", &self.client_id).field("grant", &grant).finish_non_exhaustive()
    }
}

impl<'f> UserForm<'f> {
    pub(crate) fn device_code(parameters: &Parameters<'f>) -> Result<Self, Aadsts> {
        Self::with(parameters, UserGrant::DeviceCode(required(parameters, "device_code")?))
    }

    pub(crate) fn refresh_token(parameters: &Parameters<'f>) -> Result<Self, Aadsts> {
        let token = required(parameters, "refresh_token")?;
        let scope = RequestedScope::parse(&required(parameters, "scope")?)?;
        Self::with(parameters, UserGrant::RefreshToken { token, scope })
    }

    fn with(parameters: &Parameters<'f>, grant: UserGrant<'f>) -> Result<Self, Aadsts> {
        let capabilities = optional(parameters, "claims").map(|claims| capabilities(&claims)).unwrap_or_default();
        Ok(Self { client_id: required(parameters, "client_id")?, grant, capabilities })
    }
}

/// A person's tokens to answer with. `Debug` doesn't show them.
#[derive(Clone, Copy)]
pub struct UserAnswer<'t> {
    /// The resource as it was asked for.
    pub resource: &'t str,
    /// The seconds that the access token lives from now.
    pub expires_in: u64,
    /// The token.
    pub access_token: &'t str,
    /// What renews it, where that was asked for.
    pub refresh_token: Option<&'t str>,
    /// Who signed in, where that was asked for.
    pub id_token: Option<&'t str>,
    /// The principal's id.
    pub principal_id: &'t str,
    /// Its tenant.
    pub tenant: &'t str,
}

impl fmt::Debug for UserAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserAnswer").field("resource", &self.resource).finish_non_exhaustive()
    }
}

impl UserAnswer<'_> {
    /// The body. `scope` names what was asked for, or the client doesn't find the token in its own cache again;
    /// `client_info` is how MSAL tells accounts apart.
    ///
    /// # Errors
    /// Never in practice: every member is text or a number.
    pub fn body(&self) -> Result<Vec<u8>, serde_json::Error> {
        #[derive(Serialize)]
        struct Body<'t> {
            token_type: &'static str,
            scope: String,
            expires_in: u64,
            ext_expires_in: u64,
            access_token: &'t str,
            #[serde(skip_serializing_if = "Option::is_none")]
            refresh_token: Option<&'t str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            id_token: Option<&'t str>,
            client_info: String,
        }
        #[derive(Serialize)]
        struct ClientInfo<'t> {
            uid: &'t str,
            utid: &'t str,
        }
        let Self { resource, expires_in, access_token, refresh_token, id_token, principal_id, tenant } = *self;
        let client_info = serde_json::to_vec(&ClientInfo { uid: principal_id, utid: tenant })?;
        serde_json::to_vec(&Body {
            token_type: "Bearer",
            scope: format!("{resource}/user_impersonation {resource}/.default"),
            expires_in,
            ext_expires_in: expires_in,
            access_token,
            refresh_token,
            id_token,
            client_info: jose::encode(client_info),
        })
    }
}

/// The claims of an id token of version 2.0, in the order in which the real service writes them.
#[derive(Clone, Debug, Serialize)]
pub struct IdTokenClaims<'t> {
    /// The client that the person signs in to.
    pub aud: &'t str,
    /// The issuer.
    pub iss: &'t str,
    /// When it was issued, less the leeway.
    pub iat: i64,
    /// The same.
    pub nbf: i64,
    /// When it ends.
    pub exp: i64,
    /// The account's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'t str>,
    /// The principal id.
    pub oid: &'t str,
    /// The account's name in its tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<&'t str>,
    /// The same as `oid`.
    pub sub: &'t str,
    /// The tenant.
    pub tid: &'t str,
    /// The token's own id.
    pub uti: &'t str,
    /// `2.0`.
    pub ver: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device_code;
    use crate::token_endpoint::{EndpointVersion, TokenRequest};

    fn form(text: &str) -> Result<UserForm<'_>, Aadsts> {
        match TokenRequest::parse(EndpointVersion::V2, text.as_bytes(), None)? {
            TokenRequest::User(form) => Ok(form),
            TokenRequest::Client(form) => panic!("{form:?}"),
        }
    }

    #[test]
    fn both_grants_are_read_as_msal_sends_them() {
        for grant in device_code::GRANTS {
            let device = format!(
                "grant_type={grant}&client_id=c&device_code=d&code=d&client_info=1\
                 &claims=%7B%22access_token%22%3A%7B%22xms_cc%22%3A%7B%22values%22%3A%5B%22CP1%22%5D%7D%7D%7D"
            );
            let read = form(&device).unwrap();
            assert!(read.client_id == "c" && read.grant == UserGrant::DeviceCode("d".into()));
            assert_eq!(read.capabilities, ["CP1"]);
            let device = device.replace("device_code=d", "x=d");
            assert_eq!(form(&device), Err(Aadsts::MissingParameter { name: "device_code" }));
        }
        let read = form("grant_type=refresh_token&client_id=c&refresh_token=r&scope=a/.default+openid").unwrap();
        let UserGrant::RefreshToken { token, scope } = read.grant else { panic!("another grant") };
        assert_eq!((token.as_ref(), scope.resource.as_str(), scope.openid), ("r", "a", true));
        assert_eq!(
            form("grant_type=refresh_token&client_id=c&scope=a/.default"),
            Err(Aadsts::MissingParameter { name: "refresh_token" })
        );
    }

    #[test]
    fn the_first_version_has_neither_grant() {
        for grant in [device_code::GRANTS[0], device_code::GRANTS[1], REFRESH_TOKEN] {
            let form = format!("grant_type={grant}&client_id=c&device_code=d&refresh_token=r&resource=a");
            let read = TokenRequest::parse(EndpointVersion::V1, form.as_bytes(), None);
            assert_eq!(read, Err(Aadsts::UnsupportedGrant { grant: grant.to_owned() }));
        }
    }

    #[test]
    fn the_answer_says_what_msal_keeps_it_under() {
        let answer = UserAnswer {
            resource: "https://a/",
            expires_in: 3599,
            access_token: "eyJa",
            refresh_token: Some("r"),
            id_token: Some("eyJi"),
            principal_id: "p",
            tenant: "t",
        };
        assert_eq!(
            String::from_utf8(answer.body().unwrap()).unwrap(),
            r#"{"token_type":"Bearer","scope":"https://a//user_impersonation https://a//.default","expires_in":3599,"ext_expires_in":3599,"access_token":"eyJa","refresh_token":"r","id_token":"eyJi","client_info":"eyJ1aWQiOiJwIiwidXRpZCI6InQifQ"}"#
        );
        let bare = UserAnswer { refresh_token: None, id_token: None, ..answer };
        assert!(!String::from_utf8(bare.body().unwrap()).unwrap().contains("null"));
        let shown =
            format!("{:?}", form("grant_type=refresh_token&client_id=c&refresh_token=eyJhunter2&scope=a/.default"));
        for text in [format!("{answer:?}"), shown] {
            assert!(!text.contains("eyJ"), "{text}");
        }
    }
}
