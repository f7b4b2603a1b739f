//! The parameters of a token request, in the order in which they are checked.

use std::borrow::Cow;

use crate::api_version::ApiVersion;
use crate::gate::Refusal;
use crate::imds::api_version;
use crate::query::Parameters;
use crate::selector::Selector;

/// A token request to the metadata service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest<'q> {
    /// The version asked for.
    pub api_version: ApiVersion,
    /// The resource, decoded once and otherwise untouched.
    pub resource: Cow<'q, str>,
    /// The identity that is named, if one is.
    pub selector: Option<Selector<'q>>,
    /// Whether a new token is to be made.
    pub bypass_cache: bool,
}

impl<'q> TokenRequest<'q> {
    /// Reads a raw query. Unknown parameters decide nothing; real clients send some.
    ///
    /// # Errors
    /// The first check that fails: twice, api-version, resource, selectors.
    pub fn parse(query: &'q str) -> Result<Self, Refusal> {
        let parameters = Parameters::parse(query)?;
        let api_version = api_version(&parameters, ApiVersion::FIRST_WITH_IDENTITY)?;
        let resource = parameters.get("resource").filter(|resource| !resource.is_empty());
        let resource = resource.ok_or(Refusal::ResourceMissing)?.clone();
        let selector = Selector::find(&parameters)?;
        let bypass_cache = parameters.get("bypass_cache").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Ok(Self { api_version, resource, selector, bypass_cache })
    }
}

/// A request for `/metadata/identity/info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InfoRequest {
    /// The version asked for.
    pub api_version: ApiVersion,
}

impl InfoRequest {
    /// Reads a raw query.
    ///
    /// # Errors
    /// The first check that fails: twice, api-version.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        Ok(Self { api_version: api_version(&Parameters::parse(query)?, ApiVersion::FIRST_WITH_IDENTITY)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_of_real_clients_are_read() {
        let python = TokenRequest::parse("api-version=2018-02-01&resource=https://management.azure.com").unwrap();
        assert_eq!(python.resource, "https://management.azure.com");
        assert!(matches!(python.resource, Cow::Borrowed(_)), "nothing was encoded");
        let rust =
            TokenRequest::parse("resource=https%3A%2F%2Fvault.azure.net&api-version=2019-08-01&client_id=").unwrap();
        assert_eq!((rust.resource.as_ref(), rust.selector), ("https://vault.azure.net", None));
        let node = TokenRequest::parse("resource=api%3A%2F%2Fx&api-version=2018-02-01&xms_cc=CP1&bypass_cache=TRUE");
        assert!(node.unwrap().bypass_cache);
        assert!(!TokenRequest::parse("resource=r&api-version=2018-02-01&bypass_cache=1").unwrap().bypass_cache);
    }

    #[test]
    fn checks_fail_in_the_order_of_the_contract() {
        let refusal = |query: &str| TokenRequest::parse(query).unwrap_err();
        assert_eq!(refusal("a=1&a=2"), Refusal::ParameterTwice { name: "a".to_owned() });
        assert_eq!(refusal("client_id=1&object_id=2"), Refusal::ApiVersionMissing);
        for wrong in ["", "2017-12-01", "2018-02-02", "3000-01-01"] {
            assert_eq!(
                refusal(&format!("api-version={wrong}&client_id=1&object_id=2")),
                Refusal::ApiVersionUnknown { value: wrong.to_owned() }
            );
        }
        assert_eq!(refusal("api-version=2018-02-01&client_id=1&object_id=2"), Refusal::ResourceMissing);
        assert_eq!(refusal("api-version=2018-02-01&resource="), Refusal::ResourceMissing);
        assert_eq!(refusal("api-version=2018-02-01&resource=r&client_id=1&object_id=2"), Refusal::SeveralSelectors);
    }
}
