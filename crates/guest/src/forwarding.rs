//! Answers of the metadata service in the extension's shape: what the endpoint gives while its VM is cut over. It holds no
//! credential; whoever still asks here gets what the metadata service would have given.
//!
//! The request is that of MicrosoftDocs/entra-docs `how-to-use-vm-token.md`. A refusal is answered with the extension's own
//! text of it; a token says its own life, which is longer than that of the extension's.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use contract::extension::{FORWARDER, TokenBody, TokenFields, TokenRequest};
use contract::gate::Refusal;
use contract::selector::SelectorKind;
use domain::ClientId;
use http::header::{HOST, RETRY_AFTER, USER_AGENT};
use http::response::Parts;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Deserializer};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use crate::endpoint::NoToken;
use crate::time::Time;

/// The oldest version that knows identities.
const API_VERSION: &str = "2018-02-01";
/// What every tenant has: a token for it proves that one can be had.
const KNOWN_RESOURCE: &str = "https://management.azure.com/";
/// How long an exchange may take. Clients of the extension wait longer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a proof may take in all, with the waits for a metadata service that is asked too much.
const PROOF_BUDGET: Duration = Duration::from_secs(60);
/// How long is waited when a metadata service that is asked too much doesn't say how long.
const REST: Duration = Duration::from_secs(1);
/// The longest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;

/// A VM's metadata service, as the endpoint in that VM asks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forwarding {
    imds: SocketAddr,
}

/// Why the metadata service gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// It couldn't be asked.
    #[error("the metadata service at {imds} does not answer")]
    Unreachable {
        /// Where it is.
        imds: SocketAddr,
        /// The system's answer.
        #[source]
        why: Box<dyn Error + Send + Sync>,
    },
    /// It said no.
    #[error("the metadata service at {imds} answered {status}: {error}: {description}")]
    Refused {
        /// Where it is.
        imds: SocketAddr,
        /// Its status.
        status: StatusCode,
        /// Its word for it.
        error: String,
        /// Its text.
        description: String,
        /// For how long it wants to be left alone, if it said so.
        retry_after: Option<Duration>,
    },
}

impl ForwardError {
    /// How long to wait before the same is asked again; none when that would change nothing.
    fn rest(&self) -> Option<Duration> {
        match self {
            Self::Refused { status, retry_after, .. } if *status == StatusCode::TOO_MANY_REQUESTS => {
                Some(retry_after.unwrap_or(REST))
            }
            Self::Refused { .. } | Self::Unreachable { .. } => None,
        }
    }
}

impl Forwarding {
    /// To the metadata service at an address.
    #[must_use]
    pub fn to(imds: SocketAddr) -> Self {
        Self { imds }
    }

    /// Asks for a token of each identity: whether callers would get from there what they get here. One that was asked too
    /// much is asked again when it says, for a minute in all.
    ///
    /// # Errors
    /// For the first of which there is none.
    pub async fn prove(&self, identities: impl IntoIterator<Item = ClientId>, time: &Time) -> Result<(), ForwardError> {
        let start = time.clock().monotonic();
        for identity in identities {
            let identity = identity.to_string();
            while let Err(why) = self.ask(KNOWN_RESOURCE, Some(("client_id", &identity))).await {
                let left = PROOF_BUDGET.saturating_sub(time.clock().monotonic().since(start));
                match why.rest() {
                    Some(rest) if rest < left => time.pause(rest).await,
                    _ => return Err(why),
                }
            }
        }
        Ok(())
    }

    /// The body of the answer. `who` is told whom the request is for, when there is an answer.
    pub(crate) async fn token(
        &self,
        request: &TokenRequest<'_>,
        who: &mut Option<ClientId>,
    ) -> Result<Vec<u8>, NoToken> {
        let selector = request.selector.as_ref().map(|selector| {
            let name = match selector.kind {
                SelectorKind::ClientId => "client_id",
                SelectorKind::ObjectId => "object_id",
                SelectorKind::ResourceId => "msi_res_id",
            };
            (name, selector.value.as_ref())
        });
        let token = self.ask(&request.resource, selector).await.map_err(refusal)?;
        *who = token.client_id.parse().ok();
        let body = TokenBody::new(&TokenFields {
            access_token: &token.access_token,
            expires_on: token.expires_on,
            not_before: token.not_before,
            resource: &request.resource,
        });
        Ok(body.render(token.expires_in))
    }

    async fn ask(&self, resource: &str, selector: Option<(&str, &str)>) -> Result<Token, ForwardError> {
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let mut uri =
            format!("/metadata/identity/oauth2/token?api-version={API_VERSION}&resource={}", encoded(resource));
        if let Some((name, value)) = selector {
            uri.push_str(&format!("&{name}={}", encoded(value)));
        }
        let unreachable = |why| ForwardError::Unreachable { imds: self.imds, why };
        let exchanged = tokio::time::timeout(TIMEOUT, self.exchange(&uri)).await;
        let (head, body) = match exchanged {
            Ok(exchanged) => exchanged.map_err(unreachable)?,
            Err(late) => return Err(unreachable(late.into())),
        };
        if head.status == StatusCode::OK {
            return serde_json::from_slice(&body).map_err(|_| unreachable("its answer isn't a token".into()));
        }
        let said: Said = serde_json::from_slice(&body).unwrap_or_default();
        let seconds = head.headers.get(RETRY_AFTER).and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        Err(ForwardError::Refused {
            imds: self.imds,
            status: head.status,
            error: said.error,
            description: said.error_description,
            retry_after: seconds.map(Duration::from_secs),
        })
    }

    async fn exchange(&self, uri: &str) -> Result<(Parts, Zeroizing<Vec<u8>>), Box<dyn Error + Send + Sync>> {
        let host = if self.imds.port() == 80 { self.imds.ip().to_string() } else { self.imds.to_string() };
        let request = Request::builder()
            .uri(uri)
            .header(HOST, host)
            .header("Metadata", "true")
            .header(USER_AGENT, format!("{FORWARDER}/{}", env!("CARGO_PKG_VERSION")))
            .body(Empty::<Bytes>::new())?;
        let stream = TcpStream::connect(self.imds).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let exchange = async {
            let answer = sender.send_request(request).await?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await?.to_bytes();
            Ok((head, Zeroizing::new(body.to_vec())))
        };
        tokio::select! {
            biased;
            exchanged = exchange => exchanged,
            ended = connection => Err(ended.err().map_or_else(|| "it hung up".into(), Into::into)),
        }
    }
}

/// What of it is the caller's business, in the extension's words; the rest is the 500 that points at the logs.
fn refusal(error: ForwardError) -> NoToken {
    let ForwardError::Refused { status, error: word, description, .. } = &error else {
        return NoToken::NotForwarded(error);
    };
    match (status.as_u16(), word.as_str()) {
        (429, _) => Refusal::TooManyRequests.into(),
        (400, "invalid_resource" | "invalid_scope") => {
            Refusal::InvalidResource { description: description.clone() }.into()
        }
        (400, "invalid_request") if description.starts_with("Identity not found") => Refusal::IdentityNotFound.into(),
        (400, "invalid_request") if description.starts_with("Multiple user assigned identities exist") => {
            Refusal::SeveralIdentities.into()
        }
        _ => NoToken::NotForwarded(error),
    }
}

/// An answer of the metadata service. Its numbers are text.
#[derive(Deserialize)]
struct Token {
    access_token: Zeroizing<String>,
    #[serde(default)]
    client_id: String,
    #[serde(deserialize_with = "number")]
    expires_in: u64,
    #[serde(deserialize_with = "number")]
    expires_on: i64,
    #[serde(deserialize_with = "number")]
    not_before: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    error: String,
    error_description: String,
}

fn number<'de, D: Deserializer<'de>, N: std::str::FromStr>(deserializer: D) -> Result<N, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| serde::de::Error::custom("not a number"))
}
