//! Who the tokens say they are from: configuration, never the name under which somebody reached us.

use domain::TenantId;

/// The issuer templates of an installation; `{tenant}` stands for the tenant's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuers {
    /// Of tokens of version 1.0.
    pub v1: String,
    /// Of tokens of version 2.0.
    pub v2: String,
    /// The resources whose tokens are of version 2.0.
    pub v2_resources: Vec<String>,
}

impl Default for Issuers {
    /// What real relying parties insist on: Azurite takes only issuers that begin so.
    fn default() -> Self {
        Self {
            v1: "https://sts.windows.net/{tenant}/".to_owned(),
            v2: "https://login.microsoftonline.com/{tenant}/v2.0".to_owned(),
            v2_resources: vec!["api://AzureADTokenExchange".to_owned()],
        }
    }
}

/// The version of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenVersion {
    /// `ver` 1.0
    V1,
    /// `ver` 2.0
    V2,
}

impl Issuers {
    /// The issuer of a tenant's tokens.
    #[must_use]
    pub fn issuer(&self, version: TokenVersion, tenant: TenantId) -> String {
        self.template(version).replace("{tenant}", &tenant.to_string())
    }

    /// The issuer as documents for no tenant in particular have it, with `{tenantid}` in the place of the id.
    #[must_use]
    pub fn common(&self, version: TokenVersion) -> String {
        self.template(version).replace("{tenant}", "{tenantid}")
    }

    /// The version of the tokens for a resource: the resource decides, not the endpoint.
    #[must_use]
    pub fn version_for(&self, resource: &str) -> TokenVersion {
        let resource = resource.trim_end_matches('/');
        if self.v2_resources.iter().any(|v2| v2 == resource) { TokenVersion::V2 } else { TokenVersion::V1 }
    }

    fn template(&self, version: TokenVersion) -> &str {
        match version {
            TokenVersion::V1 => &self.v1,
            TokenVersion::V2 => &self.v2,
        }
    }
}
