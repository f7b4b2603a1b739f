//! Discovery documents, key sets and instance discovery.
//!
//! Members stand in the order in which the real service writes them. Public sources: captures of
//! `login.microsoftonline.com`, AzureAD/microsoft-authentication-library-for-dotnet `OpenidConfiguration.json`,
//! MicrosoftDocs/entra-docs `access-token-claims-reference.md`.

use serde::Serialize;

/// What a discovery document depends on.
#[derive(Clone, Copy, Debug)]
pub struct Discovery<'d> {
    /// The base URL of the authority, without a last slash.
    pub authority: &'d str,
    /// The tenant as it stands in the URLs: a GUID, or `common`.
    pub tenant: &'d str,
    /// The issuer of the tokens of this version, byte for byte.
    pub issuer: &'d str,
    /// The host and port of the authority.
    pub host: &'d str,
}

#[derive(Serialize)]
struct Document<'d> {
    token_endpoint: String,
    token_endpoint_auth_methods_supported: [&'static str; 3],
    jwks_uri: String,
    response_modes_supported: [&'static str; 3],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
    response_types_supported: [&'static str; 4],
    scopes_supported: [&'static str; 4],
    issuer: &'d str,
    request_uri_parameter_supported: bool,
    userinfo_endpoint: String,
    authorization_endpoint: String,
    device_authorization_endpoint: String,
    http_logout_supported: bool,
    frontchannel_logout_supported: bool,
    end_session_endpoint: String,
    claims_supported: [&'static str; 18],
    kerberos_endpoint: String,
    tenant_region_scope: Option<&'static str>,
    cloud_instance_name: &'d str,
    cloud_graph_host_name: &'d str,
    msgraph_host: &'d str,
    rbac_url: &'d str,
}

impl Discovery<'_> {
    /// `/{tenant}/.well-known/openid-configuration`
    ///
    /// # Errors
    /// Never in practice: every member is text.
    pub fn v1(&self) -> Result<Vec<u8>, serde_json::Error> {
        self.document("oauth2", "discovery/keys")
    }

    /// `/{tenant}/v2.0/.well-known/openid-configuration`
    ///
    /// # Errors
    /// Never in practice: every member is text.
    pub fn v2(&self) -> Result<Vec<u8>, serde_json::Error> {
        self.document("oauth2/v2.0", "discovery/v2.0/keys")
    }

    fn document(&self, oauth2: &str, keys: &str) -> Result<Vec<u8>, serde_json::Error> {
        let at = |path: &str| format!("{}/{}/{path}", self.authority, self.tenant);
        serde_json::to_vec(&Document {
            token_endpoint: at(&format!("{oauth2}/token")),
            token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            jwks_uri: at(keys),
            response_modes_supported: ["query", "fragment", "form_post"],
            subject_types_supported: ["pairwise"],
            id_token_signing_alg_values_supported: ["RS256"],
            response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
            scopes_supported: ["openid", "profile", "email", "offline_access"],
            issuer: self.issuer,
            request_uri_parameter_supported: false,
            userinfo_endpoint: at("openid/userinfo"),
            authorization_endpoint: at(&format!("{oauth2}/authorize")),
            device_authorization_endpoint: at(&format!("{oauth2}/devicecode")),
            http_logout_supported: true,
            frontchannel_logout_supported: true,
            end_session_endpoint: at(&format!("{oauth2}/logout")),
            claims_supported: [
                "sub",
                "iss",
                "cloud_instance_name",
                "cloud_instance_host_name",
                "cloud_graph_host_name",
                "msgraph_host",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "acr",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
                "at_hash",
                "c_hash",
            ],
            kerberos_endpoint: at("kerberos"),
            tenant_region_scope: None,
            cloud_instance_name: self.host,
            cloud_graph_host_name: self.host,
            msgraph_host: self.host,
            rbac_url: self.authority,
        })
    }
}

/// A public key, as it is published. There is no place for a private member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicJwk {
    /// `RSA`.
    pub kty: &'static str,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// `RS256`.
    pub alg: &'static str,
    /// The key's id.
    pub kid: String,
    /// The same: the SHA-1 thumbprint of its certificate.
    pub x5t: String,
    /// The modulus, unsigned, base64url.
    pub n: String,
    /// The exponent, base64url.
    pub e: String,
    /// Its certificate, base64.
    pub x5c: [String; 1],
    /// For whose tokens it is good (v2 only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

/// A key set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<PublicJwk>,
}

/// The answer of `/common/discovery/instance` for a host of our own. `aliases` are all of them, `host` the one that is
/// published.
///
/// # Errors
/// Never in practice: every member is text.
pub fn instance(
    authority: &str,
    host: &str,
    aliases: &[String],
    tenant: &str,
    api_version: &str,
) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    struct Instance<'d> {
        tenant_discovery_endpoint: String,
        #[serde(rename = "api-version")]
        api_version: &'d str,
        metadata: [Cloud<'d>; 1],
    }
    #[derive(Serialize)]
    struct Cloud<'d> {
        preferred_network: &'d str,
        preferred_cache: &'d str,
        aliases: &'d [String],
    }
    serde_json::to_vec(&Instance {
        tenant_discovery_endpoint: format!("{authority}/{tenant}/v2.0/.well-known/openid-configuration"),
        api_version,
        metadata: [Cloud { preferred_network: host, preferred_cache: host, aliases }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISCOVERY: Discovery<'_> = Discovery {
        authority: "https://localhost:16926",
        tenant: "common",
        issuer: "https://sts.windows.net/{tenantid}/",
        host: "localhost:16926",
    };

    #[test]
    fn members_stand_in_the_observed_order() {
        let v2 = String::from_utf8(DISCOVERY.v2().unwrap()).unwrap();
        assert!(v2.starts_with(
            "{\"token_endpoint\":\"https://localhost:16926/common/oauth2/v2.0/token\",\
             \"token_endpoint_auth_methods_supported\":[\"client_secret_post\",\"private_key_jwt\",\"client_secret_basic\"],\
             \"jwks_uri\":\"https://localhost:16926/common/discovery/v2.0/keys\",\"response_modes_supported\":"
        ));
        let v1 = String::from_utf8(DISCOVERY.v1().unwrap()).unwrap();
        assert!(v1.contains("\"token_endpoint\":\"https://localhost:16926/common/oauth2/token\""));
        assert!(v1.contains("\"jwks_uri\":\"https://localhost:16926/common/discovery/keys\""));
        assert!(v1.contains("\"issuer\":\"https://sts.windows.net/{tenantid}/\""));
    }

    #[test]
    fn instance_discovery_names_the_tenants_document() {
        let instance = String::from_utf8(
            instance("https://a:1", "a:1", &["a:1".to_owned(), "b:1".to_owned()], "t", "1.1").unwrap(),
        )
        .unwrap();
        assert_eq!(
            instance,
            r#"{"tenant_discovery_endpoint":"https://a:1/t/v2.0/.well-known/openid-configuration","api-version":"1.1","metadata":[{"preferred_network":"a:1","preferred_cache":"a:1","aliases":["a:1","b:1"]}]}"#
        );
    }
}
