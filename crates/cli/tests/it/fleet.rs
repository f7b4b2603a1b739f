//! What the control plane changes is in force when it is answered.

mod extensions;

use serde_json::json;

use super::arm::Arm;
use super::*;

const EXTENSION: &str = "extensions/ManagedIdentityExtensionForLinux";

/// The VMs as other commands see them.
fn vms(home: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(home.join("data/instance.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["vms"].as_array().unwrap().clone()
}

/// What is told of a VM, once it is as wanted.
fn vm_when(home: &Path, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(&format!("VM {name} as it should be"), || {
        vms(home).into_iter().find(|vm| vm["name"] == name).filter(|vm| wanted(vm))
    })
}

/// The status and body of a request for a token.
fn token(base: &str, path: &str, selector: &str) -> (u16, Value) {
    let address = base.trim_start_matches("http://").split('/').next().unwrap();
    let Ok(mut connection) = TcpStream::connect(address) else { return (0, Value::Null) };
    let request = format!(
        "GET {path}?api-version=2018-02-01&resource=r{selector} HTTP/1.1\r\nHost: {address}\r\nMetadata: true\r\n"
    );
    write!(connection, "{request}Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

fn imds(vm: &Value, selector: &str) -> (u16, Value) {
    token(vm["imds"].as_str().unwrap(), "/metadata/identity/oauth2/token", selector)
}

fn extension_body(port: u16, tag: &str) -> Value {
    json!({"location": "westus", "properties": {
        "publisher": "Microsoft.ManagedIdentity", "type": "ManagedIdentityExtensionForLinux",
        "typeHandlerVersion": "1.0", "settings": {"port": port}, "forceUpdateTag": tag,
    }})
}

#[test]
fn identities_that_come_and_go_are_seen_at_once() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let arm = Arm::of(&up.ready);
    let vm = format!("{}/Microsoft.Compute/virtualMachines/vm2", arm.providers);
    let identity = format!("{}/Microsoft.ManagedIdentity/userAssignedIdentities/id1", arm.providers);
    let made = arm.send("PUT", &identity, &json!({"location": "westus"}));
    let client = made.body["properties"]["clientId"].as_str().unwrap().to_owned();
    let selector = format!("&client_id={client}");
    arm.done("PUT", &vm, &json!({"location": "westus", "identity": {"type": "SystemAssigned"}}));
    let told = vm_when(home.path(), "vm2", |_| true);
    assert_eq!(imds(&told, "").0, 200);
    for _ in 0..3 {
        assert_eq!(imds(&told, &selector).0, 400);
        let assign = |value: Value| json!({"identity": {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {&identity: value}}});
        arm.done("PATCH", &vm, &assign(json!({})));
        assert_eq!(imds(&told, &selector).1["client_id"], client.as_str());
        arm.done("PATCH", &vm, &assign(Value::Null));
    }
    let before = imds(&told, "").1["client_id"].clone();
    arm.done("PATCH", &vm, &json!({"identity": {"type": "None"}}));
    assert_eq!(imds(&told, "").0, 400);
    arm.done("PATCH", &vm, &json!({"identity": {"type": "SystemAssigned"}}));
    assert_ne!(imds(&told, "").1["client_id"], before, "another identity, not the one that was deleted");
    arm.done("DELETE", &vm, &Value::Null);
    eventually("nobody answers for a machine that is gone", || (imds(&told, "").0 == 0).then_some(()));
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

/// A request whose body is still to come: it keeps its endpoint from ending.
struct Slow(TcpStream);

impl Slow {
    fn begin(url: &str) -> Self {
        let host = url.trim_start_matches("http://").split('/').next().unwrap();
        let mut connection = TcpStream::connect(host).unwrap();
        let form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 10";
        let head = format!(
            "POST /oauth2/token HTTP/1.1\r\nHost: {host}\r\nMetadata: true\r\nConnection: close\r\n{form}\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).unwrap();
        Self(connection)
    }

    fn finish(mut self) {
        self.0.write_all(b"resource=r").unwrap();
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    }
}

#[test]
fn a_machine_made_anew_keeps_its_credentials_when_the_old_one_is_gone_at_last() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let arm = Arm::of(&up.ready);
    let vm = format!("{}/Microsoft.Compute/virtualMachines/vm2", arm.providers);
    let extension = format!("{vm}/{EXTENSION}");
    let system = json!({"location": "westus", "identity": {"type": "SystemAssigned"}});
    arm.done("PUT", &vm, &system);
    let port = free_port();
    assert_eq!(arm.done("PUT", &extension, &extension_body(port, "1")), "Succeeded");
    let url = vm_when(home.path(), "vm2", |vm| vm["extension"].is_string())["extension"].clone();
    let slow = Slow::begin(url.as_str().unwrap());
    arm.done("DELETE", &vm, &Value::Null);
    arm.done("PUT", &vm, &system);
    let begun = arm.send("PUT", &extension, &extension_body(port, "2"));
    // The new one must not get ahead of the old one, which it would do in this time.
    let state = || arm.send("GET", &extension, &Value::Null).body["properties"]["provisioningState"].clone();
    let _ = (0..100).find(|_| state() == "Succeeded");
    slow.finish();
    assert_eq!(arm.follow(begun.header("azure-asyncoperation").unwrap()), "Succeeded");
    let credentials = home.path().join("data/guests/vm2/var/lib/symbolon/identities");
    let told = vm_when(home.path(), "vm2", |vm| vm["extension"].is_string());
    assert_eq!(token(told["extension"].as_str().unwrap(), "/oauth2/token", "").0, 200);
    assert_eq!(std::fs::read_dir(credentials).map(Iterator::count).unwrap_or_default(), 1);
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

#[test]
fn a_machine_that_comes_with_its_extension_waits_for_its_folder_too() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let arm = Arm::of(&up.ready);
    let set = format!("{}/Microsoft.Compute/virtualMachineScaleSets/ss", arm.providers);
    assert_eq!(arm.done("PUT", &set, &scale_set(1)), "Succeeded");
    let url = vm_when(home.path(), "ss_0", |vm| vm["extension"].is_string())["extension"].clone();
    let slow = Slow::begin(url.as_str().unwrap());
    arm.done("DELETE", &set, &Value::Null);
    let begun = arm.send("PUT", &set, &scale_set(1));
    slow.finish();
    assert_eq!(arm.follow(begun.header("azure-asyncoperation").unwrap()), "Succeeded");
    let told = vm_when(home.path(), "ss_0", |vm| vm["extension"].is_string());
    assert_eq!(token(told["extension"].as_str().unwrap(), "/oauth2/token", "").0, 200);
    let credentials = home.path().join("data/guests/ss_0/var/lib/symbolon/identities");
    assert_eq!(std::fs::read_dir(credentials).map(Iterator::count).unwrap_or_default(), 1);
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

/// A scale set whose machines have the extension.
fn scale_set(machines: u32) -> Value {
    json!({
        "location": "westus", "identity": {"type": "SystemAssigned"},
        "sku": {"name": "Standard_B1s", "capacity": machines},
        "properties": {"upgradePolicy": {"mode": "Automatic"}, "virtualMachineProfile": {"extensionProfile": {
            "extensions": [{"name": "msi", "properties": {
                "publisher": "Microsoft.ManagedIdentity", "type": "ManagedIdentityExtensionForLinux",
                "typeHandlerVersion": "1.0", "settings": {"port": 50342},
            }}],
        }}},
    })
}

/// The address of a VM's metadata service.
fn address(vm: &Value) -> String {
    vm["imds"].as_str().unwrap().trim_start_matches("http://").to_owned()
}

/// Whether changes were answered though not everyone had seen them. One may be, where the machine has more to do.
fn late(log: &str) -> bool {
    log.matches("before it was seen").count() > 1
}

#[test]
fn a_metadata_service_that_cannot_open_again_is_that_machines_affair_alone() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("seed.yaml"), "virtualMachines: [{name: one}, {name: two}]").unwrap();
    let up = Up::start(home.path(), &["--seed=seed.yaml"]);
    let arm = Arm::of(&up.ready);
    let [one, two] = ["one", "two"].map(|name| format!("{}/Microsoft.Compute/virtualMachines/{name}", arm.providers));
    let told = |name| vm_when(home.path(), name, |_| true);
    assert_eq!(arm.done("POST", &format!("{two}/deallocate"), &Value::Null), "Succeeded");
    let taken = eventually("its address is free", || std::net::TcpListener::bind(address(&told("two"))).ok());
    assert_eq!(arm.done("POST", &format!("{two}/start"), &Value::Null), "AllocationFailed");
    // Everyone else's changes are in force when they are answered, as ever.
    let system = json!({"location": "westus", "identity": {"type": "SystemAssigned"}});
    arm.done("PATCH", &one, &system);
    assert_eq!(imds(&told("one"), "").0, 200);
    arm.done("PUT", &format!("{}/Microsoft.Compute/virtualMachines/three", arm.providers), &system);
    assert_eq!(imds(&told("three"), "").0, 200);
    // So are its own as soon as they can be.
    arm.done("PATCH", &two, &system);
    drop(taken);
    eventually("the metadata service opens", || (imds(&told("two"), "").0 == 200).then_some(()));
    let (code, log) = up.end(Signal::TERM);
    assert_eq!((code, late(&log)), (Some(0), false), "{log}");
    assert_eq!(log.lines().filter(|line| line.contains("ERROR")).count(), 1, "it is told once: {log}");
    assert!(log.contains("virtualmachines/two") && log.contains("is taken by"), "{log}");
}

#[test]
fn a_new_machine_without_an_address_says_so_to_whoever_asks_and_gets_one_later() {
    let home = tempfile::tempdir().unwrap();
    // All the addresses that are tried.
    let (port, mut taken) = eventually("a port that is free everywhere", || {
        let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let bind = |number| std::net::TcpListener::bind(format!("127.0.1.{number}:{port}")).ok();
        Some((port, (1..=65).map(bind).collect::<Option<Vec<_>>>()?))
    });
    let up = Up::start(home.path(), &[&format!("--imds=127.0.0.1:{port}")]);
    let arm = Arm::of(&up.ready);
    let vm = format!("{}/Microsoft.Compute/virtualMachines/late", arm.providers);
    let extension = format!("{vm}/{EXTENSION}");
    arm.done("PUT", &vm, &json!({"location": "westus", "identity": {"type": "SystemAssigned"}}));
    assert_eq!(arm.done("PUT", &extension, &extension_body(port, "1")), "VMExtensionProvisioningError");
    assert_eq!(arm.done("POST", &format!("{vm}/restart"), &Value::Null), "AllocationFailed");
    assert_eq!(arm.done("DELETE", &extension, &Value::Null), "Succeeded");
    assert_eq!(vms(home.path()).len(), 1);
    drop(taken.remove(3));
    let told = vm_when(home.path(), "late", |_| true);
    assert_eq!((address(&told), imds(&told, "").0), (format!("127.0.1.4:{port}"), 200));
    arm.done("DELETE", &vm, &Value::Null);
    let (code, log) = up.end(Signal::TERM);
    assert_eq!((code, late(&log)), (Some(0), false), "{log}");
}

#[test]
fn machines_of_a_scale_set_act_as_it_and_outlive_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let arm = Arm::of(&up.ready);
    let set = format!("{}/Microsoft.Compute/virtualMachineScaleSets/ss", arm.providers);
    assert_eq!(arm.done("PUT", &set, &scale_set(2)), "Succeeded");
    let principal = arm.send("GET", &set, &Value::Null).body["identity"]["principalId"].clone();
    let told: Vec<Value> =
        (0..2).map(|number| vm_when(home.path(), &format!("ss_{number}"), |vm| vm["extension"].is_string())).collect();
    for vm in &told {
        assert_eq!(imds(vm, "").0, 200);
        assert_eq!(vm["identities"][0]["principalId"], principal);
        assert_eq!(token(vm["extension"].as_str().unwrap(), "/oauth2/token", "").0, 200);
    }
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    let up = Up::start(home.path(), &[]);
    let names: Vec<_> = up.ready["vms"].as_array().unwrap().iter().map(|vm| vm["name"].clone()).collect();
    assert_eq!(names, ["dev", "ss_0", "ss_1"]);
    let arm = Arm::of(&up.ready);
    let smaller = json!({"sku": {"capacity": 0}});
    assert_eq!(arm.done("PATCH", &set, &smaller), "Succeeded");
    assert_eq!(vms(home.path()).len(), 1);
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}
