//! A host on loopback: the four routes that the agent asks, and packages.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::guest_agent::status_blob::StatusBlob;
use contract::guest_agent::{GoalState, WantedExtension};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone)]
pub(crate) struct FakeHost {
    pub(crate) wire: SocketAddr,
    pub(crate) plugin: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    goal: GoalState,
    files: HashMap<String, Vec<u8>>,
    /// The machine's certificate and key.
    certificate: (Vec<u8>, Vec<u8>),
    /// What was said, the last last.
    statuses: Vec<StatusBlob>,
    /// Where the last of it is to go.
    told_to: String,
    /// The first lines of what was asked.
    asked: Vec<String>,
    /// What the HostGAPlugin answers instead, so many times.
    refusals: Vec<u16>,
}

impl FakeHost {
    pub(crate) async fn start() -> Self {
        let (wire, plugin) = (listener().await, listener().await);
        let addresses = [&wire, &plugin].map(|listener| listener.local_addr().expect("an address"));
        let (certificate, key) = envelope::self_signed("Tenant", 1_700_000_000, 4_000_000_000).expect("a key");
        let text = str::to_owned;
        let goal = GoalState {
            incarnation: 0,
            etag: text("0"),
            ticks: 1,
            activity_id: text("70000000-0000-4000-8000-000000000001"),
            container_id: text("container-1"),
            deployment_id: text("deployment-1"),
            vm_name: text("dev"),
            vm_id: text("50000000-0000-4000-8000-000000000001"),
            subscription_id: text("s"),
            resource_group: text("g"),
            location: text("l"),
            vm_size: text("z"),
            extensions: Vec::new(),
            status_blob_url: text("http://blob/status?sr=b&sig=x"),
            base_url: format!("http://{}", addresses[0]),
            has_certificates: true,
        };
        let state = State {
            goal,
            files: HashMap::new(),
            certificate: (certificate, key.to_vec()),
            statuses: Vec::new(),
            told_to: String::new(),
            asked: Vec::new(),
            refusals: Vec::new(),
        };
        let host = Self { wire: addresses[0], plugin: addresses[1], state: Arc::new(Mutex::new(state)) };
        for listener in [wire, plugin] {
            let host = host.clone();
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(host.clone(), stream));
                }
            });
        }
        host
    }

    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut GoalState) -> T) -> T {
        f(&mut self.state.lock().expect("held by nobody who failed").goal)
    }

    /// Wants these extensions from now on; the number of the goal state.
    pub(crate) fn want(&self, extensions: Vec<WantedExtension>) -> u64 {
        self.with(|goal| {
            goal.incarnation += 1;
            goal.etag = format!("\"{}\"", goal.incarnation);
            goal.extensions = extensions;
            goal.incarnation
        })
    }

    pub(crate) fn put(&self, path: &str, bytes: Vec<u8>) -> String {
        self.state.lock().expect("held by nobody who failed").files.insert(path.to_owned(), bytes);
        format!("http://{}{path}", self.wire)
    }

    pub(crate) fn certificate(&self) -> Vec<u8> {
        self.state.lock().expect("held by nobody who failed").certificate.0.clone()
    }

    pub(crate) fn renew_certificate(&self) {
        let (certificate, key) = envelope::self_signed("Tenant", 1_700_000_000, 4_000_000_000).expect("a key");
        self.state.lock().expect("held by nobody who failed").certificate = (certificate, key.to_vec());
    }

    pub(crate) fn refuse(&self, statuses: &[u16]) {
        self.state.lock().expect("held by nobody who failed").refusals = statuses.to_vec();
    }

    /// The last status, if there is any.
    pub(crate) fn status(&self) -> Option<StatusBlob> {
        self.state.lock().expect("held by nobody who failed").statuses.last().cloned()
    }

    pub(crate) fn statuses(&self) -> Vec<StatusBlob> {
        self.state.lock().expect("held by nobody who failed").statuses.clone()
    }

    pub(crate) fn told_to(&self) -> String {
        self.state.lock().expect("held by nobody who failed").told_to.clone()
    }

    pub(crate) fn asked(&self, start: &str) -> usize {
        let state = self.state.lock().expect("held by nobody who failed");
        state.asked.iter().filter(|line| line.starts_with(start)).count()
    }

    /// The answer to a request: its status, the headers of its own, its body.
    fn answer(&self, head: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
        let line = head.lines().next().expect("a line");
        let mut words = line.split(' ');
        let (method, target) = (words.next().expect("a method"), words.next().expect("a target"));
        let header = |name: &str| {
            head.lines().find_map(|line| {
                let (found, value) = line.split_once(':')?;
                found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let mut state = self.state.lock().expect("held by nobody who failed");
        state.asked.push(line.to_owned());
        let plain = |status| (status, String::new(), Vec::new());
        let to_plugin = target.starts_with("/vmSettings") || target.starts_with("/status");
        if to_plugin {
            assert_eq!(header("x-ms-version").as_deref(), Some("2015-09-01"), "{head}");
            if let Some(refusal) = state.refusals.pop() {
                return plain(refusal);
            }
            if header("x-ms-containerid") != Some(state.goal.container_id.clone()) {
                return plain(410);
            }
        }
        match (method, target) {
            ("GET", "/vmSettings") if header("if-none-match").as_ref() == Some(&state.goal.etag) => plain(304),
            ("GET", "/vmSettings") => {
                (200, format!("ETag: {}\r\n", state.goal.etag), state.goal.vm_settings().into_bytes())
            }
            ("PUT", "/status") => {
                let blob = StatusBlob::parse_call(body).expect("a status").expect("content");
                state.statuses.push(blob);
                let call: serde_json::Value = serde_json::from_slice(body).expect("JSON");
                state.told_to = call["requestUri"].as_str().expect("a URL").to_owned();
                plain(200)
            }
            ("GET", "/machine/?comp=goalstate") => (200, String::new(), state.goal.xml().into_bytes()),
            ("GET", target) if target.contains("comp=certificates") => {
                let agent = STANDARD.decode(header("x-ms-guest-agent-public-x509-cert").expect("a certificate"));
                let (certificate, key) = &state.certificate;
                let pfx = envelope::pfx(certificate, key).expect("a PFX");
                let sealed = envelope::seal(&agent.expect("base64"), &pfx).expect("sealed");
                (200, String::new(), state.goal.certificates_xml(&STANDARD.encode(sealed)).into_bytes())
            }
            ("GET", target) => match state.files.get(target) {
                Some(bytes) => (200, String::new(), bytes.clone()),
                None => plain(404),
            },
            _ => plain(405),
        }
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

async fn serve(host: FakeHost, mut stream: TcpStream) -> Option<()> {
    loop {
        let (head, body) = request(&mut stream).await?;
        let (status, headers, body) = host.answer(&head, &body);
        let head = format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(&body).await.ok()?;
    }
}

async fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        stream.read_buf(&mut bytes).await.ok().filter(|length| *length > 0)?;
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        let body = &bytes[end + 4..];
        if body.len() >= length.unwrap_or(0) {
            return Some((head, body.to_vec()));
        }
    }
}
