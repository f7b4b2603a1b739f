//! `scope` of the v2 endpoints: one resource, and what OpenID Connect asks for beside it.

use crate::aadsts::Aadsts;

/// A scope as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedScope {
    /// What stands before `/.default`, with every slash that stands there.
    pub resource: String,
    /// `openid`: an id token, where a person signs in.
    pub openid: bool,
    /// `profile`: the person's names in it.
    pub profile: bool,
    /// `offline_access`: a refresh token.
    pub offline_access: bool,
}

impl RequestedScope {
    /// Reads a scope. MSAL for Go and msal4j ask for the three words with every grant, in any order; for a client without
    /// a user they mean nothing, and the real service passes over them
    /// (AzureAD/microsoft-authentication-library-for-go `apps/internal/oauth/ops/accesstokens/accesstokens.go`,
    /// `AppendDefaultScopes`).
    ///
    /// # Errors
    /// [`Aadsts::InvalidScope`] when it doesn't have exactly one resource.
    pub fn parse(text: &str) -> Result<Self, Aadsts> {
        let invalid = || Aadsts::InvalidScope { scope: text.to_owned() };
        let mut scope = Self { resource: String::new(), openid: false, profile: false, offline_access: false };
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            match word {
                "openid" => scope.openid = true,
                "profile" => scope.profile = true,
                "offline_access" => scope.offline_access = true,
                _ if scope.resource.is_empty() => {
                    word.strip_suffix("/.default").ok_or_else(invalid)?.clone_into(&mut scope.resource);
                    if scope.resource.is_empty() {
                        return Err(invalid());
                    }
                }
                _ => return Err(invalid()),
            }
        }
        if scope.resource.is_empty() { Err(invalid()) } else { Ok(scope) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_keeps_every_slash_of_its_resource() {
        for (scope, resource) in [
            ("https://management.azure.com/.default", "https://management.azure.com"),
            ("https://management.core.windows.net//.default", "https://management.core.windows.net/"),
            ("api://AzureADTokenExchange/.default", "api://AzureADTokenExchange"),
            // MSAL for Go, and msal4j, which joins a set.
            ("https://a/.default openid offline_access profile", "https://a"),
            ("openid profile https://a//.default offline_access", "https://a/"),
            ("offline_access openid profile api://a/.default", "api://a"),
        ] {
            assert_eq!(RequestedScope::parse(scope).unwrap().resource, resource);
        }
        for wrong in [
            "",
            "https://a",
            "/.default",
            "https://a/.default https://b/.default",
            "openid",
            "openid profile",
            "OpenID https://a/.default",
        ] {
            assert!(matches!(RequestedScope::parse(wrong), Err(Aadsts::InvalidScope { .. })), "{wrong}");
        }
    }

    #[test]
    fn each_word_of_openid_connect_is_its_own_wish() {
        let wishes = |text: &str| {
            let RequestedScope { openid, profile, offline_access, .. } = RequestedScope::parse(text).unwrap();
            (openid, profile, offline_access)
        };
        assert_eq!(wishes("a/.default"), (false, false, false));
        assert_eq!(wishes("a/.default openid"), (true, false, false));
        assert_eq!(wishes("profile a/.default"), (false, true, false));
        assert_eq!(wishes("a/.default offline_access openid profile"), (true, true, true));
    }
}
