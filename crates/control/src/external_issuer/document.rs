//! The documents of an external issuer: fetched within limits, read strictly.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use domain::{ExternalIssuer, JwksSource};
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use serde_json::Value;

use super::{ExternalKey, KeysUnavailable};

/// How long the fetch of one document may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest document that is read.
const MAX_DOCUMENT: usize = 256 * 1024;

/// Fetches documents, over https alone and without following anybody elsewhere. Cheap to clone.
#[derive(Clone)]
pub(super) struct Documents {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

impl Documents {
    pub(super) fn trusting(also: &[CertificateDer<'static>]) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        // A machine without roots can still ask issuers whose keys lie in files.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots.add_parsable_certificates(also.iter().cloned());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector =
            hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().build();
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector) })
    }

    pub(super) async fn keys(&self, issuer: &ExternalIssuer) -> Result<Vec<ExternalKey>, KeysUnavailable> {
        match &issuer.jwks {
            JwksSource::Inline(text) => read_keys("in the seed", text.as_bytes()),
            JwksSource::File(path) => {
                let place = path.display().to_string();
                let unreadable =
                    |why: std::io::Error| KeysUnavailable::Document { place: place.clone(), why: why.into() };
                read_keys(&place, &tokio::fs::read(path).await.map_err(unreadable)?)
            }
            JwksSource::Url(url) if url.ends_with("/.well-known/openid-configuration") => {
                let unsound = || KeysUnavailable::Unsound(url.clone());
                let document = contract::jose::object(&self.get(url).await?).map_err(|_| unsound())?;
                let text = |name: &str| document.get(name).and_then(Value::as_str);
                if text("issuer") != Some(&issuer.url) {
                    return Err(unsound());
                }
                let keys = text("jwks_uri").ok_or_else(unsound)?;
                read_keys(keys, &self.get(keys).await?)
            }
            JwksSource::Url(url) => read_keys(url, &self.get(url).await?),
        }
    }

    async fn get(&self, url: &str) -> Result<Bytes, KeysUnavailable> {
        let exchange = async {
            let uri: Uri = url.parse()?;
            let request = Request::get(uri).header("accept", "application/json").body(Empty::new())?;
            let answer = self.client.request(request).await?;
            if !answer.status().is_success() {
                return Err(format!("it answered {}", answer.status()).into());
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(
                Limited::new(answer.into_body(), MAX_DOCUMENT).collect().await?.to_bytes(),
            )
        };
        let fetched = tokio::time::timeout(TIMEOUT, exchange).await.unwrap_or_else(|late| Err(late.into()));
        fetched.map_err(|why| KeysUnavailable::Document { place: url.to_owned(), why })
    }
}

/// The RSA keys of a key set that may sign; others are passed over.
fn read_keys(place: &str, json: &[u8]) -> Result<Vec<ExternalKey>, KeysUnavailable> {
    let unsound = || KeysUnavailable::Unsound(place.to_owned());
    let set = contract::jose::object(json).map_err(|_| unsound())?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or_else(unsound)?;
    Ok(keys.iter().filter_map(read_key).collect())
}

fn read_key(key: &Value) -> Option<ExternalKey> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let for_signing = text("kty") == Some("RSA")
        && text("use").is_none_or(|usage| usage == "sig")
        && text("alg").is_none_or(|alg| alg == "RS256");
    let number = |name: &str| contract::jose::decode(text(name)?);
    for_signing.then(|| Some(ExternalKey { kid: text("kid").map(str::to_owned), n: number("n")?, e: number("e")? }))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rsa_keys_that_may_sign_are_taken() {
        let set = br#"{"keys":[
            {"kty":"RSA","kid":"a","use":"sig","alg":"RS256","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","kid":"b","use":"enc","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","kid":"c","alg":"RS512","n":"AQAB","e":"AQAB"},
            {"kty":"EC","kid":"d","crv":"P-256","x":"AQAB","y":"AQAB"},
            {"kty":"RSA","kid":"e","n":"!","e":"AQAB"}
        ]}"#;
        let kids: Vec<_> = read_keys("x", set).unwrap().into_iter().map(|key| key.kid).collect();
        assert_eq!(kids, [Some("a".to_owned()), None]);
        for wrong in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
            assert!(read_keys("x", wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
