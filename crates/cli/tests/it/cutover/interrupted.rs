//! A cutover whose command or control plane is killed: the same command goes on.

use super::*;

/// What the control plane says of a VM: the step that is wanted and the one that its guest has come to; none when it has no
/// extension any more.
fn steps(arm: &Arm, name: &str) -> Option<(String, String)> {
    let vm = format!("{}/Microsoft.Compute/virtualMachines/{name}", arm.providers);
    let extension = arm.send("GET", &format!("{vm}/extensions/ManagedIdentityExtensionForLinux"), &Value::Null);
    if extension.status == 404 || extension.body["properties"]["provisioningState"] == "Deleting" {
        return None;
    }
    let cutover = arm.send("GET", &format!("{vm}/providers/Symbolon.Migration/cutovers/default"), &Value::Null);
    let text = |name: &str| cutover.body["properties"][name].as_str().unwrap().to_owned();
    Some((text("step"), text("reached")))
}

/// Killed when a step is wanted, which is when the guest may or may not have done anything; and when the extension goes.
#[test]
fn a_command_that_is_killed_at_any_step_is_run_again() {
    let world = World::start();
    let arm = Arm::of(&world.up.ready);
    let thief = Thief::copies(&world, "dev");
    let whole = ["cutover", "--vm", "dev", "--quiet", "0s"];
    let order = ["serving", "forwarding", "revoked", "closed"];
    let place = |name: &str| order.iter().position(|step| *step == name).unwrap();
    for step in ["forwarding", "revoked", "closed", "removed"] {
        let mut running = world.command(&whole).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        eventually(step, || match steps(&arm, "dev") {
            Some((wanted, _)) => (step != "removed" && place(&wanted) >= place(step)).then_some(()),
            None => Some(()),
        });
        running.kill().unwrap();
        running.wait().unwrap();
        assert_eq!(world.imds().unwrap().0, 200);
    }
    // There may be nothing left to do.
    let (code, told) = world.migrate(&whole);
    assert_eq!((code, world.status()), (Some(0), None), "{told}");
    assert_eq!(world.migrate(&whole), (Some(0), String::new()), "done is done");
    let (code, told) = world.migrate(&["cutover", "--vm", "no-such-vm"]);
    assert_eq!((code, told.as_str()), (Some(1), ""));
    assert!(thief.signs_in(&world).is_err());
    assert_eq!((world.verify().0, world.old_port(), world.imds().unwrap().0), (Some(0), None, 200));
    assert_eq!(world.up.end(Signal::TERM).0, Some(0));
}

#[test]
fn a_wave_whose_control_plane_goes_away_goes_on_when_it_is_back() {
    let home = tempfile::tempdir().unwrap();
    let port = free_port();
    let vm = |name: &str| {
        json!({"name": name, "identity": {"systemAssigned": true},
               "extensions": [{"type": "ManagedIdentityExtensionForLinux", "settings": {"port": port}}]})
    };
    let names = ["dev", "two", "three"];
    fs::write(home.path().join("seed.yaml"), json!({"virtualMachines": names.map(vm)}).to_string()).unwrap();
    // The last one can't forward before its metadata service answers, so the wave can't end before it is cut off.
    fs::write(home.path().join("hold.yaml"), "steps:\n  - {vm: three, path: /metadata, status: 503}\n").unwrap();
    let up = Up::start(home.path(), &["--seed=seed.yaml", "--playbook=hold.yaml"]);
    let mut world = World { home, up };
    let thieves = names.map(|name| Thief::copies(&world, name));
    let plan = world.home.path().join("plan.json");
    let planned = world.migrate(&["plan", "--json", "--wave-size", "5"]).1;
    // All in one wave, as an owner may edit it.
    let mut edited: Value = serde_json::from_str(&planned).unwrap();
    let second = edited["waves"][1]["machines"].as_array().unwrap().clone();
    let machines = edited["waves"][0]["machines"].as_array_mut().unwrap();
    machines.extend(second);
    machines.sort_by_key(|machine| machine["name"] == "three");
    edited["waves"].as_array_mut().unwrap().truncate(1);
    fs::write(&plan, edited.to_string()).unwrap();
    let wave = ["cutover", "--wave", "1", "--plan", plan.to_str().unwrap(), "--quiet", "0s", "--json"];

    for round in 0..names.len() {
        let running = world.command(&wave).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let arm = Arm::of(&world.up.ready);
        // In the middle of the first machine or behind it, then of the second, then of the last.
        let goes =
            || names.iter().filter(|name| steps(&arm, name).is_none_or(|(wanted, _)| wanted != "serving")).count();
        eventually("a machine that goes", || (goes() > round).then_some(()));
        world.up.signal(Signal::KILL);
        let ended = running.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        // What was done is told all the same, and nothing is said to be done that isn't.
        let told: Value = serde_json::from_slice(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
        let told = told.as_array().unwrap();
        let last = told.last().expect("one that is not done");
        assert!(last["done"] == false && last["why"].as_str().is_some_and(|why| !why.is_empty()), "{last}");
        world = world.killed_for(if round + 1 < names.len() { &["--playbook=hold.yaml"] } else { &[] });
    }
    let (code, told) = world.migrate(&wave);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(world.machines(), Vec::<Value>::new());
    for (name, thief) in names.iter().zip(&thieves) {
        assert!(thief.signs_in(&world).is_err(), "{name}");
        let (code, told) = world.verify_disk(name);
        assert_eq!(code, Some(0), "{name}: {told}");
    }
    let (code, told) = world.migrate(&wave);
    assert_eq!((code, told.trim()), (Some(0), "[]"), "done is done");
    assert_eq!(world.up.end(Signal::TERM).0, Some(0));
}
