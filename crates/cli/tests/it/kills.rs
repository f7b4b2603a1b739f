//! `kill -9` at any moment: what was acknowledged is there afterwards, and every operation ends.

use std::collections::BTreeMap;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use serde_json::json;

use super::arm::Arm;
use super::*;

/// How many times the process is killed in an ordinary run of the tests.
const KILLS: u32 = 6;

#[test]
fn no_acknowledged_write_is_lost() {
    kill_and_look(KILLS);
}

/// The long form.
#[test]
#[ignore = "takes minutes; run it with: cargo xtask test --long"]
fn no_acknowledged_write_is_lost_in_a_hundred_kills() {
    kill_and_look(100);
}

/// What was acknowledged: the last tag of each machine, and which deployments were accepted.
#[derive(Default)]
struct Ledger {
    tags: BTreeMap<String, u32>,
    deployments: Vec<String>,
}

fn kill_and_look(kills: u32) {
    let home = tempfile::tempdir().unwrap();
    let ledger = Mutex::new(Ledger::default());
    for round in 0..kills {
        let mut up = Up::start(home.path(), &[]);
        let arm = Arm::of(&up.ready);
        look(&arm, &ledger.lock().unwrap());
        let (acknowledged, counted) = mpsc::channel();
        std::thread::scope(|scope| {
            for writer in 0..3 {
                let (arm, ledger, acknowledged) = (&arm, &ledger, acknowledged.clone());
                scope.spawn(move || write(arm, ledger, writer, round, &acknowledged));
            }
            // Another moment in each round: after so many writes, and a little later.
            for _ in 0..=round * 7 % 40 {
                counted.recv_timeout(Duration::from_secs(60)).expect("writes are acknowledged");
            }
            std::thread::park_timeout(Duration::from_millis(u64::from(round * 37 % 25)));
            up.signal(Signal::KILL);
            drop(up.child.wait());
        });
    }
    let up = Up::start(home.path(), &[]);
    look(&Arm::of(&up.ready), &ledger.lock().unwrap());
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    assert!(!ledger.lock().unwrap().tags.is_empty(), "something was written at all");
}

/// Writes until the server is gone, and notes what it acknowledged.
fn write(arm: &Arm, ledger: &Mutex<Ledger>, writer: u32, round: u32, acknowledged: &mpsc::Sender<()>) {
    let name = format!("vm{writer}");
    let vm = format!("{}/Microsoft.Compute/virtualMachines/{name}", arm.providers);
    for step in 0..u32::MAX {
        let tag = round * 10_000 + step;
        let body = json!({
            "location": "westus", "identity": {"type": "SystemAssigned"}, "tags": {"step": tag.to_string()},
        });
        let Some(answer) = arm.try_send("PUT", &vm, &body) else { return };
        assert!(answer.status < 300, "{answer:?}");
        ledger.lock().unwrap().tags.insert(name.clone(), tag);
        if acknowledged.send(()).is_err() {
            return;
        }
        if step % 4 == 1 {
            let deployment = format!("d-{round}-{writer}-{step}");
            let path = format!("{}/Microsoft.Resources/deployments/{deployment}", arm.providers);
            let resource = |name: &str| {
                json!({"type": "Microsoft.Network/networkInterfaces", "apiVersion": "2022-01-01", "name": name,
                       "location": "westus", "properties": {}})
            };
            let names = ["a", "b", "c"].map(|part| format!("{deployment}-{part}"));
            let template = json!({"$schema": "x", "contentVersion": "1.0.0.0",
                                  "resources": names.iter().map(|name| resource(name)).collect::<Vec<_>>()});
            let body = json!({"properties": {"mode": "Incremental", "template": template}});
            let Some(answer) = arm.try_send("PUT", &path, &body) else { return };
            assert!(answer.status < 300, "{answer:?}");
            ledger.lock().unwrap().deployments.push(deployment);
        }
        if step % 4 == 3 {
            let path = format!("{vm}/extensions/ManagedIdentityExtensionForLinux");
            let body = json!({"location": "westus", "properties": {
                "publisher": "Microsoft.ManagedIdentity", "type": "ManagedIdentityExtensionForLinux",
                "typeHandlerVersion": "1.0", "forceUpdateTag": tag.to_string(),
            }});
            if arm.try_send("PUT", &path, &body).is_none() {
                return;
            }
        }
    }
}

fn look(arm: &Arm, ledger: &Ledger) {
    for (name, tag) in &ledger.tags {
        let path = format!("{}/Microsoft.Compute/virtualMachines/{name}", arm.providers);
        let vm = arm.send("GET", &path, &Value::Null);
        assert_eq!(vm.status, 200, "{name} is gone: {vm:?}");
        // One that wasn't acknowledged may be there too: it was written, and the answer was lost.
        let found: u32 = vm.body["tags"]["step"].as_str().unwrap().parse().unwrap();
        assert!(found >= *tag, "{name}: {found} is older than {tag}");
        let extension = format!("{path}/extensions/ManagedIdentityExtensionForLinux");
        ends(|| arm.send("GET", &extension, &Value::Null).body["properties"]["provisioningState"].clone());
    }
    for name in &ledger.deployments {
        let path = format!("{}/Microsoft.Resources/deployments/{name}", arm.providers);
        let state = ends(|| arm.send("GET", &path, &Value::Null).body["properties"]["provisioningState"].clone());
        assert_eq!(state, "Succeeded", "{name}");
        for part in ["a", "b", "c"] {
            let path = format!("{}/Microsoft.Network/networkInterfaces/{name}-{part}", arm.providers);
            assert_eq!(arm.send("GET", &path, &Value::Null).status, 200, "{name}-{part}");
        }
    }
}

/// The state in which something ends; nothing there is an end too.
fn ends(state: impl Fn() -> Value) -> Value {
    eventually("it ends", || {
        let found = state();
        matches!(found.as_str(), Some("Succeeded" | "Failed") | None).then_some(found)
    })
}
