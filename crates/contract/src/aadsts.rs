//! Errors of the token endpoint: `AADSTS` codes with their texts, HTTP status and OAuth code.
//!
//! Public sources: MicrosoftDocs/entra-docs `reference-error-codes.md` and `v2-oauth2-device-code.md`,
//! Azure/azure-workload-identity#1200, Azure/login#453 and #517, Azure/azure-cli#22251. The body is the newer,
//! blank-separated form.

use crate::answer::{Answer, json_string};

/// Why the token endpoint says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aadsts {
    /// The secret is wrong.
    InvalidSecret {
        /// The application.
        client_id: String,
    },
    /// The secret has run out.
    ExpiredSecret {
        /// The application.
        client_id: String,
    },
    /// The tenant has no such application.
    UnknownApplication {
        /// What was sent.
        client_id: String,
        /// The tenant.
        tenant: String,
    },
    /// No secret and no assertion.
    NoCredential,
    /// The assertion's signature doesn't verify.
    InvalidSignature,
    /// The assertion names a certificate that isn't registered.
    UnknownKey {
        /// What was sent.
        thumbprint: String,
        /// The application.
        client_id: String,
    },
    /// The assertion is outside of its time.
    AssertionTime,
    /// The assertion can't be read, or says something else than it must.
    InvalidAssertion {
        /// What is wrong.
        reason: String,
    },
    /// No federated credential has this issuer.
    FederatedIssuer(String),
    /// No federated credential of this issuer has this audience.
    FederatedAudience(String),
    /// No federated credential of this issuer has this subject.
    FederatedSubject(String),
    /// Only the letter case keeps a federated credential from matching.
    FederatedCase,
    /// The keys of the external issuer can't be had.
    FederatedKeys {
        /// The issuer.
        issuer: String,
    },
    /// The resource isn't known.
    UnknownResource {
        /// What was asked for.
        resource: String,
        /// The tenant.
        tenant: String,
    },
    /// The scope can't be used.
    InvalidScope {
        /// What was sent.
        scope: String,
    },
    /// The tenant isn't known.
    UnknownTenant {
        /// What was sent.
        tenant: String,
    },
    /// The tenant's name can't be one.
    InvalidTenant {
        /// What was sent.
        tenant: String,
    },
    /// The host isn't one of this authority (instance discovery).
    UnknownInstance,
    /// Nobody has signed in with the user code yet.
    AuthorizationPending,
    /// The same, and the client asks faster than it was told to.
    SlowDown,
    /// The person said no.
    AuthorizationDeclined,
    /// The device code's time is over.
    DeviceCodeExpired,
    /// There is no such device code, or it has been used.
    UnknownDeviceCode,
    /// The refresh token isn't one of this authority for this client and tenant.
    InvalidRefreshToken,
    /// The refresh token is too old.
    RefreshTokenExpired,
    /// What the person signed in with isn't accepted any more.
    RefreshTokenRevoked,
    /// Another grant than those that are served.
    UnsupportedGrant {
        /// What was sent.
        grant: String,
    },
    /// A parameter isn't there.
    MissingParameter {
        /// Its name.
        name: &'static str,
    },
    /// The request can't be read.
    MalformedRequest {
        /// What is wrong.
        reason: String,
    },
}

/// What goes with every error, made by whoever answers.
#[derive(Clone, Debug)]
pub struct Trace<'t> {
    /// A GUID for this answer.
    pub trace_id: &'t str,
    /// The caller's GUID, or one of ours.
    pub correlation_id: &'t str,
    /// `yyyy-MM-dd HH:mm:ssZ`.
    pub timestamp: &'t str,
    /// The authority's base URL.
    pub authority: &'t str,
}

impl Aadsts {
    /// The number, the HTTP status and the OAuth code.
    #[must_use]
    pub fn code(&self) -> (u32, u16, &'static str) {
        match self {
            Self::InvalidSecret { .. } => (7_000_215, 401, "invalid_client"),
            Self::ExpiredSecret { .. } => (7_000_222, 401, "invalid_client"),
            Self::UnknownApplication { .. } => (700_016, 400, "unauthorized_client"),
            Self::NoCredential => (7_000_218, 401, "invalid_client"),
            Self::InvalidSignature => (50_012, 401, "invalid_client"),
            Self::UnknownKey { .. } => (700_027, 401, "invalid_client"),
            Self::AssertionTime => (700_024, 401, "invalid_client"),
            Self::InvalidAssertion { .. } => (50_013, 400, "invalid_grant"),
            Self::FederatedIssuer(_) => (700_211, 401, "invalid_client"),
            Self::FederatedAudience(_) => (700_212, 401, "invalid_client"),
            Self::FederatedSubject(_) => (700_213, 401, "invalid_client"),
            Self::FederatedCase => (7_002_138, 401, "invalid_client"),
            Self::FederatedKeys { .. } => (500_031, 400, "invalid_request"),
            Self::UnknownResource { .. } => (500_011, 400, "invalid_resource"),
            Self::InvalidScope { .. } => (70_011, 400, "invalid_scope"),
            Self::UnknownTenant { .. } => (90_002, 400, "invalid_request"),
            Self::InvalidTenant { .. } => (900_023, 400, "invalid_request"),
            Self::UnknownInstance => (50_049, 400, "invalid_instance"),
            Self::AuthorizationPending => (70_016, 400, "authorization_pending"),
            Self::SlowDown => (70_016, 400, "slow_down"),
            Self::AuthorizationDeclined => (65_004, 400, "authorization_declined"),
            Self::DeviceCodeExpired => (70_020, 400, "expired_token"),
            Self::UnknownDeviceCode => (70_018, 400, "bad_verification_code"),
            Self::InvalidRefreshToken => (70_000, 400, "invalid_grant"),
            Self::RefreshTokenExpired => (700_082, 400, "invalid_grant"),
            Self::RefreshTokenRevoked => (50_173, 400, "invalid_grant"),
            Self::UnsupportedGrant { .. } => (70_003, 400, "unsupported_grant_type"),
            Self::MissingParameter { .. } => (900_144, 400, "invalid_request"),
            Self::MalformedRequest { .. } => (90_015, 400, "invalid_request"),
        }
    }

    fn text(&self) -> String {
        const CHECK: &str = "Please check your federated identity credential Subject, Audience and Issuer against \
                             the presented assertion.";
        match self {
            Self::InvalidSecret { client_id } => format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret \
                 value, not the client secret ID, for a secret added to app '{client_id}'."
            ),
            Self::ExpiredSecret { client_id } => {
                format!("The provided client secret keys for app '{client_id}' are expired.")
            }
            Self::UnknownApplication { client_id, tenant } => format!(
                "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can \
                 happen if the application has not been installed by the administrator of the tenant or consented \
                 to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
            ),
            Self::NoCredential => "The request body must contain the following parameter: 'client_assertion' or \
                                   'client_secret'."
                .to_owned(),
            Self::InvalidSignature => "Client assertion contains an invalid signature.".to_owned(),
            Self::UnknownKey { thumbprint, client_id } => format!(
                "The certificate with identifier used to sign the client assertion is not registered on \
                 application. [Reason - The key was not found., Thumbprint of key used by client: '{thumbprint}', \
                 Client: '{client_id}']"
            ),
            Self::AssertionTime => "Client assertion is not within its valid time range.".to_owned(),
            Self::InvalidAssertion { reason } => format!("Client assertion is not valid: {reason}."),
            Self::FederatedIssuer(value) => {
                format!("No matching federated identity record found for presented assertion issuer '{value}'. {CHECK}")
            }
            Self::FederatedAudience(value) => {
                format!(
                    "No matching federated identity record found for presented assertion audience '{value}'. {CHECK}"
                )
            }
            Self::FederatedSubject(value) => {
                format!(
                    "No matching federated identity record found for presented assertion subject '{value}'. {CHECK}"
                )
            }
            Self::FederatedCase => format!(
                "No matching federated identity record found for presented assertion; a record matches except for \
                 its letter case. {CHECK}"
            ),
            Self::FederatedKeys { issuer } => {
                format!("Cannot find signing certificate configured: the keys of issuer '{issuer}' can't be read.")
            }
            Self::UnknownResource { resource, tenant } => format!(
                "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen \
                 if the application has not been installed by the administrator of the tenant or consented to by any \
                 user in the tenant. You might have sent your authentication request to the wrong tenant."
            ),
            Self::InvalidScope { scope } => format!(
                "The provided request must include a 'scope' input parameter. The provided value for the input \
                 parameter 'scope' is not valid. The scope {scope} is not valid."
            ),
            Self::UnknownTenant { tenant } => format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing \
                 into the correct cloud."
            ),
            Self::InvalidTenant { tenant } => {
                format!(
                    "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain."
                )
            }
            Self::UnknownInstance => "Unknown or invalid instance.".to_owned(),
            Self::AuthorizationPending => {
                "OAuth 2.0 device flow error. Authorization is pending. Continue polling.".to_owned()
            }
            Self::SlowDown => "OAuth 2.0 device flow error. Authorization is pending. Poll more slowly.".to_owned(),
            Self::AuthorizationDeclined => "User declined to consent to access the app.".to_owned(),
            Self::DeviceCodeExpired => "The provided value for the input parameter 'device_code' is not valid. This \
                                        device code has expired."
                .to_owned(),
            Self::UnknownDeviceCode => "The provided value for the input parameter 'device_code' is not valid. This \
                                        code is not known, or it has been used."
                .to_owned(),
            Self::InvalidRefreshToken => {
                "The provided value for the input parameter 'refresh_token' is not valid.".to_owned()
            }
            Self::RefreshTokenExpired => "The refresh token has expired.".to_owned(),
            Self::RefreshTokenRevoked => "The provided grant has expired due to it being revoked, a fresh auth token \
                                          is needed."
                .to_owned(),
            Self::UnsupportedGrant { grant } => {
                format!("The app requested an unsupported grant type '{grant}'.")
            }
            Self::MissingParameter { name } => {
                format!("The request body must contain the following parameter: '{name}'.")
            }
            Self::MalformedRequest { reason } => format!("The request can't be read: {reason}."),
        }
    }

    /// The answer.
    #[must_use]
    pub fn answer(&self, trace: &Trace<'_>) -> Answer {
        let (code, status, error) = self.code();
        let Trace { trace_id, correlation_id, timestamp, authority } = trace;
        let description = format!(
            "AADSTS{code}: {} Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {timestamp}",
            self.text()
        );
        let body = format!(
            "{{\"error\":{},\"error_description\":{},\"error_codes\":[{code}],\"timestamp\":{},\"trace_id\":{},\
             \"correlation_id\":{},\"error_uri\":{}}}",
            json_string(error),
            json_string(&description),
            json_string(timestamp),
            json_string(trace_id),
            json_string(correlation_id),
            json_string(&format!("{authority}/error?code={code}")),
        );
        Answer { status, body: body.into_bytes().into(), allow: None, retry_after: None, close: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_documented_members_in_their_order() {
        let trace = Trace {
            trace_id: "t",
            correlation_id: "c",
            timestamp: "2027-01-15 08:00:00Z",
            authority: "https://localhost:16926",
        };
        let answer = Aadsts::InvalidSignature.answer(&trace);
        assert_eq!(answer.status, 401);
        assert_eq!(
            String::from_utf8(answer.body.into_owned()).unwrap(),
            "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS50012: Client assertion contains an invalid \
             signature. Trace ID: t Correlation ID: c Timestamp: 2027-01-15 08:00:00Z\",\"error_codes\":[50012],\
             \"timestamp\":\"2027-01-15 08:00:00Z\",\"trace_id\":\"t\",\"correlation_id\":\"c\",\
             \"error_uri\":\"https://localhost:16926/error?code=50012\"}"
        );
    }
}
