//! The endpoints of extensions that come, move and go.

use super::*;

/// A port that was free a moment ago, at localhost.
fn localhost_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn the_extensions_port_opens_moves_and_closes() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let arm = Arm::of(&up.ready);
    let vm = format!("{}/Microsoft.Compute/virtualMachines/vm2", arm.providers);
    let extension = format!("{vm}/{EXTENSION}");
    arm.done("PUT", &vm, &json!({"location": "westus"}));
    let told = vm_when(home.path(), "vm2", |_| true);
    let (first, second) = (free_port(), free_port());
    // Without an identity the handler fails for good, and says why.
    assert_eq!(arm.done("PUT", &extension, &extension_body(first, "1")), "VMExtensionHandlerNonTransientError");
    arm.done("PATCH", &vm, &json!({"identity": {"type": "SystemAssigned"}}));
    assert_eq!(arm.done("PUT", &extension, &extension_body(first, "2")), "Succeeded");
    let at = |vm: &Value| vm["extension"].as_str().map(str::to_owned);
    let url = at(&vm_when(home.path(), "vm2", |vm| at(vm).is_some())).unwrap();
    assert!(url.ends_with(&format!(":{first}/oauth2/token")), "{url}");
    assert_eq!(token(&url, "/oauth2/token", "").0, 200);
    // Moved.
    assert_eq!(arm.done("PUT", &extension, &extension_body(second, "2")), "Succeeded");
    assert_eq!(token(&url, "/oauth2/token", "").0, 0);
    let moved = at(&vm_when(home.path(), "vm2", |vm| at(vm).is_some_and(|at| at != url))).unwrap();
    assert_eq!(token(&moved, "/oauth2/token", "").0, 200);
    // Off, and on again.
    assert_eq!(arm.done("POST", &format!("{vm}/deallocate"), &Value::Null), "Succeeded");
    assert_eq!((token(&moved, "/oauth2/token", "").0, imds(&told, "").0), (0, 0));
    let refused = arm.send("PUT", &extension, &extension_body(second, "3"));
    assert_eq!((refused.status, &refused.body["error"]["code"]), (409, &json!("OperationNotAllowed")));
    assert_eq!(arm.done("POST", &format!("{vm}/start"), &Value::Null), "Succeeded");
    assert_eq!((token(&moved, "/oauth2/token", "").0, imds(&told, "").0), (200, 200));
    assert_eq!(arm.done("POST", &format!("{vm}/restart"), &Value::Null), "Succeeded");
    assert_eq!(token(&moved, "/oauth2/token", "").0, 200);
    // Disabled, and enabled again.
    assert_eq!(arm.done("POST", &format!("{extension}/disable"), &Value::Null), "Succeeded");
    assert_eq!((token(&moved, "/oauth2/token", "").0, imds(&told, "").0), (0, 200));
    assert_eq!(arm.done("POST", &format!("{vm}/restart"), &Value::Null), "Succeeded");
    assert_eq!(token(&moved, "/oauth2/token", "").0, 0, "it stays so");
    assert_eq!(arm.done("POST", &format!("{extension}/enable"), &Value::Null), "Succeeded");
    assert_eq!(token(&moved, "/oauth2/token", "").0, 200);
    // Gone, with everything on the guest's disk.
    let credentials = home.path().join("data/guests/vm2/var/lib/symbolon/identities");
    assert!(credentials.exists());
    assert_eq!(arm.done("DELETE", &extension, &Value::Null), "Succeeded");
    assert_eq!(token(&moved, "/oauth2/token", "").0, 0);
    assert!(!credentials.exists());
    assert_eq!(arm.send("GET", &extension, &Value::Null).status, 404);
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

#[test]
fn an_extension_set_anew_goes_by_its_settings_and_not_by_the_option_of_the_start() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let arm = Arm::of(&up.ready);
    let extension = format!("{}/Microsoft.Compute/virtualMachines/dev/{EXTENSION}", arm.providers);
    let at_first = up.text("extension").to_owned();
    assert_eq!(arm.done("DELETE", &extension, &Value::Null), "Succeeded");
    assert_eq!(token(&at_first, "/oauth2/token", "").0, 0);
    let port = localhost_port();
    assert_eq!(arm.done("PUT", &extension, &extension_body(port, "1")), "Succeeded");
    let url = format!("http://localhost:{port}/oauth2/token");
    vm_when(home.path(), "dev", |vm| vm["extension"] == url.as_str());
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

/// A VM may have one for each operating system.
#[test]
fn two_extensions_share_a_port_or_have_one_each() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let arm = Arm::of(&up.ready);
    let vm = format!("{}/Microsoft.Compute/virtualMachines/vm2", arm.providers);
    let named = |system: &str| format!("{vm}/extensions/ManagedIdentityExtensionFor{system}");
    let (linux, windows) = (named("Linux"), named("Windows"));
    let body = |port: u16, tag: &str, system: &str| {
        let mut body = extension_body(port, tag);
        body["properties"]["type"] = format!("ManagedIdentityExtensionFor{system}").into();
        body
    };
    arm.done("PUT", &vm, &json!({"location": "westus", "identity": {"type": "SystemAssigned"}}));
    let told = vm_when(home.path(), "vm2", |_| true);
    let ip = address(&told).split(':').next().unwrap().to_owned();
    let (first, second) = (free_port(), free_port());
    let status = |port: u16| token(&format!("http://{ip}:{port}"), "/oauth2/token", "").0;
    let discovery = || {
        let file = home.path().join("data/guests/vm2/var/lib/waagent/ManagedIdentity-Settings");
        std::fs::read_to_string(file).unwrap_or_default()
    };
    assert_eq!(arm.done("PUT", &linux, &body(first, "1", "Linux")), "Succeeded");
    // Another port.
    assert_eq!(arm.done("PUT", &windows, &body(second, "1", "Windows")), "Succeeded");
    assert_eq!((status(first), status(second)), (200, 200));
    assert!(discovery().contains(&format!(":{first}\"")), "{}", discovery());
    assert_eq!(arm.done("POST", &format!("{vm}/restart"), &Value::Null), "Succeeded");
    assert_eq!((status(first), status(second)), (200, 200));
    assert_eq!(arm.done("DELETE", &linux, &Value::Null), "Succeeded");
    assert_eq!((status(first), status(second)), (0, 200));
    assert!(discovery().contains(&format!(":{second}\"")), "{}", discovery());
    // The same one, which stays until the last has gone.
    assert_eq!(arm.done("PUT", &linux, &body(second, "2", "Linux")), "Succeeded");
    let slow = Slow::begin(&format!("http://{ip}:{second}/oauth2/token"));
    assert_eq!(arm.done("DELETE", &windows, &Value::Null), "Succeeded");
    assert_eq!(status(second), 200);
    slow.finish();
    assert_eq!(arm.done("PUT", &windows, &body(second, "2", "Windows")), "Succeeded");
    // One that is somebody else's fails the one that wants it.
    let taken = std::net::TcpListener::bind((ip.as_str(), 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    assert_eq!(arm.done("PUT", &linux, &body(port, "3", "Linux")), "VMExtensionProvisioningError");
    assert_eq!(status(second), 200);
    assert_eq!(arm.done("DELETE", &windows, &Value::Null), "Succeeded");
    assert_eq!(arm.done("DELETE", &linux, &Value::Null), "Succeeded");
    assert_eq!((status(second), discovery()), (0, String::new()));
    assert!(!home.path().join("data/guests/vm2/var/lib/symbolon/identities").exists());
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

#[test]
fn the_start_holds_no_port_of_a_machine_that_is_off() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let vm = format!("{}/Microsoft.Compute/virtualMachines/dev", Arm::of(&up.ready).providers);
    assert_eq!(Arm::of(&up.ready).done("POST", &format!("{vm}/deallocate"), &Value::Null), "Succeeded");
    assert_eq!(up.end(Signal::TERM).0, Some(0));
    let port = localhost_port();
    let up = Up::start(home.path(), &[&format!("--extension-port={port}")]);
    assert!(TcpStream::connect(("localhost", port)).is_err());
    assert_eq!(Arm::of(&up.ready).done("POST", &format!("{vm}/start"), &Value::Null), "Succeeded");
    assert_eq!(token(&format!("http://localhost:{port}"), "/oauth2/token", "").0, 200);
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

#[test]
fn the_start_holds_no_port_of_a_machine_without_identity() {
    let home = tempfile::tempdir().unwrap();
    let seed = "virtualMachines: [{name: bare, extensions: [{type: ManagedIdentityExtensionForLinux}]}]";
    std::fs::write(home.path().join("seed.yaml"), seed).unwrap();
    let port = localhost_port();
    let up = Up::start(home.path(), &["--seed=seed.yaml", &format!("--extension-port={port}")]);
    assert!(TcpStream::connect(("localhost", port)).is_err());
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

#[test]
fn a_port_that_is_taken_fails_the_extension_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let arm = Arm::of(&up.ready);
    let vm = format!("{}/Microsoft.Compute/virtualMachines/vm2", arm.providers);
    arm.done("PUT", &vm, &json!({"location": "westus", "identity": {"type": "SystemAssigned"}}));
    let told = vm_when(home.path(), "vm2", |_| true);
    let address = told["imds"].as_str().unwrap().trim_start_matches("http://").split(':').next().unwrap().to_owned();
    let taken = std::net::TcpListener::bind((address, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let extension = format!("{vm}/{EXTENSION}");
    assert_eq!(arm.done("PUT", &extension, &extension_body(port, "1")), "VMExtensionProvisioningError");
    let shown = arm.send("GET", &format!("{extension}?$expand=instanceView"), &Value::Null).body;
    assert_eq!(shown["properties"]["provisioningState"], "Failed");
    let message = shown["properties"]["instanceView"]["statuses"][0]["message"].as_str().unwrap();
    assert!(message.contains(&port.to_string()), "{message}");
    assert_eq!(imds(&told, "").0, 200);
    drop(taken);
    assert_eq!(arm.done("PUT", &extension, &extension_body(port, "2")), "Succeeded");
}
