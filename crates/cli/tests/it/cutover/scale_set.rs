//! A scale set: its machines go one by one, new ones come in the middle of it, and the extension goes for all at once.

use super::*;

/// With the extension on two machines, which are all that may have it: the sample's VM has lost it.
struct Set {
    world: World,
    arm: Arm,
    path: String,
}

impl Set {
    fn new() -> Self {
        Self::of(2)
    }

    /// With so many machines.
    fn of(capacity: u32) -> Self {
        let world = World::start();
        let arm = Arm::of(&world.up.ready);
        let path = format!("{}/Microsoft.Compute/virtualMachineScaleSets/ss", arm.providers);
        let body = json!({
            "location": "westus", "identity": {"type": "SystemAssigned"},
            "sku": {"name": "Standard_B1s", "capacity": capacity},
            "properties": {"upgradePolicy": {"mode": "Manual"}, "virtualMachineProfile": {"extensionProfile": {
                "extensions": [{"name": "msi", "properties": {
                    "publisher": "Microsoft.ManagedIdentity", "type": "ManagedIdentityExtensionForLinux",
                    "typeHandlerVersion": "1.0", "settings": {"port": free_port()},
                }}],
            }}},
        });
        let ended = arm.done("PUT", &path, &body);
        assert_eq!(ended, "Succeeded", "{:?}", arm.send("GET", &format!("{path}/virtualMachines"), &Value::Null).body);
        Self { world, arm, path }
    }

    /// Has so many machines.
    fn grow(&self, capacity: u32) {
        assert_eq!(self.arm.done("PATCH", &self.path, &json!({"sku": {"capacity": capacity}})), "Succeeded");
    }

    fn cutover(&self, args: &[&str]) -> String {
        let (code, told) = self.world.migrate(&[&["cutover", "--vm", "ss"], args].concat());
        assert_eq!(code, Some(0), "{told}");
        told
    }

    /// Of each machine with the extension: its name, how many good credentials it has, the step that it has come to.
    fn at(&self) -> Vec<(String, u64, String)> {
        let machines = self.world.machines().into_iter().filter(|machine| machine["name"] != "dev");
        let shown = machines.map(|machine| {
            let (name, of) = (machine["name"].as_str().unwrap().to_owned(), &machine["properties"]);
            let step = of["cutover"]["reached"].as_str().unwrap().to_owned();
            (name, of["usableCredentials"].as_u64().unwrap(), step)
        });
        shown.collect()
    }

    /// Whether all of so many machines are at a step, with so many credentials each.
    fn all_at(&self, machines: u32, step: &str, credentials: u64) {
        let wanted: Vec<_> =
            (0..machines).map(|number| (format!("ss_{number}"), credentials, step.to_owned())).collect();
        eventually(&format!("{machines} machines at {step}, now {:?}", self.at()), || {
            (self.at() == wanted).then_some(())
        });
    }

    /// A machine as it is told of.
    fn told(&self, number: u32) -> Value {
        let text = fs::read_to_string(self.world.home.path().join("data/instance.json")).unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        let vms = told["vms"].as_array().unwrap();
        vms.iter().find(|vm| vm["name"] == format!("ss_{number}")).cloned().expect("it is told of")
    }

    /// Its port gives the metadata service's token.
    fn forwards(&self, number: u32) {
        let told = self.told(number);
        let url = told["extension"].as_str().expect("an open port");
        let (status, forwarded) = ask(url, "?resource=https%3A%2F%2Fvault.azure.net").expect("an answer");
        let (_, of_imds) = ask_imds(told["imds"].as_str().unwrap()).expect("a metadata service");
        assert_eq!((status, &forwarded["access_token"]), (200, &of_imds["access_token"]), "{number}");
    }
}

#[test]
fn a_scale_set_leaves_the_extension_with_the_machines_that_it_gets_meanwhile() {
    let set = Set::new();
    set.all_at(2, "serving", 1);
    let thieves = ["ss_0", "ss_1"].map(|name| Thief::copies(&set.world, name));
    for thief in &thieves {
        thief.signs_in(&set.world).expect("a credential of its own");
    }
    set.cutover(&["--to", "forwarding"]);
    set.all_at(2, "forwarding", 1);

    // It forwards, once its metadata service has answered for it.
    set.grow(3);
    set.all_at(3, "forwarding", 1);
    (0..3).for_each(|number| set.forwards(number));

    let told = set.cutover(&["--to", "revoked"]);
    assert_eq!(told.matches("done: revoke").count(), 3, "{told}");
    set.all_at(3, "revoked", 0);
    for thief in &thieves {
        let refused = thief.signs_in(&set.world);
        assert!(
            matches!(&refused, Err(SourceError::Refused { error, .. }) if error == "invalid_client"),
            "{refused:?}"
        );
    }
    // Never a credential on its disk.
    set.grow(4);
    set.all_at(4, "revoked", 0);
    for number in 0..4 {
        set.forwards(number);
        let (code, told) = set.world.verify_disk(&format!("ss_{number}"));
        assert_eq!(code, Some(0), "{told}");
    }
    let known = set.world.status().unwrap()["properties"]["cutover"]["step"].clone();
    assert_eq!(known, "serving", "nobody else goes with them");

    set.cutover(&["--undo"]);
    set.all_at(4, "serving", 1);
    set.grow(5);
    set.all_at(5, "serving", 1);
    assert!(thieves.iter().all(|thief| thief.signs_in(&set.world).is_err()), "what was revoked stays so");
    let thief = Thief::copies(&set.world, "ss_4");
    thief.signs_in(&set.world).expect("there are new ones");

    // The whole way in one go: the model loses the extension when all of them are so far, and all of them with it.
    let told = set.cutover(&["--quiet", "0s"]);
    assert_eq!((told.matches(": at closed").count(), told.matches(": at removed").count()), (5, 5), "{told}");
    assert_eq!(told.matches("done: remove").count(), 1, "{told}");
    assert_eq!(set.at(), []);
    assert!(thief.signs_in(&set.world).is_err());
    set.grow(6);
    for number in 0..6 {
        let told = set.told(number);
        assert!(told["extension"].is_null(), "{told}");
        assert_eq!(ask_imds(told["imds"].as_str().unwrap()).map(|(status, _)| status), Some(200));
    }
    for number in 0..5 {
        let (code, told) = set.world.verify_disk(&format!("ss_{number}"));
        assert_eq!(code, Some(0), "{told}");
    }
    assert_eq!(set.world.up.end(Signal::TERM).0, Some(0));
}

/// Whoever comes while the command runs goes with the others, whether it joins them or the command takes it.
#[test]
fn a_machine_that_comes_while_the_others_go_goes_too() {
    let set = Set::new();
    let mut running =
        set.world.command(&["cutover", "--vm", "ss", "--to", "revoked"]).stdout(Stdio::null()).spawn().unwrap();
    eventually("the first one goes", || (set.at().first()?.2 != "serving").then_some(()));
    set.grow(3);
    assert_eq!(running.wait().unwrap().code(), Some(0));
    set.all_at(3, "revoked", 0);
    assert_eq!(set.world.up.end(Signal::TERM).0, Some(0));
}

/// The model decides what its machines have.
#[test]
fn the_extension_of_a_scale_set_is_not_removed_while_one_of_them_is_behind() {
    let set = Set::new();
    let one = ["cutover", "--vm", "ss_0", "--quiet", "0s"];
    let (code, told) = set.world.migrate(&one);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("ss_0: stays at closed: its scale set has machines that are not closed yet: ss_1"), "{told}");
    assert_eq!(set.at()[1], ("ss_1".to_owned(), 1, "serving".to_owned()));
    let (code, told) = set.world.migrate(&["cutover", "--vm", "ss_1", "--quiet", "0s"]);
    assert_eq!((code, set.at()), (Some(0), vec![]), "{told}");
    for name in ["ss_0", "ss", &format!("{}/virtualMachines/0", set.path)] {
        assert_eq!(set.world.migrate(&["cutover", "--vm", name]), (Some(0), String::new()), "{name}: done is done");
    }
    for name in ["ss_7", "s_0", "_0", "/x"] {
        assert_eq!(set.world.migrate(&["cutover", "--vm", name]).0, Some(1), "{name}: there is none");
    }
    assert_eq!(set.world.up.end(Signal::TERM).0, Some(0));
}

/// There is nobody to cut over, and still somebody to come.
#[test]
fn a_scale_set_without_machines_loses_the_extension_from_its_model() {
    let set = Set::of(0);
    let (code, told) = set.world.migrate(&["status"]);
    assert_eq!(code, Some(0), "{told}");
    let row = told.lines().find(|line| line.trim_start().starts_with("ss ")).unwrap_or_else(|| panic!("{told}"));
    assert!(row.contains("in the model"), "{row}");
    let (_, told) = set.world.migrate(&["plan"]);
    assert!(told.contains("no machine of it has the extension, but its model"), "{told}");
    let (_, page) = set.world.migrate(&["status", "--vm", "ss"]);
    assert!(page.contains("step         in the model\n") && page.contains("power        -\n"), "{page}");
    let dry = set.cutover(&["--dry-run"]);
    assert_eq!(dry, "ss: would remove the extension; this can't be taken back\n");
    for args in [&["--to", "closed"][..], &["--undo"]] {
        assert_eq!(set.cutover(args), "ss: still in the model, from which it can only be removed\n");
    }
    let told = set.cutover(&[]);
    assert_eq!(told, "ss: done: remove the extension; this can't be taken back\nss: at removed\n");
    assert_eq!(set.at(), []);
    set.grow(1);
    assert!(set.told(0)["extension"].is_null());
    assert_eq!(set.world.up.end(Signal::TERM).0, Some(0));
}

/// Machines that haven't followed the model since it got the extension don't have it; to take it away again is no reason to
/// bring them to the model.
#[test]
fn machines_that_never_got_the_extension_stay_as_they_are() {
    let set = Set::of(0);
    let path = format!("{}/Microsoft.Compute/virtualMachineScaleSets/late", set.arm.providers);
    let model = |size: &str, extensions: Value| {
        json!({
            "location": "westus", "sku": {"name": size, "capacity": 1},
            "properties": {"upgradePolicy": {"mode": "Manual"}, "virtualMachineProfile": {"extensionProfile": {
                "extensions": extensions,
            }}},
        })
    };
    let extension = json!([{"name": "msi", "properties": {
        "publisher": "Microsoft.ManagedIdentity", "type": "ManagedIdentityExtensionForLinux",
        "typeHandlerVersion": "1.0", "settings": {"port": free_port()},
    }}]);
    for (size, extensions) in [("Standard_B1s", json!([])), ("Standard_B2s", extension)] {
        assert_eq!(set.arm.done("PUT", &path, &model(size, extensions)), "Succeeded");
    }
    let (code, told) = set.world.migrate(&["cutover", "--vm", "late"]);
    assert_eq!((code, told.ends_with("late: at removed\n")), (Some(0), true), "{told}");
    let shown = |path: &str| set.arm.send("GET", path, &Value::Null).body;
    assert_eq!(shown(&format!("{path}/virtualMachines/0"))["sku"]["name"], "Standard_B1s");
    let model = shown(&path);
    assert_eq!(model["sku"]["name"], "Standard_B2s");
    assert!(model["properties"]["virtualMachineProfile"]["extensionProfile"]["extensions"].is_null(), "{model}");
    assert_eq!(set.world.up.end(Signal::TERM).0, Some(0));
}
