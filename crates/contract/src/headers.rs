//! Names of headers that decide something, in one place. Comparison is case-insensitive, as HTTP has it.

use http::HeaderName;

/// Must be there exactly once with the value `true`: a request that was forged through a browser or a
/// naive proxy can't set it (MicrosoftDocs/entra-docs `how-to-use-vm-token.md`).
pub const METADATA: HeaderName = HeaderName::from_static("metadata");
/// A request that came through a proxy is refused (MicrosoftDocs/azure-compute-docs
/// `instance-metadata-service.md`).
pub const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Set by browsers on cross-origin requests.
pub const ORIGIN: HeaderName = http::header::ORIGIN;
/// Set by browsers on every request. Its sibling `Sec-Fetch-Mode` is sent by Node's `fetch` and decides
/// nothing.
pub const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The name that the caller believes it talks to.
pub const HOST: HeaderName = http::header::HOST;

/// The version of the guest-agent protocol (Azure/WALinuxAgent `wire.py`, `hostplugin.py`).
pub const X_MS_VERSION: HeaderName = HeaderName::from_static("x-ms-version");
/// The container that a guest agent believes it is in; it decides nothing about who asks.
pub const X_MS_CONTAINER_ID: HeaderName = HeaderName::from_static("x-ms-containerid");
/// The certificate that a guest agent wants its VM's certificates sealed to, base64 of DER.
pub const X_MS_GUEST_AGENT_CERTIFICATE: HeaderName = HeaderName::from_static("x-ms-guest-agent-public-x509-cert");
/// The address of a package that a guest agent wants to have fetched.
pub const X_MS_ARTIFACT_LOCATION: HeaderName = HeaderName::from_static("x-ms-artifact-location");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_in_any_case() {
        for (name, spellings) in [
            (METADATA, ["Metadata", "METADATA", "metadata"]),
            (X_FORWARDED_FOR, ["X-Forwarded-For", "x-forwarded-FOR", "X-FORWARDED-FOR"]),
            (SEC_FETCH_SITE, ["Sec-Fetch-Site", "sec-fetch-site", "SEC-FETCH-SITE"]),
        ] {
            for spelling in spellings {
                assert_eq!(HeaderName::from_bytes(spelling.as_bytes()).unwrap(), name);
            }
        }
    }
}
