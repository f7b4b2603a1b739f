//! Our own agent with our own handler: from what a host wants to a token in the VM.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::guest_agent::handler::HandlerManifest;
use contract::guest_agent::protected::{Authority, ManagedIdentity};
use contract::guest_agent::{Protected, WantedExtension, WantedState};
use testkit::fixtures;

use super::package::{offer, wanted};
use super::world::{World, of_handler, of_settings};
use crate::handler::authority::FakeAuthority;
use crate::handler::machine::{EndpointOf, NAME, free_port, identity};

/// Our own package, not compressed: that takes longer than all the rest.
fn own_package() -> Vec<u8> {
    use std::io::Write;
    // With all that the tests' build has in it the program is longer than a package may be.
    let options = zip::write::SimpleFileOptions::default().compression_level(Some(1));
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let program = fs::read(env!("CARGO_BIN_EXE_symbolon-guest")).expect("the program");
    for (name, bytes) in [
        ("HandlerManifest.json", HandlerManifest::of_program("bin/symbolon-guest").text().into_bytes()),
        ("bin/symbolon-guest", program),
    ] {
        zip.start_file(name, options).expect("begun");
        zip.write_all(&bytes).expect("written");
    }
    zip.finish().expect("finished").into_inner()
}

struct Extension<'a> {
    world: &'a World,
    authority: &'a FakeAuthority,
    listed: String,
    port: u16,
}

impl Extension<'_> {
    fn wanted(&self, state: WantedState, sequence: u64, identities: &[usize]) -> WantedExtension {
        let authority = Authority { url: self.authority.url(), certificates: self.authority.certificate.clone() };
        let identities = identities.iter().map(|number| identity(*number)).collect();
        let credentials = ManagedIdentity { authority, vm: fixtures::vm_id().to_string(), identities, cutover: None };
        let certificate = self.world.host.certificate();
        let sealed = envelope::seal(&certificate, credentials.beside("{}").as_bytes()).expect("sealed");
        WantedExtension {
            name: NAME.to_owned(),
            settings: Some(format!("{{\"port\":{}}}", self.port)),
            protected: Some(Protected {
                cms_base64: STANDARD.encode(sealed),
                thumbprint: envelope::thumbprint(&certificate),
            }),
            ..wanted(&self.listed, "1.0.0.0", state, sequence)
        }
    }
}

#[tokio::test]
async fn a_token_is_served_and_nothing_is_left_when_it_is_not_wanted_any_more() {
    let world = World::new().await;
    let authority = FakeAuthority::start().await;
    let listed = offer(&world.host, NAME, &[("1.0.0.0", own_package(), None)]);
    let extension = Extension { world: &world, authority: &authority, listed, port: free_port() };
    let _endpoint = EndpointOf(world.home());

    let number = world.host.want(vec![extension.wanted(WantedState::Enabled, 0, &[0])]);
    let blob = world.gone_through(number).await;
    assert_eq!(of_handler(&blob), ("Ready", 0, "Plugin enabled"));
    assert_eq!((of_settings(&blob).0, of_settings(&blob).1), (0, "success"));
    let token = |selector: String| async move { crate::handler::machine::token(extension.port, &selector).await };
    assert_eq!(token(String::new()).await.expect("a token"), fixtures::client_id(0).to_string());
    let keys = || {
        let names = fs::read_dir(world.home()).expect("a folder").flatten().map(|entry| entry.path());
        let is_key = |path: &std::path::PathBuf| {
            ["prv", "crt", "pem"].iter().any(|kind| path.extension().is_some_and(|found| found == *kind))
        };
        names.filter(is_key).collect::<Vec<_>>()
    };
    assert_eq!(keys().len(), 4, "its own pair and the machine's");
    for path in keys() {
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o400, "{}", path.display());
    }

    // Another identity, and another certificate of the machine: the same number, the same process.
    let endpoint = world.root().join("var/lib/symbolon/endpoint");
    let process = fs::read(&endpoint).expect("an endpoint");
    world.host.renew_certificate();
    let number = world.host.want(vec![extension.wanted(WantedState::Enabled, 0, &[0, 1])]);
    assert_eq!(of_handler(&world.gone_through(number).await).0, "Ready");
    let second = format!("&client_id={}", fixtures::client_id(1));
    assert_eq!(token(second).await.expect("a token"), fixtures::client_id(1).to_string());
    assert_eq!(fs::read(&endpoint).expect("an endpoint"), process);
    assert_eq!(keys().len(), 4, "the old key is gone");

    let number = world.host.want(vec![extension.wanted(WantedState::Enabled, 1, &[])]);
    let blob = world.gone_through(number).await;
    assert_eq!((of_handler(&blob).1, of_settings(&blob).1), (1009, "error"));
    assert!(of_handler(&blob).2.contains("no identity is assigned"), "{blob:#?}");

    let number = world.host.want(vec![extension.wanted(WantedState::Uninstall, 1, &[])]);
    let blob = world.gone_through(number).await;
    assert!(blob.aggregate_status.handler_aggregate_status.is_empty());
    assert!(std::net::TcpStream::connect(("127.0.0.1", extension.port)).is_err());
    let left: Vec<_> = fs::read_dir(world.home()).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!world.root().join("var/lib/symbolon").exists());
}
