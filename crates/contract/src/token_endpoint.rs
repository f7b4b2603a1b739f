//! `POST /{tenant}/oauth2/token` and `/{tenant}/oauth2/v2.0/token`: the form and the answers.
//!
//! Public source: MicrosoftDocs/entra-docs `v2-oauth2-client-creds-grant-flow.md`.

use std::borrow::Cow;
use std::fmt;

use crate::aadsts::Aadsts;
use crate::answer::push_json_text;
use crate::gate::Refusal;
use crate::query::Parameters;
use crate::scope::RequestedScope;
use crate::user_token::{REFRESH_TOKEN, UserForm};
use crate::{device_code, jose};

/// The one kind of client assertion.
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Which of the two endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndpointVersion {
    /// `/{tenant}/oauth2/token` with `resource`.
    V1,
    /// `/{tenant}/oauth2/v2.0/token` with `scope`.
    V2,
}

/// What a client brings to prove who it is. `Debug` says which, and shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof<'f> {
    /// A secret, in the form or as HTTP Basic.
    Secret(Cow<'f, str>),
    /// A signed JWT: of its own key, or of an external issuer.
    Assertion(Cow<'f, str>),
}

impl fmt::Debug for Proof<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret(redacted)",
            Self::Assertion(_) => "Assertion(redacted)",
        })
    }
}

/// A request for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenRequest<'f> {
    /// A client asks for itself.
    Client(TokenForm<'f>),
    /// A program asks for the person who has signed in to it.
    User(UserForm<'f>),
}

impl<'f> TokenRequest<'f> {
    /// Reads a form. `basic` is the user and password of an `Authorization: Basic` header, if there is one.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(version: EndpointVersion, form: &'f [u8], basic: Option<(String, String)>) -> Result<Self, Aadsts> {
        let parameters = parameters(form)?;
        let grant = required(&parameters, "grant_type")?;
        match (version, grant.as_ref()) {
            (_, "client_credentials") => TokenForm::read(version, &parameters, basic).map(Self::Client),
            (EndpointVersion::V2, grant) if device_code::GRANTS.contains(&grant) => {
                UserForm::device_code(&parameters).map(Self::User)
            }
            (EndpointVersion::V2, REFRESH_TOKEN) => UserForm::refresh_token(&parameters).map(Self::User),
            (EndpointVersion::V1 | EndpointVersion::V2, _) => {
                Err(Aadsts::UnsupportedGrant { grant: grant.into_owned() })
            }
        }
    }
}

/// A client's request for a token of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenForm<'f> {
    /// The client id as it was sent.
    pub client_id: Cow<'f, str>,
    /// What it brings.
    pub proof: Proof<'f>,
    /// The audience, byte for byte.
    pub resource: Cow<'f, str>,
    /// What the client says it can do (`xms_cc`).
    pub capabilities: Vec<String>,
}

impl<'f> TokenForm<'f> {
    fn read(
        version: EndpointVersion,
        parameters: &Parameters<'f>,
        basic: Option<(String, String)>,
    ) -> Result<Self, Aadsts> {
        let text = |name: &str| optional(parameters, name);
        let (user, password) = basic.unzip();
        let client_id = text("client_id").or(user.map(Cow::Owned));
        let client_id = client_id.ok_or(Aadsts::MissingParameter { name: "client_id" })?;
        let secret = text("client_secret").or(password.filter(|password| !password.is_empty()).map(Cow::Owned));
        let proof = match (text("client_assertion"), secret) {
            (Some(assertion), _) => {
                if text("client_assertion_type").is_none_or(|kind| kind != JWT_BEARER) {
                    return Err(Aadsts::InvalidAssertion { reason: format!("its type is not {JWT_BEARER}") });
                }
                Proof::Assertion(assertion)
            }
            (None, Some(secret)) => Proof::Secret(secret),
            (None, None) => return Err(Aadsts::NoCredential),
        };
        let resource = match version {
            EndpointVersion::V1 => required(parameters, "resource")?,
            EndpointVersion::V2 => RequestedScope::parse(&required(parameters, "scope")?)?.resource.into(),
        };
        let capabilities = text("claims").map(|claims| capabilities(&claims)).unwrap_or_default();
        Ok(Self { client_id, proof, resource, capabilities })
    }
}

/// The parameters of a form.
pub(crate) fn parameters(form: &[u8]) -> Result<Parameters<'_>, Aadsts> {
    Parameters::of_form(form).map_err(|refusal| Aadsts::MalformedRequest { reason: reason(&refusal) })
}

/// A parameter that needn't be there; an empty one isn't.
pub(crate) fn optional<'f>(parameters: &Parameters<'f>, name: &str) -> Option<Cow<'f, str>> {
    parameters.get(name).filter(|value| !value.is_empty()).cloned()
}

/// A parameter that must be there.
pub(crate) fn required<'f>(parameters: &Parameters<'f>, name: &'static str) -> Result<Cow<'f, str>, Aadsts> {
    optional(parameters, name).ok_or(Aadsts::MissingParameter { name })
}

/// `{"access_token":{"xms_cc":{"values":["CP1"]}}}`; anything else declares nothing.
pub(crate) fn capabilities(claims: &str) -> Vec<String> {
    let claims = jose::object(claims.as_bytes()).unwrap_or_default();
    let values = claims.get("access_token").and_then(|token| token.get("xms_cc")).and_then(|cc| cc.get("values"));
    let values = values.and_then(serde_json::Value::as_array);
    values.into_iter().flatten().filter_map(|value| value.as_str().map(str::to_owned)).take(8).collect()
}

fn reason(refusal: &Refusal) -> String {
    if let Refusal::ParameterTwice { name } = refusal {
        return format!("the parameter '{name}' is there twice");
    }
    refusal.label().replace('_', " ")
}

/// A token to answer with. `Debug` doesn't show it.
#[derive(Clone, Copy)]
pub struct TokenAnswer<'t> {
    /// The token.
    pub access_token: &'t str,
    /// The seconds it lives from now.
    pub expires_in: u64,
    /// Its `exp`.
    pub expires_on: i64,
    /// Its `nbf`.
    pub not_before: i64,
    /// The resource as it was asked for.
    pub resource: &'t str,
}

impl fmt::Debug for TokenAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAnswer")
            .field("expires_on", &self.expires_on)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

impl TokenAnswer<'_> {
    /// The body: strings on v1, integers on v2. A client of its own never gets a refresh token.
    #[must_use]
    pub fn body(&self, version: EndpointVersion) -> String {
        let Self { access_token, expires_in, expires_on, not_before, resource } = self;
        let mut body = String::with_capacity(access_token.len() + resource.len() + 256);
        match version {
            EndpointVersion::V2 => {
                body.push_str(&format!(
                    "{{\"token_type\":\"Bearer\",\"expires_in\":{expires_in},\"ext_expires_in\":{expires_in},\"access_token\":\""
                ));
            }
            EndpointVersion::V1 => {
                body.push_str(&format!(
                    "{{\"token_type\":\"Bearer\",\"expires_in\":\"{expires_in}\",\"ext_expires_in\":\"{expires_in}\",\
                     \"expires_on\":\"{expires_on}\",\"not_before\":\"{not_before}\",\"resource\":\""
                ));
                push_json_text(&mut body, resource);
                body.push_str("\",\"access_token\":\"");
            }
        }
        push_json_text(&mut body, access_token);
        body.push_str("\"}");
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Result<TokenForm<'_>, Aadsts> {
        of(EndpointVersion::V2, text, None)
    }

    fn of(version: EndpointVersion, text: &str, basic: Option<(String, String)>) -> Result<TokenForm<'_>, Aadsts> {
        match TokenRequest::parse(version, text.as_bytes(), basic)? {
            TokenRequest::Client(form) => Ok(form),
            TokenRequest::User(form) => panic!("{form:?}"),
        }
    }

    #[test]
    fn the_forms_of_real_clients_are_read() {
        let secret = "client_id=c&scope=r%2F.default&grant_type=client_credentials&client_secret=s&client_info=1\
                      &claims=%7B%22access_token%22%3A%7B%22xms_cc%22%3A%7B%22values%22%3A%5B%22CP1%22%5D%7D%7D%7D";
        let read = form(secret).unwrap();
        assert_eq!((read.proof, read.resource.as_ref()), (Proof::Secret("s".into()), "r"));
        assert_eq!(read.capabilities, ["CP1"]);
        let assertion = format!(
            "grant_type=client_credentials&client_id=c&scope=r/.default&client_assertion={}&client_assertion_type={JWT_BEARER}",
            "x".repeat(5_000)
        );
        assert!(matches!(form(&assertion).unwrap().proof, Proof::Assertion(_)));
        let basic = Some(("c".to_owned(), "s".to_owned()));
        let v1 = of(EndpointVersion::V1, "grant_type=client_credentials&resource=r", basic).unwrap();
        assert_eq!((v1.client_id.as_ref(), v1.proof), ("c", Proof::Secret("s".into())));
    }

    #[test]
    fn debug_texts_show_no_secret_and_no_token() {
        let base = "grant_type=client_credentials&client_id=c&scope=r/.default";
        let secret = format!("{base}&client_secret=hunter2");
        let assertion = format!("{base}&client_assertion=eyJ.hunter2.x&client_assertion_type={JWT_BEARER}");
        let answer =
            TokenAnswer { access_token: "eyJhunter2", expires_in: 1, expires_on: 1, not_before: 1, resource: "r" };
        for text in [format!("{:?}", form(&secret)), format!("{:?}", form(&assertion)), format!("{answer:?}")] {
            assert!(!text.contains("hunter2") && !text.contains("eyJ") && text.contains("\"r\""), "{text}");
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_told() {
        assert_eq!(form(""), Err(Aadsts::MissingParameter { name: "grant_type" }));
        assert_eq!(form("grant_type=password"), Err(Aadsts::UnsupportedGrant { grant: "password".to_owned() }));
        let base = "grant_type=client_credentials";
        assert_eq!(form(base), Err(Aadsts::MissingParameter { name: "client_id" }));
        assert_eq!(form(&format!("{base}&client_id=c")), Err(Aadsts::NoCredential));
        let secret = format!("{base}&client_id=c&client_secret=s");
        assert_eq!(form(&secret), Err(Aadsts::MissingParameter { name: "scope" }));
        assert!(matches!(form(&format!("{secret}&client_id=d")), Err(Aadsts::MalformedRequest { .. })));
        assert!(matches!(
            form(&format!("{base}&client_id=c&client_assertion=a&client_assertion_type=x")),
            Err(Aadsts::InvalidAssertion { .. })
        ));
    }

    #[test]
    fn v1_speaks_in_strings_and_v2_in_numbers() {
        let answer =
            TokenAnswer { access_token: "t", expires_in: 3599, expires_on: 7200, not_before: 3300, resource: "r/" };
        assert_eq!(
            answer.body(EndpointVersion::V2),
            r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"t"}"#
        );
        assert_eq!(
            answer.body(EndpointVersion::V1),
            r#"{"token_type":"Bearer","expires_in":"3599","ext_expires_in":"3599","expires_on":"7200","not_before":"3300","resource":"r/","access_token":"t"}"#
        );
    }
}
