//! The client of an authority across the network: `POST {authority}/{tenant}/oauth2/v2.0/token` over TLS.
//!
//! It knows the OAuth form and its answers, not who signs in: the caller brings a signed client assertion
//! (MicrosoftDocs/entra-docs `v2-oauth2-client-creds-grant-flow.md`, `certificate-credentials.md`).

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{ClientId, TenantId, Timestamp};
use http::header::{CONTENT_TYPE, DATE, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::RootCertStore;
use serde::Deserialize;
use uuid::Uuid;

use crate::credential::Credential;
use crate::https::{self, HttpsClient, Schemes};
use crate::names::{Resolve, SystemNames};
use crate::source::{AccessToken, Minted, SourceError};

/// The longest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;

/// A client of one authority. Cheap to clone; connections are kept and shared.
#[derive(Clone)]
pub struct AuthorityClient {
    base: Arc<str>,
    client: HttpsClient,
    timeout: Duration,
}

/// Why a client couldn't be made.
#[derive(Debug, thiserror::Error)]
#[error("'{base}' is not the URL of an authority: it must be https with a host and no path")]
pub struct InvalidAuthority {
    base: String,
}

impl AuthorityClient {
    /// A client of the authority at `base` (`https://host:port`), whose certificate must chain to `roots`.
    /// One exchange may take `timeout` in all.
    ///
    /// # Errors
    /// When `base` is not an https URL with an empty path.
    pub fn new(base: &str, roots: RootCertStore, timeout: Duration) -> Result<Self, InvalidAuthority> {
        Self::with_names(base, roots, timeout, Arc::new(SystemNames))
    }

    /// The same, with names of hosts resolved otherwise than by the system's library.
    ///
    /// # Errors
    /// As [`AuthorityClient::new`].
    pub fn with_names(
        base: &str,
        roots: RootCertStore,
        timeout: Duration,
        names: Arc<dyn Resolve>,
    ) -> Result<Self, InvalidAuthority> {
        let trimmed = base.trim_end_matches('/');
        let uri: Option<Uri> = trimmed.parse().ok();
        let sound = uri.is_some_and(|uri| {
            uri.scheme_str() == Some("https") && uri.host().is_some() && matches!(uri.path(), "" | "/")
        });
        if !sound {
            return Err(InvalidAuthority { base: base.to_owned() });
        }
        let client = https::client(roots, names, Schemes::Https, timeout);
        let client = client.map_err(|_| InvalidAuthority { base: base.to_owned() })?;
        Ok(Self { base: trimmed.into(), client, timeout })
    }

    /// The token endpoint of a tenant: also the audience of a client assertion.
    #[must_use]
    pub fn token_endpoint(&self, tenant: TenantId) -> String {
        format!("{}/{tenant}/oauth2/v2.0/token", self.base)
    }

    /// Whether somebody answers who is the authority: any answer counts, over TLS that proves it. What time it is by the
    /// answer, if it says so.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`] when there is none in time.
    pub async fn reach(&self) -> Result<Option<Timestamp>, SourceError> {
        let request = Request::builder().uri(format!("{}/", self.base)).body(Full::default());
        let request = request.map_err(|why| SourceError::Internal(Arc::new(why)))?;
        match tokio::time::timeout(self.timeout, self.client.request(request)).await {
            Ok(Ok(answer)) => Ok(date(answer.headers())),
            Ok(Err(why)) => Err(self.unreachable(why.into())),
            Err(late) => Err(self.unreachable(late.into())),
        }
    }

    /// Signs in with a credential, at this time, and gets a token for `resource`.
    ///
    /// # Errors
    /// As [`AuthorityClient::client_credentials`], and when the credential can't sign.
    pub async fn sign_in(
        &self,
        credential: Arc<Credential>,
        now: Timestamp,
        resource: &str,
    ) -> Result<Minted, SourceError> {
        let (tenant, client_id) = (credential.identity.tenant, credential.identity.client_id);
        let audience = self.token_endpoint(tenant);
        let assertion = tokio::task::spawn_blocking(move || credential.assertion(&audience, now, Uuid::new_v4()))
            .await
            .map_err(|why| SourceError::Internal(Arc::new(why)))?
            .map_err(|why| SourceError::Internal(Arc::new(why)))?;
        self.client_credentials(tenant, client_id, &assertion, resource).await
    }

    /// Exchanges a client assertion for a token for `resource`, which is kept byte for byte.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`] when there is no sound answer in time, [`SourceError::Refused`] when the
    /// authority says no.
    pub async fn client_credentials(
        &self,
        tenant: TenantId,
        client_id: ClientId,
        assertion: &str,
        resource: &str,
    ) -> Result<Minted, SourceError> {
        let form = format!(
            "client_id={client_id}&scope={}&grant_type=client_credentials&client_assertion_type={}&client_assertion={}",
            encode(&format!("{resource}/.default")),
            encode("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            encode(assertion),
        );
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.token_endpoint(tenant))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(USER_AGENT, concat!("symbolon/", env!("CARGO_PKG_VERSION")))
            .body(Full::from(form))
            .map_err(|why| SourceError::Internal(Arc::new(why)))?;
        let exchange = async {
            let answer = self.client.request(request).await?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await?.to_bytes();
            Ok::<_, Box<dyn Error + Send + Sync>>((status, body))
        };
        let answered = match tokio::time::timeout(self.timeout, exchange).await {
            Ok(answered) => answered,
            Err(late) => Err(late.into()),
        };
        let (status, body) = answered.map_err(|why| self.unreachable(why))?;
        self.read(status, &body)
    }

    fn read(&self, status: StatusCode, body: &[u8]) -> Result<Minted, SourceError> {
        if status == StatusCode::OK {
            let answer: TokenAnswer = serde_json::from_slice(body).map_err(|why| self.unreachable(why.into()))?;
            let (not_before, expires_on) =
                life(&answer.access_token).ok_or_else(|| self.unreachable("the token has no nbf or exp".into()))?;
            return Ok(Minted { access_token: AccessToken::new(answer.access_token), not_before, expires_on });
        }
        match serde_json::from_slice::<ErrorAnswer>(body) {
            Ok(answer) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
                Err(SourceError::Refused { error: answer.error, description: answer.error_description })
            }
            Ok(_) | Err(_) => Err(self.unreachable(format!("it answered {status}").into())),
        }
    }

    fn unreachable(&self, why: Box<dyn Error + Send + Sync>) -> SourceError {
        SourceError::Unreachable { authority: self.base.to_string(), why: why.into() }
    }
}

/// When an answer was made, by the clock of whoever made it (RFC 9110, 6.6.1); none where it doesn't say so soundly.
#[must_use]
pub fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::parse(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(Timestamp::from_unix(date.timestamp().as_second()))
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: String,
    #[serde(default)]
    error_description: String,
}

#[derive(Deserialize)]
struct Life {
    nbf: i64,
    exp: i64,
}

/// What a token says of its own life. Its signature is the relying party's business.
fn life(jwt: &str) -> Option<(Timestamp, Timestamp)> {
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    let life: Life = serde_json::from_slice(&payload).ok()?;
    Some((Timestamp::from_unix(life.nbf), Timestamp::from_unix(life.exp)))
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_without_a_path_is_an_authority() {
        let roots = RootCertStore::empty;
        for wrong in ["http://localhost:1", "https://", "https://h/tenant", "localhost:1", ""] {
            assert!(AuthorityClient::new(wrong, roots(), Duration::from_secs(1)).is_err(), "{wrong}");
        }
        let client = AuthorityClient::new("https://localhost:16926/", roots(), Duration::from_secs(1)).unwrap();
        let tenant = "00000000-0000-4000-8000-000000000001".parse().unwrap();
        assert_eq!(
            client.token_endpoint(tenant),
            "https://localhost:16926/00000000-0000-4000-8000-000000000001/oauth2/v2.0/token"
        );
    }

    #[test]
    fn a_refusal_is_told_from_an_outage() {
        let client = AuthorityClient::new("https://a", RootCertStore::empty(), Duration::from_secs(1)).unwrap();
        let body = br#"{"error":"invalid_client","error_description":"AADSTS700027: no"}"#;
        assert!(matches!(client.read(StatusCode::UNAUTHORIZED, body), Err(SourceError::Refused { .. })));
        assert!(matches!(client.read(StatusCode::SERVICE_UNAVAILABLE, body), Err(SourceError::Unreachable { .. })));
        assert!(matches!(client.read(StatusCode::OK, b"<html>"), Err(SourceError::Unreachable { .. })));
        assert!(matches!(client.read(StatusCode::BAD_REQUEST, b""), Err(SourceError::Unreachable { .. })));
    }

    #[test]
    fn the_time_of_an_answer_is_read_or_unknown() {
        let of = |text: &str| date(&HeaderMap::from_iter([(DATE, text.parse().unwrap())]));
        // The example of RFC 9110, 5.6.7.
        assert_eq!(of("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Timestamp::from_unix(784_111_777)));
        for wrong in ["", "now", "Sun, 32 Nov 1994 08:49:37 GMT", "784111777"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        assert_eq!(date(&HeaderMap::new()), None);
    }

    async fn ask(address: std::net::SocketAddr, timeout: Duration) -> SourceError {
        let client = AuthorityClient::new(&format!("https://{address}"), RootCertStore::empty(), timeout).unwrap();
        let id = "00000000-0000-4000-8000-000000000001";
        client.client_credentials(id.parse().unwrap(), id.parse().unwrap(), "a.b.c", "r").await.map(drop).unwrap_err()
    }

    #[tokio::test]
    async fn an_authority_that_does_not_listen_is_told_at_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        // Far beyond the patience of any test: the refusal ends the exchange, not the time.
        let error = ask(address, Duration::from_secs(3_600)).await;
        assert!(matches!(&error, SourceError::Unreachable { authority, .. } if authority.contains("127.0.0.1")));
    }

    struct OneHost(std::net::IpAddr);

    impl Resolve for OneHost {
        fn resolve(
            &self,
            host: &str,
        ) -> futures_util::future::BoxFuture<'static, std::io::Result<Vec<std::net::IpAddr>>> {
            let found =
                if host == "authority.test" { Ok(vec![self.0]) } else { Err(std::io::ErrorKind::NotFound.into()) };
            Box::pin(std::future::ready(found))
        }
    }

    #[tokio::test]
    async fn names_are_resolved_as_the_program_says() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let base = format!("https://authority.test:{}", address.port());
        let names = Arc::new(OneHost(address.ip()));
        let client = AuthorityClient::with_names(&base, RootCertStore::empty(), Duration::from_secs(3_600), names);
        let client = client.unwrap();
        // It is found, and says something that isn't TLS.
        let (error, taken) = tokio::join!(client.reach(), async {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        });
        let () = taken;
        assert!(matches!(error, Err(SourceError::Unreachable { .. })));
    }

    #[tokio::test]
    async fn an_authority_that_stalls_is_waited_for_within_bounds() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // It takes the connection, reads the greeting and says nothing.
        let silent = tokio::spawn(async move { listener.accept().await.unwrap() });
        let error = ask(address, Duration::from_millis(50)).await;
        let SourceError::Unreachable { why, .. } = error else { panic!("{error}") };
        assert!(why.is::<tokio::time::error::Elapsed>(), "{why}");
        drop(silent.await.unwrap());
    }
}
