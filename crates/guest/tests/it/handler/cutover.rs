//! A VM whose own agent runs the commands, on its way to the metadata service.

use std::fs;
use std::net::SocketAddr;

use contract::guest_agent::protected::{Cutover, CutoverStep};
use contract::guest_agent::substatus::{CALLERS, CUTOVER, callers};
use serde_json::{Value, json};
use testkit::fixtures;

use super::machine::Machine;
use crate::forwarding::{Imds, TOKEN};

/// The text of an entry below a status.
fn told(machine: &Machine, number: u64, name: &str) -> Option<String> {
    let text = fs::read(machine.handler().join(format!("status/{number}.status"))).expect("a status");
    let read: Value = serde_json::from_slice(&text).expect("JSON");
    let below = read[0]["status"]["substatus"].as_array().expect("a list").clone();
    let entry = below.into_iter().find(|entry| entry["name"] == name)?;
    Some(entry["formattedMessage"]["message"].as_str().expect("text").to_owned())
}

async fn enabled(machine: &Machine, identities: &[usize], step: Option<(CutoverStep, SocketAddr)>) {
    let mut protected = machine.credentials(&machine.authority.url(), identities);
    protected.cutover = step.map(|(step, imds)| Cutover { step, imds });
    machine.settings_with(7, &json!({"port": machine.port}), Some(&protected));
    machine.done("enable", 7).await;
}

/// How many credentials are on the disk.
fn credentials(machine: &Machine) -> usize {
    fs::read_dir(machine.identities()).map(Iterator::count).unwrap_or_default()
}

#[tokio::test]
async fn step_by_step_and_back() {
    let machine = Machine::new().await;
    let (imds, address, _open) = Imds::start(200, TOKEN);
    let (refusing, nobody, _open_too) = Imds::start(400, "{}");
    enabled(&machine, &[0], None).await;
    assert_eq!(machine.token("").await.unwrap(), fixtures::client_id(0).to_string());
    assert_eq!(told(&machine, 7, CUTOVER).as_deref(), Some("serving"));
    let serving = machine.serving();

    // A metadata service that has no token for it: everything stays as it is, and it is said why.
    enabled(&machine, &[0], Some((CutoverStep::Forwarding, nobody))).await;
    assert!(told(&machine, 7, CUTOVER).unwrap().starts_with("serving: the metadata service at "));
    assert_eq!((machine.serving(), refusing.asked().len()), (serving, 1));
    assert_eq!(machine.token("").await.unwrap(), fixtures::client_id(0).to_string());

    enabled(&machine, &[0], Some((CutoverStep::Forwarding, address))).await;
    assert_eq!(told(&machine, 7, CUTOVER).as_deref(), Some("forwarding"));
    assert_eq!(imds.asked().len(), 1, "it was proved");
    let body = machine.answer("").await;
    assert!(body.contains("eyJ.imds.x") && body.contains("refresh_token"), "{body}");
    assert_eq!((imds.asked().len(), credentials(&machine)), (1, 1));
    let forwarding = machine.serving();

    let beat = fs::read_to_string(machine.handler().join("heartbeat.log")).expect("a heartbeat");
    assert!(beat.contains("are forwarded to the metadata service"), "{beat}");
    fs::write(machine.identities().join("x.json.bak"), "somebody's copy").expect("written");
    enabled(&machine, &[], Some((CutoverStep::Revoked, address))).await;
    assert_eq!((told(&machine, 7, CUTOVER).as_deref(), credentials(&machine)), (Some("revoked"), 0));
    assert_eq!(machine.serving(), forwarding, "nothing was interrupted");
    assert!(machine.answer("").await.contains("eyJ.imds.x"));

    enabled(&machine, &[], Some((CutoverStep::Closed, address))).await;
    assert_eq!(told(&machine, 7, CUTOVER).as_deref(), Some("closed"));
    assert!(!machine.listens() && machine.discovery_files().iter().all(|file| !file.exists()));
    // Who called was told before the process ended, and is told on.
    let counted = callers(&told(&machine, 7, CALLERS).expect("callers"));
    assert_eq!(counted.iter().map(|one| one.calls).sum::<u64>(), 4, "{counted:?}");

    enabled(&machine, &[0], None).await;
    assert_eq!(machine.token("").await.unwrap(), fixtures::client_id(0).to_string());
    machine.done("uninstall", 7).await;
    assert!(!machine.root().join("var/lib/symbolon").exists());
}
