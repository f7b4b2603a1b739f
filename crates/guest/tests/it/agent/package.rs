//! Packages of handlers that are shell scripts, and that note what they are told.

use std::io::{Cursor, Write};

use contract::guest_agent::handler::HandlerManifest;
use contract::guest_agent::package_manifest::{Package, PackageManifest};
use contract::guest_agent::{WantedExtension, WantedState};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::host::FakeHost;

pub(crate) const NAME: &str = "Test.Extension";

/// Notes each command in `calls` beside the handlers' folders; does what files there say: `COMMAND-code` is an exit code,
/// while `COMMAND-waits` is there a command doesn't end. A status is written at once, and at the end.
const SCRIPT: &str = r#"#!/bin/sh
lib=$(dirname "$(pwd)")
say() {
    printf '[{"version":1.0,"timestampUTC":"2026-01-01T00:00:00Z","status":{"name":"Test","operation":"%s","status":"%s","code":0,"formattedMessage":{"lang":"en-US","message":"%s of @V@"}}}]' "$1" "$2" "$3" > "status/$ConfigSequenceNumber.status.new"
    mv "status/$ConfigSequenceNumber.status.new" "status/$ConfigSequenceNumber.status"
}
echo "@V@ $1 seq=$ConfigSequenceNumber in=${AZURE_GUEST_AGENT_EXTENSION_PATH##*/} of=$AZURE_GUEST_AGENT_EXTENSION_VERSION uninstalled=$AZURE_GUEST_AGENT_UNINSTALL_CMD_EXIT_CODE disabled=$AZURE_GUEST_AGENT_DISABLE_CMD_EXIT_CODE from=$AZURE_GUEST_AGENT_UPDATING_FROM_VERSION to=$VERSION at=$AZURE_GUEST_AGENT_WIRE_PROTOCOL_ADDRESS" >> "$lib/calls"
case $1 in enable|disable) say "$1" transitioning working ;; esac
while [ -e "$lib/$1-waits" ]; do sleep 0.02; done
code=$(cat "$lib/$1-code" 2>/dev/null || echo 0)
if [ "$code" = 0 ]; then
    case $1 in enable|disable) say "$1" success done ;; esac
else
    echo "it fails on purpose"
fi
exit "$code"
"#;

pub(crate) fn manifest() -> HandlerManifest {
    HandlerManifest { report_heartbeat: false, ..HandlerManifest::of_program("handler.sh") }
}

pub(crate) fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).expect("begun");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("finished").into_inner()
}

/// The package of a version.
pub(crate) fn package(version: &str, manifest: &HandlerManifest) -> Vec<u8> {
    zipped(&[
        ("HandlerManifest.json", manifest.text().as_bytes()),
        ("handler.sh", SCRIPT.replace("@V@", version).as_bytes()),
    ])
}

/// Offers packages of these versions of an extension; where they are listed.
pub(crate) fn offer(host: &FakeHost, name: &str, packages: &[(&str, Vec<u8>, Option<String>)]) -> String {
    let packages = packages.iter().map(|(version, bytes, sha256)| {
        let uri = host.put(&format!("/extensions/{name}/{name}-{version}.zip"), bytes.clone());
        Package { version: (*version).to_owned(), uris: vec![uri], sha256: sha256.clone() }
    });
    let manifest = PackageManifest { packages: packages.collect() };
    host.put(&format!("/extensions/{name}/manifest.xml"), manifest.xml().into_bytes())
}

pub(crate) fn wanted(manifest_url: &str, version: &str, state: WantedState, sequence: u64) -> WantedExtension {
    WantedExtension {
        name: NAME.to_owned(),
        version: version.to_owned(),
        manifest_url: manifest_url.to_owned(),
        state,
        auto_upgrade: true,
        sequence,
        settings: Some(format!("{{\"number\":{sequence}}}")),
        protected: None,
    }
}
