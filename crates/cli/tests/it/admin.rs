//! The admin's commands on the control plane.

use super::*;

/// What a command of a running `up` says, without what differs from run to run.
fn say(up: &Up, home: &Path, args: &[&str]) -> String {
    let all: Vec<_> = args.iter().copied().chain(["--data-dir=data"]).collect();
    let mut text = told(&run(home, &all), &[(up.text("subscriptionId"), "SUBSCRIPTION"), (up.text("arm"), "ARM")]);
    for vm in up.ready["vms"].as_array().unwrap() {
        text = text.replace(vm["imds"].as_str().unwrap(), "IMDS");
        text = text.replace(vm["extension"].as_str().unwrap_or("nothing"), "EXTENSION");
    }
    text
}

fn home() -> (tempfile::TempDir, Up) {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    (home, up)
}

#[test]
fn a_vm_comes_changes_and_goes() {
    let (home, up) = home();
    let say = |args: &[&str]| say(&up, home.path(), args);
    insta::assert_snapshot!(say(&["vm", "list"]), @r"
    exit 0
    --- stdout
     name  location    size          identity              metadata service        extension
     dev   westeurope  Standard_B1s  system-assigned, app  IMDS  EXTENSION
    --- stderr
    ");
    let made = say(&["vm", "create", "web", "--system-assigned", "--user-assigned=app", "--tag=a=b"]);
    for part in ["exit 0\n", "identity          system-assigned, app\n", "metadata service  http://127.0.1.1:", "a=b\n"]
    {
        assert!(made.contains(part), "{part}\n{made}");
    }
    insta::assert_snapshot!(say(&["vm", "identity", "remove", "web", "--user-assigned=app"]), @r"
    exit 0
    --- stdout
    VM 'web' has: system-assigned
    --- stderr
    ");
    insta::assert_snapshot!(say(&["vm", "identity", "remove", "web", "--user-assigned=app"]), @r"
    exit 1
    --- stdout
    --- stderr
    error: 'web' has no identity 'app'; it has: system-assigned
    ");
    insta::assert_snapshot!(say(&["vm", "identity", "assign", "web", "--user-assigned=app"]), @r"
    exit 0
    --- stdout
    VM 'web' has: system-assigned, app
    --- stderr
    ");
    insta::assert_snapshot!(say(&["vm", "identity", "remove", "web", "--system-assigned", "--user-assigned=app"]), @r"
    exit 0
    --- stdout
    VM 'web' has: -
    --- stderr
    ");
    for (action, doing, done) in [
        ("restart", "restarting", "runs again"),
        ("stop", "stopping", "is stopped"),
        ("start", "starting", "runs"),
        ("deallocate", "deallocating", "is stopped and deallocated"),
    ] {
        let wanted = format!("exit 0\n--- stdout\nVM 'web' {done}\n--- stderr\n{doing} VM 'web' ...\n");
        assert_eq!(say(&["vm", action, "web"]), wanted);
    }
    insta::assert_snapshot!(say(&["extension", "set", "--vm=web", "--port=50399"]), @r"
    exit 1
    --- stdout
    --- stderr
    error: OperationNotAllowed: Cannot modify extensions in the VM when the VM is not running.
    see its state with the `show` command or symbolon migrate status; a VM that is off is started with symbolon vm start
    ");
    let begun = say(&["vm", "start", "web", "--no-wait"]);
    assert!(
        begun.starts_with("exit 0\n--- stdout\n--- stderr\nstarting VM 'web': it goes on; its state is at ARM/"),
        "{begun}"
    );
    insta::assert_snapshot!(say(&["vm", "delete", "web"]), @r"
    exit 0
    --- stdout
    VM 'web' is deleted
    --- stderr
    deleting VM 'web' ...
    ");
    insta::assert_snapshot!(say(&["vm", "delete", "web"]), @r"
    exit 0
    --- stdout
    VM 'web' wasn't there
    --- stderr
    ");
    insta::assert_snapshot!(say(&["vm", "show", "web"]), @r"
    exit 1
    --- stdout
    --- stderr
    error: ResourceNotFound: The Resource 'Microsoft.Compute/virtualMachines/web' under resource group 'dev' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix
    the `list` commands say what is there; another resource group is named with -g
    ");
    insta::assert_snapshot!(say(&["vm", "list", "-g=nope"]), @r"
    exit 1
    --- stdout
    --- stderr
    error: ResourceGroupNotFound: Resource group 'nope' could not be found.
    name a resource group that is there with -g, or make it with az group create
    ");
}

#[test]
fn json_is_what_the_server_answered() {
    let (home, up) = home();
    let json = |args: &[&str]| {
        let all: Vec<_> = args.iter().copied().chain(["--data-dir=data", "--json"]).collect();
        let output = run(home.path(), &all);
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|_| panic!("{}", told(&output, &[])))
    };
    let vm = &up.ready["vms"][0];
    assert_eq!(json(&["vm", "list"])["value"][0]["id"], vm["id"]);
    let shown = json(&["vm", "show", vm["id"].as_str().unwrap()]);
    assert_eq!(shown["identity"]["principalId"], vm["identities"][0]["principalId"]);
    assert_eq!(json(&["identity", "show", "app"])["properties"]["clientId"], vm["identities"][1]["clientId"]);
    assert_eq!(json(&["identity", "create", "more", "--location=north"])["location"], "north");
    assert_eq!(json(&["identity", "list"])["value"].as_array().unwrap().len(), 2);
    assert_eq!(json(&["vm", "restart", "dev"])["status"], "Succeeded");
    assert_eq!(json(&["deployment", "export"])["error"]["code"], "ExportTemplateCompletedWithErrors");
}

#[test]
fn an_extension_comes_moves_and_goes() {
    let (home, up) = home();
    let [port, other] = [free_port(), free_port()].map(|port| port.to_string());
    let say = |args: &[&str]| say(&up, home.path(), args).replace(&port, "PORT").replace(&other, "OTHER");
    say(&["vm", "create", "web", "--system-assigned"]);
    std::fs::write(home.path().join("settings.json"), format!("{{\"port\": {port}}}")).unwrap();
    std::fs::write(home.path().join("secret.json"), r#"{"k": "a-word-that-stays-inside"}"#).unwrap();
    let set = ["extension", "set", "--vm=web", "--settings=settings.json", "--protected-settings=secret.json"];
    insta::assert_snapshot!(say(&set), @r#"
    exit 0
    --- stdout
    name        ManagedIdentityExtensionForLinux
    id          /subscriptions/SUBSCRIPTION/resourceGroups/dev/providers/Microsoft.Compute/virtualMachines/web/extensions/ManagedIdentityExtensionForLinux
    publisher   Microsoft.ManagedIdentity
    type        ManagedIdentityExtensionForLinux
    version     1.0
    settings    {"port":PORT}
    update tag  -
    state       Succeeded
    --- stderr
    setting extension 'ManagedIdentityExtensionForLinux' of VM 'web' ...
    "#);
    assert!(say(&["vm", "list"]).contains("http://127.0.1.1:PORT/oauth2/token"));
    let again = say(&["extension", "set", "--vm=web", "--force-update"]);
    assert!(again.contains(r#"{"port":PORT}"#) && !again.contains("update tag  -"), "the settings stay: {again}");
    assert!(say(&["extension", "set", "--vm=web", &format!("--port={other}")]).starts_with("exit 0\n"));
    let shown = say(&["extension", "show", "--vm=web"]);
    assert!(shown.contains("Tokens are served at http://127.0.1.1:OTHER/oauth2/token."), "{shown}");
    assert!(say(&["extension", "list", "--vm=web"]).contains(r#"1.0      {"port":OTHER}  Succeeded"#));
    for (action, doing, done) in [("disable", "disabling", "is disabled"), ("enable", "enabling", "is enabled")] {
        let title = "extension 'ManagedIdentityExtensionForLinux' of VM 'web'";
        let wanted = format!("exit 0\n--- stdout\n{title} {done}\n--- stderr\n{doing} {title} ...\n");
        assert_eq!(say(&["extension", action, "--vm=web"]), wanted);
        assert_eq!(say(&["extension", "show", "--vm=web"]).contains("report      Disabled"), action == "disable");
    }
    insta::assert_snapshot!(say(&["extension", "delete", "--vm=web"]), @r"
    exit 0
    --- stdout
    extension 'ManagedIdentityExtensionForLinux' of VM 'web' is deleted
    --- stderr
    deleting extension 'ManagedIdentityExtensionForLinux' of VM 'web' ...
    ");
    insta::assert_snapshot!(say(&["extension", "set", "--vm=web", "--settings=env:NOT_THERE"]), @r"
    exit 1
    --- stdout
    --- stderr
    error: the environment variable NOT_THERE isn't set
    ");
    std::fs::write(home.path().join("secret.json"), "{\"k\": hush}").unwrap();
    insta::assert_snapshot!(say(&["extension", "set", "--vm=web", "--protected-settings=secret.json"]), @r"
    exit 1
    --- stdout
    --- stderr
    error: secret.json isn't a JSON object: line 1, column 7
    ");
    assert!(say(&["extension", "list"]).starts_with("exit 2\n"));
    assert!(say(&["extension", "list", "--vm=web", "--vmss=web"]).starts_with("exit 2\n"));
    assert!(say(&["vm", "identity", "assign", "web"]).starts_with("exit 2\n"));
}

#[test]
fn a_scale_set_is_upgraded() {
    let (home, up) = home();
    let port = free_port().to_string();
    let say = |args: &[&str]| say(&up, home.path(), args).replace(&port, "PORT");
    assert!(say(&["vmss", "create", "ss", "--system-assigned"]).contains("\nupgrade policy  Manual\n"));
    assert!(say(&["extension", "set", "--vmss=ss", &format!("--port={port}")]).contains("\nstate       Succeeded\n"));
    let before = say(&["vmss", "instances", "ss"]);
    assert_eq!(before.matches("no; vmss upgrade brings it there").count(), 2, "{before}");
    insta::assert_snapshot!(say(&["vmss", "upgrade", "ss", "--instance=0"]), @r"
    exit 0
    --- stdout
    what was named of scale set 'ss' follows the model
    --- stderr
    upgrading scale set 'ss' ...
    ");
    assert_eq!(say(&["vmss", "instances", "ss"]).matches(":PORT/oauth2/token").count(), 1);
    assert!(say(&["vmss", "upgrade", "ss"]).contains("every machine of scale set 'ss' follows the model"));
    assert_eq!(say(&["vmss", "instances", "ss"]).matches(":PORT/oauth2/token").count(), 2);
    assert!(say(&["extension", "delete", "--vmss=ss"]).starts_with("exit 0\n"));
    insta::assert_snapshot!(say(&["vmss", "list"]), @r"
    exit 0
    --- stdout
     name  location    size          machines  upgrade policy  identity
     ss    westeurope  Standard_B1s  2         Manual          system-assigned
    --- stderr
    ");
    assert!(say(&["vmss", "show", "ss"]).contains("\nmachines        2\n"));
    assert!(say(&["vmss", "delete", "ss"]).contains("scale set 'ss' is deleted"));
}

/// A VM whose name and size are the caller's.
const TEMPLATE: &str = r#"{
  // What there is.
  "contentVersion": "1.0.0.0", "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "parameters": {"name": {"type": "string"}, "cores": {"type": "int", "defaultValue": 1}},
  "resources": [{
    "type": "Microsoft.Compute/virtualMachines", "apiVersion": "2024-11-01", "name": "[parameters('name')]", "location": "north",
    "properties": {"hardwareProfile": {"vmSize": "[format('Standard_B{0}s', parameters('cores'))]"}}
  }],
  "outputs": {"name": {"type": "string", "value": "[parameters('name')]"}}
}
// The end."#;

#[test]
fn templates_are_checked_compared_deployed_and_listed() {
    let (home, up) = home();
    let say = |args: &[&str]| say(&up, home.path(), args);
    std::fs::write(home.path().join("t.json"), TEMPLATE).unwrap();
    std::fs::write(home.path().join("p.json"), r#"{"parameters": {"name": {"value": "web"}}}"#).unwrap();
    insta::assert_snapshot!(say(&["deployment", "validate", "--template=t.json", "--parameters", "p.json", "cores=2"]), @r"
    exit 0
    --- stdout
    the template is valid; it would deploy:
      /subscriptions/SUBSCRIPTION/resourceGroups/dev/providers/Microsoft.Compute/virtualMachines/web
    --- stderr
    ");
    insta::assert_snapshot!(say(&["deployment", "validate", "--template=t.json"]), @r"
    exit 1
    --- stdout
    --- stderr
    error: InvalidTemplate: Deployment template validation failed: 'The value for the template parameter 'name' at line '4' and column '26' is not provided. Please see https://aka.ms/arm-create-parameter-file for usage details.'
    correct what it names and try again
    ");
    let made = say(&["deployment", "create", "d1", "--template=t.json", "--parameters=name=web"]);
    for part in ["exit 0\n", "state     Succeeded\n", "output    name = web\n", "deploying 'd1' ...\n"] {
        assert!(made.contains(part), "{part}\n{made}");
    }
    let compared = say(&["deployment", "what-if", "--template=t.json", "--parameters", "name=web", "cores=2"]);
    assert!(compared.contains("Modify    /subscriptions/SUBSCRIPTION"), "{compared}");
    assert!(compared.contains("properties.hardwareProfile.vmSize: Standard_B1s -> Standard_B2s"), "{compared}");
    assert!(say(&["deployment", "list"]).contains(" d1    Succeeded  Incremental"));
    assert!(say(&["deployment", "show", "d1"]).contains("state     Succeeded\n"));
    let exported = say(&["deployment", "export"]);
    assert!(exported.starts_with("exit 0\n") && exported.contains("ExportTemplateProviderError"), "{exported}");
    assert!(say(&["deployment", "show", "d9"]).contains("error: DeploymentNotFound: "));
}

/// The lines for the Azure CLI: as pasted into a shell, with a stand-in that tells what it was given.
#[test]
fn the_lines_for_az_work_as_pasted() {
    let home = tempfile::tempdir().unwrap();
    let mut child = symbolon(home.path())
        .args(["up", "--data-dir=a b"])
        .args(FREE.iter().filter(|option| **option != "--json"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut report = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        report.push(line.unwrap());
        if report.last().unwrap().starts_with("ready in ") {
            break;
        }
    }
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::TERM).unwrap();
    child.wait().unwrap();
    let lines: Vec<_> = report.iter().skip_while(|line| !line.contains("Azure CLI")).skip(1).take(5).collect();
    let script: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let stub = "az() { printf '%s|' \"$@\"; echo; }\n";
    let pasted =
        Command::new("sh").args(["-c", &format!("{stub}{script}cat \"$REQUESTS_CA_BUNDLE\"")]).output().unwrap();
    let pasted = String::from_utf8(pasted.stdout).unwrap();
    let admin: Value = serde_json::from_slice(&std::fs::read(home.path().join("a b/admin.json")).unwrap()).unwrap();
    let secret = admin["clientSecret"].as_str().unwrap();
    assert!(pasted.contains("cloud|register|-n|symbolon|--endpoint-resource-manager|https://localhost:"), "{pasted}");
    assert!(pasted.contains("config|set|core.instance_discovery=false|\n"), "{pasted}");
    assert!(pasted.contains(&format!("|--password={secret}|--tenant|")), "{pasted}");
    assert!(pasted.contains("BEGIN CERTIFICATE"), "{pasted}");
    assert!(!report.iter().any(|line| line.contains(secret)), "the secret isn't shown");
    assert!(report.iter().any(|line| line.trim().starts_with("AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:")));
}
