//! The parameters of a request for `/metadata/instance`.

use crate::api_version::ApiVersion;
use crate::gate::Refusal;
use crate::imds::api_version;
use crate::query::Parameters;

/// The form of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// A document without blanks.
    #[default]
    Json,
    /// A value as it is, or the names of what is below.
    Text,
}

impl Format {
    /// The value of `Content-Type`.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

/// A request for `/metadata/instance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceRequest {
    /// The version asked for.
    pub api_version: ApiVersion,
    /// The form asked for.
    pub format: Format,
    /// Whether the whole document is to have what the service tells provisioning agents alone.
    pub extended: bool,
}

impl InstanceRequest {
    /// The first version that knows `extended`, by canonical/cloud-init `cloudinit/sources/DataSourceAzure.py`.
    const FIRST_WITH_EXTENDED: ApiVersion = ApiVersion::V20210301;

    /// Reads a raw query. Unknown parameters decide nothing.
    ///
    /// # Errors
    /// The first check that fails: twice, api-version, format.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        let parameters = Parameters::parse(query)?;
        let api_version = api_version(&parameters, ApiVersion::OLDEST)?;
        let format = match parameters.get("format") {
            None => Format::Json,
            Some(value) if value.eq_ignore_ascii_case("json") => Format::Json,
            Some(value) if value.eq_ignore_ascii_case("text") => Format::Text,
            Some(value) => return Err(Refusal::FormatUnknown { value: value.to_string() }),
        };
        let extended = parameters.get("extended").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Ok(Self { api_version, format, extended: extended && api_version >= Self::FIRST_WITH_EXTENDED })
    }

    /// The keys and indexes behind `/metadata/instance` in a raw path, of which runs of `/` count as one.
    pub fn filter(path: &str) -> impl Iterator<Item = &str> {
        path.split('/').filter(|segment| !segment.is_empty()).skip(2)
    }
}
