//! Queries and bodies of requests.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use contract::arm::{ArmError, Code};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// The longest body that is read, in bytes: the most that Azure takes for a template.
pub(crate) const MAX_BODY: usize = 4 * 1024 * 1024;
/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The members of a body.
pub(crate) type Object = Map<String, Value>;

/// The query of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: &str) -> Result<Self, ArmError> {
        let decode = |text: &str| {
            let spaced = text.replace('+', " ");
            percent_decode_str(&spaced)
                .decode_utf8()
                .map(Cow::into_owned)
                .map_err(|_| ArmError::new(Code::BadRequest, "The request's query is not valid UTF-8."))
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?.to_ascii_lowercase(), decode(value)?))
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }

    /// A value, by its name in lower case.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The api-version, which must be there. Every date is taken: one service speaks them all with one shape.
    pub(crate) fn api_version(&self) -> Result<&str, ArmError> {
        let version = self.get("api-version").filter(|version| !version.is_empty()).ok_or_else(|| {
            let text = "The api-version query parameter (?api-version=) is required for all requests.";
            ArmError::new(Code::MissingApiVersionParameter, text)
        })?;
        if is_date(version) {
            return Ok(version);
        }
        let shown: String = version.chars().take(32).collect();
        let text = format!("The api-version '{shown}' is invalid: it is a date, yyyy-MM-dd, perhaps with '-preview'.");
        Err(ArmError::new(Code::InvalidApiVersionParameter, text))
    }

    /// Whether `$expand` asks for this.
    pub(crate) fn expands(&self, what: &str) -> bool {
        self.get("$expand").is_some_and(|list| list.split(',').any(|word| word.trim().eq_ignore_ascii_case(what)))
    }
}

fn is_date(version: &str) -> bool {
    let Some((date, rest)) = version.split_at_checked(10) else { return false };
    let shape = date.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let word = rest.strip_prefix('-').map_or(rest.is_empty(), |word| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
    });
    shape && word
}

/// Reads a body.
pub(crate) async fn read(body: Body) -> Result<Vec<u8>, ArmError> {
    let reading = axum::body::to_bytes(body, MAX_BODY);
    match tokio::time::timeout(PATIENCE, reading).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(_)) => Err(ArmError::new(
            Code::RequestEntityTooLarge,
            format!("The request content size exceeds the maximum size of {MAX_BODY} bytes."),
        )),
        Err(_) => Err(ArmError::new(Code::InvalidRequestContent, "The request content did not arrive in time.")),
    }
}

/// The members of a body; none is no members, unless there must be some.
pub(crate) fn object(text: &[u8], required: bool) -> Result<Object, ArmError> {
    let invalid = |why: &dyn std::fmt::Display| {
        ArmError::new(
            Code::InvalidRequestContent,
            format!("The request content was invalid and could not be deserialized: '{why}'."),
        )
    };
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    if text.iter().all(u8::is_ascii_whitespace) {
        return if required { Err(invalid(&"the request has no content")) } else { Ok(Object::new()) };
    }
    match serde_json::from_slice(text) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(invalid(&"the content is not a JSON object")),
        Err(why) => Err(invalid(&why)),
    }
}

/// A member that is an object, when it is there.
pub(crate) fn member<'b>(body: &'b Object, name: &str) -> Result<Option<&'b Object>, ArmError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(members)) => Ok(Some(members)),
        Some(_) => Err(wrong(name, "an object")),
    }
}

/// A member that is text, when it is there.
pub(crate) fn text<'b>(body: &'b Object, name: &str) -> Result<Option<&'b str>, ArmError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(name, "a string")),
    }
}

/// A member that is true or false, when it is there. Some templates say it as text.
pub(crate) fn flag(body: &Object, name: &str) -> Result<Option<bool>, ArmError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) => Err(wrong(name, "a boolean")),
    }
}

/// A member that has the wrong type.
pub(crate) fn wrong(name: &str, wanted: &str) -> ArmError {
    ArmError::parameter(name, format!("The value of parameter {name} is invalid: it must be {wanted}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_versions() {
        let version = |query: &str| Query::parse(query).unwrap().api_version().map(str::to_owned).map_err(|e| e.code);
        assert_eq!(version("API-Version=2025-05-31-preview").as_deref(), Ok("2025-05-31-preview"));
        assert_eq!(version("a=b"), Err(Code::MissingApiVersionParameter));
        assert_eq!(version("api-version="), Err(Code::MissingApiVersionParameter));
        for bad in ["latest", "2024-1-1", "2024-01-01x", "2024-01-01-"] {
            assert_eq!(version(&format!("api-version={bad}")), Err(Code::InvalidApiVersionParameter), "{bad}");
        }
        assert!(Query::parse("$expand=createdTime,instanceView").unwrap().expands("instanceview"));
    }
}
