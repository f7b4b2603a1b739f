//! The control plane of a running `up`, over TLS, as a client that knows the admin's secret.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::*;

/// A client of one `up`.
pub(crate) struct Arm {
    address: String,
    config: Arc<ClientConfig>,
    token: String,
    /// `/subscriptions/{id}/resourceGroups/dev/providers`.
    pub(crate) providers: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let line = self.head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
        line.split_once(':').map(|(_, value)| value.trim())
    }
}

impl Arm {
    /// Signs in.
    pub(crate) fn of(ready: &Value) -> Self {
        let mut roots = RootCertStore::empty();
        let pem = std::fs::read(ready["caFile"].as_str().unwrap()).unwrap();
        roots.add(rustls::pki_types::CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        let address = ready["arm"].as_str().unwrap().trim_start_matches("https://").to_owned();
        let subscription = ready["subscriptionId"].as_str().unwrap();
        let providers = format!("/subscriptions/{subscription}/resourceGroups/dev/providers");
        let mut arm = Self { address, config, token: String::new(), providers };
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope=https%3A%2F%2F{}%2F%2F.default",
            ready["admin"]["clientId"].as_str().unwrap(),
            ready["admin"]["clientSecret"].as_str().unwrap(),
            arm.address.replace(':', "%3A")
        );
        let path = format!("/{}/oauth2/v2.0/token", ready["tenantId"].as_str().unwrap());
        let answer = arm.exchange("POST", &path, "application/x-www-form-urlencoded", &form).expect("an answer");
        arm.token = answer.body["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
        arm
    }

    /// The same with a token of its own.
    pub(crate) fn with_token(self, token: String) -> Self {
        Self { token, ..self }
    }

    /// Its token.
    pub(crate) fn token(&self) -> String {
        self.token.clone()
    }

    /// Sends a request; nothing when the server is gone.
    pub(crate) fn try_send(&self, method: &str, path: &str, body: &Value) -> Option<Answer> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let text = if body.is_null() { String::new() } else { body.to_string() };
        self.exchange(method, &format!("{path}{mark}api-version=2024-11-01"), "application/json", &text)
    }

    /// Sends a request.
    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let answer = self.try_send(method, path, body).expect("an answer");
        assert!(answer.status < 500, "{method} {path}: {answer:?}");
        answer
    }

    /// Sends a request and follows its operation to the end; the state it ends in.
    pub(crate) fn done(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.send(method, path, body);
        assert!(answer.status < 300, "{method} {path}: {answer:?}");
        let url = answer.header("azure-asyncoperation").or(answer.header("location"));
        url.map_or(Value::from("Succeeded"), |url| self.follow(url))
    }

    /// Follows an operation to its end; the state it ends in, or its error's code.
    pub(crate) fn follow(&self, url: &str) -> Value {
        self.try_follow(url).expect("an answer")
    }

    /// The same, also from another process than the one that began it; nothing when the server is gone.
    pub(crate) fn try_follow(&self, url: &str) -> Option<Value> {
        let (_, below) = url.split_once("/subscriptions/").expect("a path of the control plane");
        let path = format!("/subscriptions/{below}");
        eventually(&format!("{url} ends"), || {
            let Some(answer) = self.exchange("GET", &path, "application/json", "") else { return Some(None) };
            match answer.body["status"].as_str() {
                Some("InProgress" | "Running" | "Accepted") => None,
                None if answer.status == 202 => None,
                None => Some(Some(Value::from("Succeeded"))),
                Some(_) if answer.body["error"].is_object() => Some(Some(answer.body["error"]["code"].clone())),
                Some(_) => Some(Some(answer.body["status"].clone())),
            }
        })
    }

    fn exchange(&self, method: &str, path: &str, kind: &str, body: &str) -> Option<Answer> {
        let socket = TcpStream::connect(self.address.replace("localhost", "127.0.0.1")).ok()?;
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = StreamOwned::new(ClientConnection::new(Arc::clone(&self.config), name).unwrap(), socket);
        let authorization =
            if self.token.is_empty() { String::new() } else { format!("Authorization: Bearer {}\r\n", self.token) };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{authorization}Content-Type: {kind}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        // A server that was killed closes without a word.
        drop(stream.read_to_end(&mut answer));
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).ok()? };
        Some(Answer { status, head: head.to_owned(), body })
    }
}
