//! The certificate of the local CA, where the certificate of attested documents says that its issuer's is to be had: DER over
//! plain HTTP (RFC 5280 §4.2.2.1, RFC 2585 §4.2).

use std::net::SocketAddr;

use control::attestation::Naming;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use rustls_pki_types::CertificateDer;

use super::plain::{Plain, text};

/// A CA's certificate at its path. Cheap to clone.
#[derive(Clone)]
pub(crate) struct IssuerCertificate {
    path: String,
    der: Bytes,
}

impl IssuerCertificate {
    /// Serves a certificate where a naming says that it is to be had, which it must.
    pub(crate) fn of(naming: &Naming, der: &CertificateDer<'_>) -> Option<Self> {
        let url: Uri = naming.issuer_url.as_deref()?.parse().ok()?;
        Some(Self { path: url.path().to_owned(), der: Bytes::copy_from_slice(der) })
    }

    /// Where it is, at the address that it is served at.
    pub(crate) fn url(&self, address: SocketAddr) -> String {
        format!("http://{address}{}", self.path)
    }
}

impl Plain for IssuerCertificate {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.uri().path() != self.path {
            return text(StatusCode::NOT_FOUND, format!("there is {}\n", self.path));
        }
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here\n".to_owned());
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let mut response = Response::new(Full::new(self.der.clone()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/pkix-cert"));
        response
    }
}

/// Reads the URL of an issuer's certificate: plain HTTP, as whoever checks a certificate must not have to check another first.
pub(crate) fn url(text: &str) -> Result<String, String> {
    let is_one = |url: Uri| url.scheme_str() == Some("http") && url.path() != "/" && url.query().is_none();
    match text.parse().ok().filter(|url: &Uri| url.host().is_some()).is_some_and(is_one) {
        true => Ok(text.to_owned()),
        false => Err("it is not a URL such as http://host.example/ca.cer".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_http_with_a_host_and_a_path() {
        assert!(url("http://www.microsoft.com/pki/ca.cer").is_ok());
        for wrong in
            ["", "ca.cer", "/ca.cer", "https://a.example/ca.cer", "http://a.example", "http:///ca.cer", "http://a/b?c"]
        {
            assert!(url(wrong).is_err(), "{wrong}");
        }
    }
}
