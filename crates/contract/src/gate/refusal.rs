//! Why a request is refused: a variant for each reason, and the one place where reasons become bytes.
//!
//! Public sources of the texts: MicrosoftDocs/entra-docs `how-to-use-vm-token.md`, MicrosoftDocs/azure-docs
//! `howto-load-balancer-imds.md` (404, 405), AzureAD/microsoft-authentication-library-for-dotnet
//! `docs/msi_v2/vm_vmss_credential_probe.md` and Azure/aad-pod-identity (header, resource), captured answers
//! (identity). Where Azure's text isn't known the text is ours.

mod documents;

use super::Surface;
use crate::answer::Answer;
use crate::head::FramingRefusal;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The head isn't sound HTTP/1.
    Framing(FramingRefusal),
    /// There is no such path.
    UnknownPath {
        /// The path as it was sent.
        path: String,
        /// The method as it was sent.
        method: String,
        /// Whether it lies below `/metadata/identity`.
        identity: bool,
    },
    /// The extension's 401 for a path or `Host` that isn't its own.
    UnknownSource {
        /// What was asked for.
        uri: String,
    },
    /// The path takes other methods.
    MethodNotAllowed {
        /// The path as it was sent.
        path: String,
        /// The method as it was sent.
        method: String,
        /// The methods it takes.
        allow: &'static str,
    },
    /// A body where none is taken.
    BodyNotAllowed,
    /// The `Host` header.
    Host(HostRefusal),
    /// A browser asks for a page from elsewhere.
    CrossOrigin,
    /// The request came through a proxy.
    Forwarded,
    /// The `Metadata` header.
    Metadata(MetadataRefusal),
    /// The VM asks more than it may.
    TooManyRequests,
    /// A query or form isn't UTF-8.
    QueryNotText,
    /// A parameter stands there twice.
    ParameterTwice {
        /// Its name.
        name: String,
    },
    /// A parameter's value is too long.
    ParameterTooLong {
        /// Its name.
        name: String,
    },
    /// More parameters than anybody needs.
    TooManyParameters,
    /// A form that doesn't say that it is one.
    NotAForm,
    /// A body that broke off or came in another way than it was announced.
    BodyUnreadable,
    /// No `api-version`.
    ApiVersionMissing,
    /// An `api-version` that doesn't know identities, or none at all.
    ApiVersionUnknown {
        /// What was sent.
        value: String,
    },
    /// No `resource`.
    ResourceMissing,
    /// A `resource` that the authority would take for several.
    ResourceWithSpace,
    /// More than one identity is named.
    SeveralSelectors,
    /// No such identity on this VM, or none at all.
    IdentityNotFound,
    /// No identity is named and there are several.
    SeveralIdentities,
    /// The authority doesn't know the resource; the words are its own.
    InvalidResource {
        /// The text that starts with `AADSTS`.
        description: String,
    },
    /// The authority refused for another reason; the words are its own.
    Authority {
        /// The OAuth error code.
        error: String,
        /// The text that starts with `AADSTS`.
        description: String,
    },
    /// A `format` that there isn't.
    FormatUnknown {
        /// What was sent.
        value: String,
    },
    /// A value is asked for as JSON.
    Leaf,
    /// Nothing is at that place of the document.
    NoElement,
    /// A nonce that isn't one.
    Nonce,
    /// A body that approves no scheduled event.
    StartRequests,
    /// A scheduled event that this VM doesn't have.
    NoEvent {
        /// What was sent.
        id: String,
    },
    /// No load balancer is in front of this VM.
    NoLoadBalancer,
    /// No token could be had in time.
    Unavailable {
        /// When to ask again, in seconds.
        retry_after: u32,
    },
    /// The extension's 500: no token could be had.
    RetrievalFailed {
        /// Where its logs are.
        logs: String,
    },
    /// The service is being updated (deliberately: maintenance, fault injection).
    Gone,
    /// A failure of our own.
    Internal,
}

/// What is wrong with the `Host` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostRefusal {
    /// There is none.
    Missing,
    /// There are several.
    Several,
    /// It names somebody else.
    NotAllowed,
}

/// What is wrong with the `Metadata` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataRefusal {
    /// There is none.
    Missing,
    /// There are several.
    Several,
    /// It isn't `true`.
    NotTrue,
}

const INVALID_REQUEST: &str = "invalid_request";

impl Refusal {
    /// The answer on a surface.
    #[must_use]
    pub fn answer(&self, surface: Surface) -> Answer {
        let invalid = |text: &str| Answer::error(400, INVALID_REQUEST, text);
        match self {
            Self::Framing(refusal) => framing(*refusal),
            Self::UnknownPath { path, method, identity } => {
                let text = format!("API is not found: Path = \"{path}\", Method = \"{method}\"");
                if *identity { Answer::error(404, "not_found", &text) } else { Answer::bare_error(404, &text) }
            }
            Self::UnknownSource { uri } => Answer::error(401, "unknown_source", &format!("Unknown Source {uri}")),
            Self::MethodNotAllowed { path, method, allow } => {
                let text = format!("Http method is not allowed: Path = \"{path}\", Method = \"{method}\"");
                Answer::error(405, "method_not_allowed", &text).allow(allow)
            }
            Self::BodyNotAllowed => invalid("A request body is not allowed"),
            Self::Host(HostRefusal::Missing | HostRefusal::Several | HostRefusal::NotAllowed) => {
                invalid("The Host header is not allowed")
            }
            Self::CrossOrigin => Answer::error(403, "forbidden", "Cross-origin requests are not allowed"),
            Self::Forwarded => invalid("Requests with the X-Forwarded-For header are not allowed"),
            Self::Metadata(refusal) => metadata(*refusal, surface),
            Self::TooManyRequests => Answer::error(429, "too_many_requests", "Too many requests").retry_after(1),
            Self::QueryNotText => invalid("The query is not valid UTF-8"),
            Self::ParameterTwice { name } => invalid(&format!("Query variable '{name}' is specified more than once")),
            Self::ParameterTooLong { name } => invalid(&format!("Query variable '{name}' is longer than 2048 bytes")),
            Self::TooManyParameters => invalid("The query has too many variables"),
            Self::NotAForm => invalid("Content-Type must be application/x-www-form-urlencoded"),
            Self::BodyUnreadable => Answer::error(400, "bad_request", "The request is malformed"),
            Self::ApiVersionMissing => invalid("Required query variable 'api-version' is missing"),
            Self::ApiVersionUnknown { value } => invalid(&format!("The api-version '{value}' is not supported")),
            Self::ResourceMissing => invalid("Required query variable 'resource' is missing"),
            Self::ResourceWithSpace => invalid("Query variable 'resource' must not contain a space"),
            Self::SeveralSelectors => invalid("Only one of client_id, object_id and msi_res_id can be specified"),
            Self::IdentityNotFound => invalid("Identity not found"),
            Self::SeveralIdentities => invalid(
                "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity \
                 in the token request",
            ),
            Self::InvalidResource { description } => Answer::error(400, "invalid_resource", description),
            Self::Authority { error, description } => Answer::error(400, error, description),
            Self::NoLoadBalancer => {
                let text = "No load balancer metadata is found. Check if your VM is using any non-basic SKU load \
                            balancer and retry later.";
                Answer::bare_error(404, text)
            }
            // These are said of documents alone, in their own words.
            Self::FormatUnknown { .. } | Self::Leaf | Self::Nonce | Self::StartRequests | Self::NoEvent { .. } => {
                invalid("The request is invalid")
            }
            Self::NoElement => Answer::bare_error(404, "The requested element was not found"),
            Self::Unavailable { retry_after } => {
                let text = "No token can be obtained at the moment, retry later";
                Answer::error(503, "service_unavailable", text).retry_after(*retry_after)
            }
            Self::RetrievalFailed { logs } => {
                let text =
                    format!("Failed to retrieve token from the Active directory. For details see logs in {logs}");
                Answer::error(500, "unknown", &text)
            }
            Self::Gone => Answer::error(410, "gone", "The service is being updated, retry later"),
            Self::Internal => Answer::error(500, "server_error", "An internal error occurred"),
        }
    }

    /// A word for counters and logs.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Framing(FramingRefusal::Malformed) => "malformed",
            Self::Framing(FramingRefusal::HeadTooLarge) => "head_too_large",
            Self::Framing(FramingRefusal::BodyTooLarge) => "body_too_large",
            Self::Framing(FramingRefusal::Expectation) => "expectation",
            Self::UnknownPath { .. } => "unknown_path",
            Self::UnknownSource { .. } => "unknown_source",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::BodyNotAllowed => "body_not_allowed",
            Self::Host(HostRefusal::Missing) => "host_missing",
            Self::Host(HostRefusal::Several) => "host_several",
            Self::Host(HostRefusal::NotAllowed) => "host_not_allowed",
            Self::CrossOrigin => "cross_origin",
            Self::Forwarded => "forwarded",
            Self::Metadata(MetadataRefusal::Missing) => "metadata_missing",
            Self::Metadata(MetadataRefusal::Several) => "metadata_several",
            Self::Metadata(MetadataRefusal::NotTrue) => "metadata_not_true",
            Self::TooManyRequests => "too_many_requests",
            Self::QueryNotText => "query_not_text",
            Self::ParameterTwice { .. } => "parameter_twice",
            Self::ParameterTooLong { .. } => "parameter_too_long",
            Self::TooManyParameters => "too_many_parameters",
            Self::NotAForm => "not_a_form",
            Self::BodyUnreadable => "body_unreadable",
            Self::ApiVersionMissing => "api_version_missing",
            Self::ApiVersionUnknown { .. } => "api_version_unknown",
            Self::ResourceMissing => "resource_missing",
            Self::ResourceWithSpace => "resource_with_space",
            Self::SeveralSelectors => "several_selectors",
            Self::IdentityNotFound => "identity_not_found",
            Self::SeveralIdentities => "several_identities",
            Self::InvalidResource { .. } => "invalid_resource",
            Self::Authority { .. } => "authority_refused",
            Self::FormatUnknown { .. } => "format_unknown",
            Self::Leaf => "leaf",
            Self::NoElement => "no_element",
            Self::Nonce => "nonce",
            Self::StartRequests => "start_requests",
            Self::NoEvent { .. } => "no_event",
            Self::NoLoadBalancer => "no_load_balancer",
            Self::Unavailable { .. } => "unavailable",
            Self::RetrievalFailed { .. } => "retrieval_failed",
            Self::Gone => "gone",
            Self::Internal => "internal",
        }
    }
}

fn framing(refusal: FramingRefusal) -> Answer {
    match refusal {
        FramingRefusal::Malformed => Answer::error(400, "bad_request", "The request is malformed"),
        FramingRefusal::HeadTooLarge => {
            Answer::error(431, "request_header_fields_too_large", "The request head is too large")
        }
        FramingRefusal::BodyTooLarge => Answer::error(413, "request_too_large", "The request body is too large"),
        FramingRefusal::Expectation => Answer::error(417, "expectation_failed", "Expect is not supported"),
    }
}

/// Clients read this very answer as "here is a metadata service" and send one before each token request, so
/// the connection stays open when the header is missing.
fn metadata(refusal: MetadataRefusal, surface: Surface) -> Answer {
    let code = match surface {
        Surface::Imds => INVALID_REQUEST,
        Surface::Extension => "bad_request_102",
    };
    let answer = Answer::error(400, code, "Required metadata header not specified");
    match refusal {
        MetadataRefusal::Missing => answer.keep_open(),
        MetadataRefusal::Several | MetadataRefusal::NotTrue => answer,
    }
}
