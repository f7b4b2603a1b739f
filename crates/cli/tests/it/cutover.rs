//! The way of a VM from the extension to its metadata service, as its owner goes it.

mod interrupted;
mod scale_set;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use broker::http::AuthorityClient;
use broker::{SourceError, TokenSource, Wanted};
use guest::disk::Disk;
use guest::identities::Identities;
use guest::source::ExtensionSource;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;

use super::arm::Arm;
use super::*;

/// A running `up` and its first VM.
struct World {
    home: tempfile::TempDir,
    up: Up,
}

impl World {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let up = Up::start(home.path(), &[]);
        Self { home, up }
    }

    /// The same after the process was killed.
    fn killed(self) -> Self {
        self.killed_for(&[])
    }

    /// The same with more options.
    fn killed_for(self, more: &[&str]) -> Self {
        let Self { home, up } = self;
        up.end(Signal::KILL);
        let up = Up::start(home.path(), more);
        Self { home, up }
    }

    fn disk(&self, name: &str) -> PathBuf {
        self.home.path().join("data/guests").join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = symbolon(self.home.path());
        command.arg("migrate").args(args).stdin(Stdio::null());
        if args[0] != "verify" {
            command.arg("--data-dir").arg(self.home.path().join("data"));
        }
        command
    }

    fn migrate(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = self.command(args).output().expect("it runs");
        assert!(output.status.code() != Some(2), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }

    /// The machines with the extension, as `status` shows them.
    fn machines(&self) -> Vec<Value> {
        let (code, text) = self.migrate(&["status", "--json"]);
        assert_eq!(code, Some(0));
        serde_json::from_str::<Value>(&text).unwrap()["value"].as_array().unwrap().clone()
    }

    /// The first VM among them; none when it has no extension.
    fn status(&self) -> Option<Value> {
        self.machines().into_iter().find(|machine| machine["name"] == "dev")
    }

    fn cutover(&self, args: &[&str]) -> (Option<i32>, String) {
        self.migrate(&[&["cutover", "--vm", "dev"], args].concat())
    }

    fn verify(&self) -> (Option<i32>, String) {
        self.verify_disk("dev")
    }

    fn verify_disk(&self, name: &str) -> (Option<i32>, String) {
        self.migrate(&["verify", "--guest-root", self.disk(name).to_str().unwrap()])
    }

    /// A caller of the old port: status and body; nothing when nobody is there.
    fn old_port(&self) -> Option<(u16, Value)> {
        ask(self.up.ready["extension"].as_str().unwrap(), "?resource=https%3A%2F%2Fvault.azure.net")
    }

    fn imds(&self) -> Option<(u16, Value)> {
        ask_imds(self.up.text("imds"))
    }
}

fn ask_imds(base: &str) -> Option<(u16, Value)> {
    let url = format!("{base}/metadata/identity/oauth2/token");
    ask(&url, "?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net")
}

fn ask(url: &str, query: &str) -> Option<(u16, Value)> {
    let rest = url.trim_start_matches("http://");
    let (host, path) = rest.split_once('/').unwrap();
    let mut connection = TcpStream::connect(host).ok()?;
    let head =
        format!("GET /{path}{query} HTTP/1.1\r\nHost: {host}\r\nMetadata: true\r\nUser-Agent: old-client/1.2\r\n");
    write!(connection, "{head}Connection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, serde_json::from_str(body).ok()?))
}

/// Somebody who copied the VM's disk.
struct Thief {
    copy: tempfile::TempDir,
}

impl Thief {
    fn copies(world: &World, name: &str) -> Self {
        let copy = tempfile::tempdir().unwrap();
        let from = world.disk(name).join("var/lib/symbolon/identities");
        let to = copy.path().join("var/lib/symbolon/identities");
        fs::create_dir_all(&to).unwrap();
        for file in fs::read_dir(from).unwrap().flatten() {
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
        Self { copy }
    }

    /// Signs in with what was on it, elsewhere.
    fn signs_in(&self, world: &World) -> Result<(), SourceError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut roots = RootCertStore::empty();
            let pem = fs::read(world.up.text("caFile")).unwrap();
            roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
            let authority = AuthorityClient::new(world.up.text("authority"), roots, PATIENCE).unwrap();
            let identities = Arc::new(Identities::open(Disk::new(self.copy.path())));
            let loaded = identities.current().await;
            let identity = Arc::clone(loaded.identities.iter().next().expect("a credential was copied"));
            let wanted = Wanted { vm: identity.id.clone(), identity, resource: "https://vault.azure.net".into() };
            let source = ExtensionSource::new(authority, identities, Arc::new(SystemClock::new()));
            source.token(wanted).await.map(drop)
        })
    }
}

#[test]
fn a_vm_leaves_the_extension_and_a_stolen_disk_is_worth_nothing() {
    let world = World::start();
    let thief = Thief::copies(&world, "dev");
    let (status, own) = world.old_port().unwrap();
    assert_eq!((status, own["refresh_token"].as_str()), (200, Some("")));
    thief.signs_in(&world).expect("the credential is on the disk, which is why one leaves");
    assert_eq!(world.verify().0, Some(1), "{}", world.verify().1);

    // Whoever calls is seen.
    let caller = eventually("a caller that was counted", || {
        let calls = &world.status()?["properties"]["extensionCalls"];
        calls["callers"].as_array()?.first().cloned()
    });
    assert_eq!((&caller["client"], &caller["calls"]), (&json!("old-client/1.2"), &json!(1)));
    assert!(caller["clientId"].is_string());
    if cfg!(target_os = "linux") {
        assert!(caller["process"].is_string(), "the test runs as the same user: {caller}");
    }
    let (code, plan) = world.migrate(&["plan", "--json"]);
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let planned = &plan["waves"][0]["machines"][0];
    assert_eq!(
        (code, &planned["name"], &planned["obstacles"][0]["blocks"]),
        (Some(0), &json!("dev"), &json!("closed"))
    );
    let (_, page) = world.migrate(&["status", "--vm", "dev"]);
    assert!(
        page.contains("old-client/1.2") && page.contains("note: it has never asked its metadata service"),
        "{page}"
    );

    // Nothing is done but said.
    let (code, told) = world.cutover(&["--dry-run"]);
    assert_eq!((code, told.lines().count()), (Some(0), 4), "{told}");
    assert_eq!(world.status().unwrap()["properties"]["cutover"]["step"], "serving");

    // Step by step; the port answers all the while.
    let (code, told) = world.cutover(&["--to", "forwarding"]);
    assert_eq!(code, Some(0), "{told}");
    let (status, forwarded) = world.old_port().unwrap();
    assert_eq!(status, 200);
    let (_, of_imds) = world.imds().unwrap();
    assert_eq!(forwarded["access_token"], of_imds["access_token"], "it is the metadata service's token");
    let keys = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&forwarded), keys(&own), "in the extension's shape");
    thief.signs_in(&world).expect("not revoked yet");

    // Also what nobody placed there, and what may be a copy of a key.
    fs::write(world.disk("dev").join("var/lib/symbolon/identities/x.json.bak"), "somebody's copy").unwrap();
    let (code, told) = world.cutover(&["--to", "revoked"]);
    assert_eq!(code, Some(0), "{told}");
    // At once, and not within some seconds.
    let refused = thief.signs_in(&world);
    assert!(matches!(&refused, Err(SourceError::Refused { error, .. }) if error == "invalid_client"), "{refused:?}");
    assert_eq!(world.old_port().unwrap().0, 200);
    let (code, told) = world.verify();
    assert_eq!(code, Some(0), "{told}");

    // Somebody called a moment ago.
    let (code, told) = world.cutover(&["--to", "closed"]);
    assert!(code == Some(1) && told.contains("Somebody called the extension too short a while ago"), "{told}");
    let (code, told) = world.cutover(&["--to", "closed", "--quiet", "0s"]);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!((world.old_port(), world.imds().unwrap().0), (None, 200));

    // And back, all the way; then the whole way in one go.
    let (code, told) = world.cutover(&["--undo"]);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(world.old_port().unwrap().0, 200);
    assert!(thief.signs_in(&world).is_err(), "what was revoked stays so");
    let second = Thief::copies(&world, "dev");
    second.signs_in(&world).expect("there are new ones");
    let plan_file = world.home.path().join("plan.json");
    fs::write(&plan_file, world.migrate(&["plan", "--json"]).1).unwrap();
    let file = plan_file.to_str().unwrap();
    let (code, told) = world.migrate(&["cutover", "--wave", "1", "--plan", file, "--quiet", "0s"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.ends_with("dev: at removed\n"), "{told}");
    assert_eq!((world.status(), world.old_port(), world.imds().unwrap().0), (None, None, 200));
    assert!(second.signs_in(&world).is_err());
    let (code, told) = world.verify();
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(world.migrate(&["cutover", "--wave", "1", "--plan", file]).0, Some(0), "done is done");
    assert_eq!(world.up.end(Signal::TERM).0, Some(0));
}

/// Its disk was cleared, and what was there is revoked.
#[test]
fn an_extension_that_comes_back_gives_tokens_at_once() {
    let world = World::start();
    let arm = Arm::of(&world.up.ready);
    let vm = format!("{}/Microsoft.Compute/virtualMachines/dev", arm.providers);
    let extension = format!("{vm}/extensions/ManagedIdentityExtensionForLinux");
    let before = arm.send("GET", &extension, &Value::Null).body;
    let state = || arm.send("GET", &extension, &Value::Null);
    for _ in 0..2 {
        assert_eq!(world.old_port().expect("an endpoint").0, 200);
        assert!(arm.send("DELETE", &extension, &Value::Null).status < 300);
        eventually("gone", || (state().status == 404).then_some(()));
        let body = json!({"location": before["location"], "properties": {
            "publisher": "Microsoft.ManagedIdentity", "type": "ManagedIdentityExtensionForLinux",
            "typeHandlerVersion": "1.0", "settings": {"port": port(&world)},
        }});
        assert!(arm.send("PUT", &extension, &body).status < 300);
        eventually("there", || (state().body["properties"]["provisioningState"] == "Succeeded").then_some(()));
    }
    assert_eq!(world.old_port().expect("an endpoint").0, 200, "with a credential of its own");
    assert_eq!(world.up.end(Signal::TERM).0, Some(0));
}

/// The port where the extension was at the start.
fn port(world: &World) -> u16 {
    let url = world.up.ready["extension"].as_str().unwrap();
    url.trim_start_matches("http://localhost:").split('/').next().unwrap().parse().unwrap()
}

#[test]
fn a_cutover_goes_on_where_it_was_cut_off() {
    let mut world = World::start();
    let thief = Thief::copies(&world, "dev");
    let arm = |world: &World| Arm::of(&world.up.ready);
    let cutover = |arm: &Arm| {
        format!("{}/Microsoft.Compute/virtualMachines/dev/providers/Symbolon.Migration/cutovers/default", arm.providers)
    };
    for step in ["forwarding", "revoked", "closed"] {
        // Killed right behind the answer: the guest may or may not have done anything.
        let client = arm(&world);
        let wanted = client.send("PUT", &cutover(&client), &json!({"properties": {"step": step, "quietSeconds": 0}}));
        assert!(wanted.status < 300, "{wanted:?}");
        world = world.killed();
        let client = arm(&world);
        eventually(step, || {
            (client.send("GET", &cutover(&client), &Value::Null).body["properties"]["reached"] == step).then_some(())
        });
        if step == "closed" {
            assert!(world.up.ready["extension"].is_null());
        } else {
            assert_eq!(world.old_port().unwrap().0, 200, "{step}");
        }
        assert_eq!(thief.signs_in(&world).is_ok(), step == "forwarding");
        assert_eq!(world.imds().unwrap().0, 200);
    }
    assert_eq!(world.verify().0, Some(0));
    let (code, told) = world.cutover(&["--undo", "--to", "forwarding"]);
    assert_eq!(code, Some(0), "{told}");
    world = world.killed();
    assert_eq!(world.old_port().unwrap().0, 200);
    assert_eq!(world.verify().0, Some(0), "it forwards, and needs no credential for that");
    assert_eq!(world.up.end(Signal::TERM).0, Some(0));
}
