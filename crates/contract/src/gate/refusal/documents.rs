//! The words of refusals on the metadata service's paths outside of `identity`: one key, `error`.
//!
//! Public sources: MicrosoftDocs/azure-compute-docs `instance-metadata-service.md` (api-version),
//! MicrosoftDocs/azure-docs#91624 (header) and `troubleshoot-load-balancer-imds.md` (the load balancer's own texts). Where
//! Azure's text isn't known the text is ours.

use super::{MetadataRefusal, Refusal};
use crate::answer::Answer;
use crate::api_version::ApiVersion;
use crate::gate::{Route, Surface, path};
use crate::imds::{EventsVersion, versions};
use crate::query::MAX_VALUE;

/// As an answer of the real service has it, blanks included.
const NO_HEADER: &[u8] = br#"{ "error": "Bad request: . Required metadata header not specified" }"#;

impl Refusal {
    /// The answer of the metadata service at a path, in the words that belong there.
    #[must_use]
    pub fn answer_at(&self, path: &str) -> Answer {
        match path::route(Surface::Imds, path) {
            Some(Route::ImdsInstance | Route::ImdsVersions | Route::ImdsAttested) => self.on_document(newest()),
            Some(Route::ImdsScheduledEvents) => {
                self.on_document(EventsVersion::ALL.iter().rev().map(|version| version.as_str()))
            }
            Some(Route::ImdsLoadBalancer) => self.on_load_balancer(),
            Some(Route::ImdsToken | Route::ImdsIdentityInfo | Route::ExtensionToken) | None => {
                self.answer(Surface::Imds)
            }
        }
    }

    fn on_document(&self, newest: impl Iterator<Item = &'static str>) -> Answer {
        let bad = |text: &str| Answer::bare_error(400, &format!("Bad request. {text}"));
        match self {
            Self::MethodNotAllowed { path, method, allow } => {
                let text = format!("Http method is not allowed: Path = \"{path}\", Method = \"{method}\"");
                Answer::bare_error(405, &text).allow(allow)
            }
            Self::BodyNotAllowed => bad("A request body is not allowed"),
            Self::Host(_) => bad("The Host header is not allowed"),
            Self::CrossOrigin => Answer::bare_error(403, "Cross-origin requests are not allowed"),
            Self::Forwarded => bad("Requests with the X-Forwarded-For header are not allowed"),
            Self::Metadata(refusal) => {
                let answer = Answer { body: NO_HEADER.into(), ..Answer::bare_error(400, "") };
                match refusal {
                    MetadataRefusal::Missing => answer.keep_open(),
                    MetadataRefusal::Several | MetadataRefusal::NotTrue => answer,
                }
            }
            Self::TooManyRequests => Answer::bare_error(429, "Too many requests").retry_after(1),
            Self::QueryNotText => bad("The query is not valid UTF-8"),
            Self::ParameterTwice { name } => bad(&format!("Query parameter \"{name}\" is specified more than once")),
            Self::ParameterTooLong { name } => {
                bad(&format!("Query parameter \"{name}\" is longer than {MAX_VALUE} bytes"))
            }
            Self::TooManyParameters => bad("The query has too many parameters"),
            Self::ApiVersionMissing | Self::ApiVersionUnknown { .. } => versions::refused(newest),
            Self::FormatUnknown { value } => bad(&format!("The format \"{value}\" is not supported, use json or text")),
            Self::Leaf => bad("The requested element is a leaf, use format=text"),
            Self::NoElement => Answer::bare_error(404, "The requested element was not found"),
            Self::Nonce => bad("The nonce must be 1 to 32 letters, digits or hyphens"),
            Self::StartRequests => bad("The body must be {\"StartRequests\":[{\"EventId\":\"...\"}]}"),
            Self::NoEvent { id } => bad(&format!("There is no scheduled event \"{id}\"")),
            Self::Framing(_) | Self::BodyUnreadable | Self::NotAForm => bad("The request body could not be read"),
            Self::Unavailable { retry_after } => {
                let text = "The document can't be had at the moment, retry later";
                Answer::bare_error(503, text).retry_after(*retry_after)
            }
            Self::Gone => Answer::bare_error(410, "The service is being updated, retry later"),
            Self::Internal => Answer::bare_error(500, "An internal error occurred"),
            // What isn't about documents.
            Self::UnknownPath { .. }
            | Self::UnknownSource { .. }
            | Self::ResourceMissing
            | Self::ResourceWithSpace
            | Self::SeveralSelectors
            | Self::IdentityNotFound
            | Self::SeveralIdentities
            | Self::InvalidResource { .. }
            | Self::Authority { .. }
            | Self::RetrievalFailed { .. }
            | Self::NoLoadBalancer => self.answer(Surface::Imds),
        }
    }

    fn on_load_balancer(&self) -> Answer {
        let not_allowed = |value: &str, name: &str| {
            format!("Parameter value \"{value}\" isn't allowed for parameter \"{name}\". Fix the request and retry.")
        };
        let text = if *self == Self::ApiVersionMissing {
            "Missing required parameter \"api-version\". Fix the request and retry.".to_owned()
        } else if let Self::ApiVersionUnknown { value } = self {
            not_allowed(value, "api-version")
        } else if let Self::FormatUnknown { value } = self {
            not_allowed(value, "format")
        } else if let Self::ParameterTwice { .. } | Self::QueryNotText | Self::TooManyParameters = self {
            "Unexpected request. Check the query parameters and retry.".to_owned()
        } else if let Self::ParameterTooLong { .. } = self {
            format!("Parameter value length is larger than MaxParameterValueLength: {MAX_VALUE}")
        } else if *self == Self::BodyNotAllowed {
            "Request body is larger than MaxBodyLength: 0".to_owned()
        } else {
            return self.on_document(newest());
        };
        Answer::bare_error(400, &text)
    }
}

/// The versions of almost all documents, the newest first.
fn newest() -> impl Iterator<Item = &'static str> {
    ApiVersion::ALL.iter().rev().map(|version| version.as_str())
}
