//! The parameters of a token request to the extension: in the query, in a form, or in both.

use std::borrow::Cow;

use crate::gate::Refusal;
use crate::query::Parameters;
use crate::selector::Selector;

/// A token request to the extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest<'q> {
    /// The resource, decoded once and otherwise untouched.
    pub resource: Cow<'q, str>,
    /// The identity that is named, if one is.
    pub selector: Option<Selector<'q>>,
}

impl<'q> TokenRequest<'q> {
    /// Reads a raw query and, for a POST, its form. `authority` and `grant_type`, which old clients send,
    /// decide nothing, nor does anything else that isn't known.
    ///
    /// The resource becomes an OAuth scope on its way to the authority, where a space parts one scope from the next
    /// (RFC 6749 section 3.3): with one in it, it would arrive as another resource, or as several.
    ///
    /// # Errors
    /// The first check that fails: twice, resource, selectors.
    pub fn parse(query: &'q str, form: Option<&'q [u8]>) -> Result<Self, Refusal> {
        let parameters = Parameters::parse(query)?;
        let parameters = match form {
            Some(form) => parameters.and_form(form)?,
            None => parameters,
        };
        let resource = parameters.get("resource").filter(|resource| !resource.is_empty());
        let resource = resource.ok_or(Refusal::ResourceMissing)?.clone();
        if resource.contains(' ') {
            return Err(Refusal::ResourceWithSpace);
        }
        Ok(Self { resource, selector: Selector::find(&parameters)? })
    }
}

/// Whether a `Content-Type` says that a body is a form; parameters such as a charset are fine.
#[must_use]
pub(crate) fn is_form(content_type: &[u8]) -> bool {
    let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    media_type.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

impl TokenRequest<'_> {
    /// Refuses a POST whose headers don't say exactly once that its body is a form.
    ///
    /// # Errors
    /// [`Refusal::NotAForm`].
    pub fn check_form_type(headers: &http::HeaderMap) -> Result<(), Refusal> {
        let mut types = headers.get_all(http::header::CONTENT_TYPE).iter();
        match (types.next(), types.next()) {
            (Some(one), None) if is_form(one.as_bytes()) => Ok(()),
            (Some(_) | None, _) => Err(Refusal::NotAForm),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selector::SelectorKind;

    #[test]
    fn query_and_form_are_read_together() {
        let node = TokenRequest::parse("xms_cc=CP1", Some(b"resource=https%3A%2F%2Fmanagement.azure.com%2F")).unwrap();
        assert_eq!(node.resource, "https://management.azure.com/");
        let form = b"resource=r&authority=https%3A%2F%2Flogin&grant_type=client_credentials&client_id=";
        assert_eq!(TokenRequest::parse("", Some(form)).unwrap().selector, None);
        let named = TokenRequest::parse("resource=r&msi_res_id=%2Fsub", None).unwrap().selector.unwrap();
        assert_eq!((named.kind, named.value.as_ref()), (SelectorKind::ResourceId, "/sub"));
    }

    #[test]
    fn checks_fail_in_order() {
        let refusal = |query, form| TokenRequest::parse(query, form).unwrap_err();
        assert_eq!(refusal("resource=r", Some(b"resource=r")), Refusal::ParameterTwice { name: "resource".to_owned() });
        assert_eq!(refusal("", None), Refusal::ResourceMissing);
        assert_eq!(refusal("resource=r&client_id=a", Some(b"object_id=b")), Refusal::SeveralSelectors);
        assert_eq!(refusal("", Some(b"\xff=\xfe")), Refusal::QueryNotText);
    }

    #[test]
    fn a_form_says_that_it_is_one() {
        for yes in ["application/x-www-form-urlencoded", "Application/X-WWW-Form-urlencoded; charset=utf-8"] {
            assert!(is_form(yes.as_bytes()));
        }
        for no in ["", "application/json", "text/plain", "application/x-www-form-urlencodedx"] {
            assert!(!is_form(no.as_bytes()));
        }
    }
}
