//! `/metadata/versions`, and what is said of versions that aren't known.

use crate::answer::{Answer, push_json_string};
use crate::api_version::ApiVersion;
use crate::gate::Refusal;
use crate::query::Parameters;

/// A request whose parameters decide nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoParameters;

impl NoParameters {
    /// Reads a raw query.
    ///
    /// # Errors
    /// When it can't be read: a name stands there twice, or something isn't UTF-8.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        Parameters::parse(query).map(|_| Self)
    }
}

/// How many of the newest versions a refusal names.
const NAMED: usize = 3;

/// `{"apiVersions":[…]}`, the oldest first (MicrosoftDocs/azure-compute-docs `instance-metadata-service.md`).
#[must_use]
pub fn versions() -> Vec<u8> {
    let mut body = "{\"apiVersions\":".to_owned();
    push_list(&mut body, ApiVersion::ALL.map(ApiVersion::as_str).iter().copied());
    body.push('}');
    body.into_bytes()
}

/// The refusal of a request without a known version: clients take the first of `newest-versions` and ask again. `newest`
/// begins with the newest.
pub(crate) fn refused(newest: impl Iterator<Item = &'static str>) -> Answer {
    let text = "Bad request. api-version is invalid or was not specified in the request. For more information refer to \
                aka.ms/azureimds";
    let answer = Answer::bare_error(400, text);
    let mut body = String::from_utf8_lossy(&answer.body).into_owned();
    body.pop();
    body.push_str(",\"newest-versions\":");
    push_list(&mut body, newest.take(NAMED));
    body.push('}');
    Answer { body: body.into_bytes().into(), ..answer }
}

fn push_list<'v>(json: &mut String, versions: impl Iterator<Item = &'v str>) {
    json.push('[');
    for (number, version) in versions.enumerate() {
        if number > 0 {
            json.push(',');
        }
        push_json_string(json, version);
    }
    json.push(']');
}
