//! The claims of an access token, in the order in which the real service writes them.
//!
//! Public sources: a decoded VM token of 5 Dec 2025, MicrosoftDocs/entra-docs
//! `access-token-claims-reference.md`. Opaque claims (`aio`, `rh`, `xms_ftd`, `xms_rd`) are left out: nothing
//! reads them.

use serde::Serialize;

/// The claims of a token of version 1.0 or 2.0. What one version doesn't have is left out.
#[derive(Clone, Debug, Serialize)]
pub struct AccessTokenClaims<'t> {
    /// The audience: always one string, since a relying party refuses a list.
    pub aud: &'t str,
    /// The issuer.
    pub iss: &'t str,
    /// When it was issued, less the leeway.
    pub iat: i64,
    /// When it begins, the same as `iat`.
    pub nbf: i64,
    /// When it ends.
    pub exp: i64,
    /// The client id (1.0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appid: Option<&'t str>,
    /// How the client signed in (1.0): 0 not at all, 1 secret, 2 certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appidacr: Option<&'static str>,
    /// The client id (2.0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azp: Option<&'t str>,
    /// How the client signed in (2.0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azpacr: Option<&'static str>,
    /// Who knows the subject, the same as `iss`.
    pub idp: &'t str,
    /// `app`: not a person; `user`: a person signed in.
    pub idtyp: &'static str,
    /// The account's name, where somebody signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'t str>,
    /// The principal id.
    pub oid: &'t str,
    /// The account's name in its tenant (2.0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<&'t str>,
    /// The roles that the resource knows.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub roles: &'t [String],
    /// What the client may do in the account's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scp: Option<&'static str>,
    /// The same as `oid`.
    pub sub: &'t str,
    /// The tenant.
    pub tid: &'t str,
    /// The account's name in its tenant (1.0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_name: Option<&'t str>,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upn: Option<&'t str>,
    /// The token's own id.
    pub uti: &'t str,
    /// `1.0` or `2.0`.
    pub ver: &'static str,
    /// Facts about the actor, as the real service has them.
    pub xms_act_fct: &'static str,
    /// What the client said it can do.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub xms_cc: &'t [String],
    /// The kind of relation, as the real service has it.
    pub xms_idrel: &'static str,
    /// The resource that the managed identity belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xms_mirid: Option<&'t str>,
    /// The compute resource that used a user-assigned identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xms_az_rid: Option<&'t str>,
    /// Facts about the subject, as the real service has them.
    pub xms_sub_fct: &'static str,
    /// When the tenant was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xms_tcdt: Option<i64>,
}
