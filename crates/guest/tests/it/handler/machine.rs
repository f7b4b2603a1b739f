//! A machine below a folder: what an agent puts there, and what is found there.

use std::fs;
use std::io::ErrorKind::AddrInUse;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use contract::guest_agent::Protected;
use contract::guest_agent::handler::{HandlerEnvironment, Settings};
use contract::guest_agent::protected::{Authority, Identity, Kind, ManagedIdentity};
use serde_json::{Value, json};
use testkit::fixtures;
use testkit::raw::exchange;
use tokio::process::Command;

use super::authority::FakeAuthority;
use crate::key;

pub(crate) const NAME: &str = "Microsoft.ManagedIdentity.ManagedIdentityExtensionForLinux";

pub(crate) struct Machine {
    folder: tempfile::TempDir,
    /// The version whose commands are run.
    pub(crate) version: &'static str,
    pub(crate) authority: FakeAuthority,
    /// The certificate that protected settings are sealed to.
    certificate: Vec<u8>,
    pub(crate) port: u16,
}

impl Machine {
    /// With version 1.0.0.0 unpacked, and a key for protected settings.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let (certificate, key) =
            envelope::self_signed("TenantEncryptionCert", 1_700_000_000, 4_000_000_000).expect("a key");
        let machine = Self {
            folder,
            version: "1.0.0.0",
            authority: FakeAuthority::start().await,
            certificate,
            port: free_port(),
        };
        machine.unpack("1.0.0.0");
        let thumbprint = machine.thumbprint();
        let pem = |label: &str, der: &[u8]| {
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
        };
        fs::write(machine.home().join(format!("{thumbprint}.crt")), pem("CERTIFICATE", &machine.certificate))
            .expect("written");
        fs::write(machine.home().join(format!("{thumbprint}.prv")), pem("PRIVATE KEY", &key)).expect("written");
        machine
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root().join("var/lib/waagent")
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.root().join("var/log/azure").join(NAME)
    }

    pub(crate) fn identities(&self) -> PathBuf {
        self.root().join("var/lib/symbolon/identities")
    }

    /// The folder of the handler's version.
    pub(crate) fn handler(&self) -> PathBuf {
        self.home().join(format!("{NAME}-{}", self.version))
    }

    /// What an agent does with a package of some version.
    pub(crate) fn unpack(&self, version: &str) {
        let folder = self.home().join(format!("{NAME}-{version}"));
        for name in ["bin", "config", "status"] {
            fs::create_dir_all(folder.join(name)).expect("made");
        }
        // One file under two names: the program finds itself by the name it was started by.
        fs::hard_link(env!("CARGO_BIN_EXE_symbolon-guest"), folder.join("bin/symbolon-guest")).expect("linked");
        let at = |name: &str| folder.join(name).display().to_string();
        let environment = HandlerEnvironment {
            log_folder: self.logs().display().to_string(),
            config_folder: at("config"),
            status_folder: at("status"),
            heartbeat_file: at("heartbeat.log"),
            events_folder: None,
        };
        fs::write(folder.join("HandlerEnvironment.json"), environment.text(NAME)).expect("written");
    }

    pub(crate) fn thumbprint(&self) -> String {
        envelope::thumbprint(&self.certificate)
    }

    /// Settings with the machine's port, and the credentials of these identities of the fixtures.
    pub(crate) fn settings(&self, number: u64, identities: &[usize]) {
        self.settings_with(
            number,
            &json!({"port": self.port}),
            Some(&self.credentials(&self.authority.url(), identities)),
        );
    }

    pub(crate) fn settings_with(&self, number: u64, public: &Value, protected: Option<&ManagedIdentity>) {
        let protected = protected.map(|protected| {
            let sealed = envelope::seal(&self.certificate, protected.beside("{}").as_bytes()).expect("sealed");
            Protected { cms_base64: STANDARD.encode(sealed), thumbprint: self.thumbprint() }
        });
        let text = Settings { public: Some(public.clone()), protected }.text();
        self.settings_text(number, &text);
    }

    pub(crate) fn settings_text(&self, number: u64, text: &str) {
        fs::write(self.handler().join(format!("config/{number}.settings")), text).expect("written");
    }

    pub(crate) fn credentials(&self, authority: &str, identities: &[usize]) -> ManagedIdentity {
        let certificates = self.authority.certificate.clone();
        ManagedIdentity {
            authority: Authority { url: authority.to_owned(), certificates },
            vm: fixtures::vm_id().to_string(),
            identities: identities.iter().map(|number| identity(*number)).collect(),
            cutover: None,
        }
    }

    /// A command, with nothing in its environment.
    pub(crate) fn command(&self, command: &str) -> Command {
        let mut program = Command::new(self.handler().join("bin/symbolon-guest"));
        program.arg(command).env_clear().current_dir(self.handler()).stdin(Stdio::null()).kill_on_drop(true);
        program
    }

    /// Runs a command as an agent does, for the settings with this number.
    pub(crate) async fn run(&self, command: &str, number: u64) -> Output {
        let output = self.command(command).env("ConfigSequenceNumber", number.to_string()).output().await.expect("run");
        assert_says_no_secret(&output);
        output
    }

    /// Runs a command that must do.
    pub(crate) async fn done(&self, command: &str, number: u64) {
        let output = self.run(command, number).await;
        assert_eq!(output.status.code(), Some(0), "{command}: {output:?}\n{}", self.log());
    }

    /// Runs a command that must fail: its exit code, which the status has too, and the status's words.
    pub(crate) async fn failed(&self, command: &str, number: u64) -> (i32, String) {
        let output = self.run(command, number).await;
        let code = output.status.code().expect("it ended by itself");
        assert_ne!(code, 0, "{output:?}");
        let status = self.status(number);
        assert_eq!((status.word.as_str(), status.code), ("error", i64::from(code)), "{status:?}");
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(said, format!("{code}: {}\n", status.message));
        (code, status.message)
    }

    pub(crate) fn status(&self, number: u64) -> Status {
        let text = fs::read(self.handler().join(format!("status/{number}.status"))).expect("a status");
        let read: Value = serde_json::from_slice(&text).expect("JSON");
        let status = &read[0]["status"];
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        Status {
            word: text(&status["status"]),
            operation: text(&status["operation"]),
            code: status["code"].as_i64().expect("a number"),
            message: text(&status["formattedMessage"]["message"]),
        }
    }

    /// Asks the endpoint for a token: whose it is, or the refusal.
    pub(crate) async fn token(&self, selector: &str) -> Result<String, String> {
        token(self.port, selector).await
    }

    /// Asks the endpoint for a token: the body of the answer.
    pub(crate) async fn answer(&self, selector: &str) -> String {
        answer(self.port, selector).await.expect("an answer")
    }

    /// Whether anybody listens.
    pub(crate) fn listens(&self) -> bool {
        std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    /// The process that serves, which must be there.
    pub(crate) fn serving(&self) -> i32 {
        self.process("endpoint").expect("an endpoint")
    }

    /// The process that watches over it, which must be there.
    pub(crate) fn watching(&self) -> i32 {
        self.process("watch").expect("one that watches")
    }

    /// The process that a file tells of; none while it is being written.
    pub(crate) fn process(&self, file: &str) -> Option<i32> {
        let text = fs::read(self.root().join("var/lib/symbolon").join(file)).ok()?;
        let read: Value = serde_json::from_slice(&text).ok()?;
        i32::try_from(read["process"]["pid"].as_i64()?).ok()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.logs().join("handler.log")).unwrap_or_default()
    }

    pub(crate) fn discovery_files(&self) -> [PathBuf; 2] {
        ["var/lib/waagent", "run/symbolon"].map(|folder| self.root().join(folder).join("ManagedIdentity-Settings"))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(EndpointOf(self.home()));
    }
}

/// Whatever a test leaves: the process that serves from below a folder, which it started, goes with this.
pub(crate) struct EndpointOf(pub(crate) PathBuf);

impl Drop for EndpointOf {
    fn drop(&mut self) {
        for process in fs::read_dir("/proc").expect("processes").flatten() {
            let path = fs::read_link(process.path().join("exe")).unwrap_or_default();
            let pid = process.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw)
                && path.starts_with(&self.0)
            {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

/// A status file, as far as tests look.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) word: String,
    pub(crate) operation: String,
    pub(crate) code: i64,
    pub(crate) message: String,
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("there").permissions().mode() & 0o777
}

/// A port that was free a moment ago, on both addresses of localhost, and that no client gets for its own end.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Below those that the system gives out; each process begins elsewhere.
    let first = 20_000 + u16::try_from(std::process::id() % 100).expect("small") * 100;
    let free = |port: &u16| {
        let is_free = |host: &str| !matches!(TcpListener::bind((host, *port)), Err(why) if why.kind() == AddrInUse);
        is_free("127.0.0.1") && is_free("::1")
    };
    let mut ports = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed));
    ports.find(free).expect("a free port")
}

/// An agent uploads what a command says.
fn assert_says_no_secret(output: &Output) {
    let said = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat();
    let key = STANDARD.encode(key());
    assert!(!said.contains("eyJ") && !said.contains(&key[..64]), "{said}");
    assert_eq!(output.stdout, b"", "{said}");
}

/// The credential of an identity of the fixtures.
pub(crate) fn identity(number: usize) -> Identity {
    let known = fixtures::identity(number);
    Identity {
        kind: if number == 0 { Kind::SystemAssigned } else { Kind::UserAssigned },
        resource_id: known.id.to_string(),
        tenant_id: known.tenant.to_string(),
        principal_id: known.principal_id.to_string(),
        client_id: known.client_id.to_string(),
        not_after: 4_000_000_000,
        certificate: STANDARD.encode(b"not looked into"),
        private_key: STANDARD.encode(key()).into(),
    }
}

async fn answer(port: u16, selector: &str) -> Option<String> {
    let host = format!("localhost:{port}");
    let head = format!("GET /oauth2/token?resource=r{selector} HTTP/1.1\r\nHost: {host}\r\nMetadata: true\r\n\r\n");
    exchange(([127, 0, 0, 1], port).into(), &head).await.map(|answer| answer.body)
}

/// Asks an endpoint for a token: whose it is, or the refusal.
pub(crate) async fn token(port: u16, selector: &str) -> Result<String, String> {
    let body: Value = serde_json::from_str(&answer(port, selector).await.ok_or("closed")?).expect("JSON");
    let Some(token) = body["access_token"].as_str() else {
        return Err(body["error_description"].as_str().expect("a reason").to_owned());
    };
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("claims")).expect("base64");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    Ok(claims["appid"].as_str().expect("a client").to_owned())
}
