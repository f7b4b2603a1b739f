//! VM extensions, and what their guests make of them.

use super::*;

pub(super) fn path(name: &str) -> String {
    format!("{}/extensions/{name}", vm("vm1"))
}

pub(super) fn body(handler: &str) -> Value {
    json!({"location": "westus", "properties": extension(handler)})
}

impl Arm {
    /// So long passes, and what guests have said nothing of is looked for.
    pub(crate) async fn after(&mut self, minutes: u64) {
        self.world.clock.advance(Duration::from_secs(minutes * 60));
        self.token = token_of(&self.world, CLIENT, BASE).await;
        control::arm::give_up_once(&self.world.app).await.expect("the store");
    }

    /// Where an extension and what a client polls are.
    pub(super) async fn states(&self, path: &str, polled: &Answer) -> (String, String) {
        let shown = self.get(path).await.is(200).json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&shown["properties"]["provisioningState"]), text(&self.poll(polled).await.json()["status"]))
    }
}

pub(super) fn states(extension: &str, operation: &str) -> (String, String) {
    (extension.to_owned(), operation.to_owned())
}

/// A change of the properties.
pub(super) fn with(name: &str, value: Value) -> Value {
    let mut body = body(LINUX);
    body["properties"][name] = value;
    body
}

#[tokio::test]
async fn comes_and_goes_with_its_guest() {
    let arm = Arm::new().await;
    arm.vm("vm1").await;
    let made = arm.put(&path(LINUX), body(LINUX)).await.is(201);
    assert_eq!(
        made.json(),
        json!({
            "id": path(LINUX), "name": LINUX, "type": "Microsoft.Compute/virtualMachines/extensions",
            "location": "westus",
            "properties": {
                "autoUpgradeMinorVersion": true, "publisher": "Microsoft.ManagedIdentity",
                "settings": {"port": 50342}, "type": LINUX, "typeHandlerVersion": "1.0",
                "provisioningState": "Creating",
            },
        })
    );
    assert!(made.header("location").is_none() && made.header("retry-after").is_some());
    let url = local(&made, "azure-asyncoperation");
    assert!(url.starts_with(&format!("{SUB}/providers/Microsoft.Compute/locations/westus/operations/")), "{url}");
    arm.settle(&Guest::busy()).await;
    let poll = arm.poll(&made).await;
    assert_eq!(poll.header("retry-after"), Some("1"));
    let name = url.rsplit('/').next().unwrap().split('?').next().unwrap();
    assert_eq!(poll.json(), json!({"startTime": TIME, "status": "InProgress", "name": name}));
    let again = arm.put(&path(LINUX), body(LINUX)).await.is(200);
    assert_eq!(again.json()["properties"]["provisioningState"], "Creating", "it is still on its way");
    arm.settle(&Guest::SOUND).await;
    for answer in [&made, &again] {
        let poll = arm.poll(answer).await.json();
        assert_eq!((&poll["status"], &poll["endTime"]), (&json!("Succeeded"), &json!(TIME)));
    }
    let done = arm.put(&path(LINUX), body(LINUX)).await.is(200);
    assert_eq!(done.json()["properties"]["provisioningState"], "Succeeded", "there is nothing to do");
    assert!(done.header("azure-asyncoperation").is_none());
    let shown = arm.get(&format!("{}?$expand=instanceView", path(LINUX))).await.is(200).json();
    assert_eq!(
        shown["properties"]["instanceView"],
        json!({
            "name": LINUX, "type": format!("Microsoft.ManagedIdentity.{LINUX}"), "typeHandlerVersion": "1.0.0.0",
            "statuses": [{
                "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded",
                "message": "", "time": TIME,
            }],
        })
    );
    assert_eq!(arm.get(&format!("{}/extensions", vm("vm1"))).await.is(200).names(), [LINUX]);

    let deleted = arm.delete(&path(LINUX)).await.is(202);
    assert_eq!(arm.get(&path(LINUX)).await.json()["properties"]["provisioningState"], "Deleting");
    let monitor = local(&deleted, "location");
    assert_eq!(monitor, format!("{}&monitor=true", local(&deleted, "azure-asyncoperation")));
    let pending = arm.put(&path(LINUX), body(LINUX)).await.refuses(409, "OperationNotAllowed");
    assert!(pending.message().contains("marked for deletion"));
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.poll(&deleted).await.json()["status"], "Succeeded");
    arm.get(&monitor).await.is(200);
    arm.get(&path(LINUX)).await.refuses(404, "ResourceNotFound");
    arm.delete(&path(LINUX)).await.is(204);
}

#[tokio::test]
async fn fails_as_its_handler_does() {
    for (guest, code, text) in [
        (
            Guest::failing(""),
            "VMExtensionProvisioningError",
            format!(
                "VM has reported a failure when processing extension '{LINUX}' (publisher \
                 'Microsoft.ManagedIdentity' and type '{LINUX}'). Error message: \"the port is taken\"."
            ),
        ),
        (
            Guest::terminal(1009),
            "VMExtensionHandlerNonTransientError",
            format!(
                "Handler 'Microsoft.ManagedIdentity.{LINUX}' has reported failure for VM Extension '{LINUX}' with \
                 terminal error code '1009' and error message: \"the port is taken\"."
            ),
        ),
    ] {
        let arm = Arm::new().await;
        arm.vm("vm1").await;
        let made = arm.put(&path(LINUX), body(LINUX)).await.is(201);
        arm.settle(&guest).await;
        let poll = arm.poll(&made).await.json();
        assert_eq!((&poll["status"], &poll["error"]), (&json!("Failed"), &json!({"code": code, "message": text})));
        let shown = arm.get(&format!("{}?$expand=instanceView", path(LINUX))).await.json();
        assert_eq!(shown["properties"]["provisioningState"], "Failed");
        let status = &shown["properties"]["instanceView"]["statuses"][0];
        assert_eq!((&status["level"], &status["message"]), (&json!("Error"), &json!("the port is taken")));
        // The same request again is another try.
        let again = arm.put(&path(LINUX), body(LINUX)).await.is(200);
        assert_eq!(again.json()["properties"]["provisioningState"], "Updating");
        arm.settle(&Guest::SOUND).await;
        assert_eq!(arm.poll(&again).await.json()["status"], "Succeeded");
        assert_eq!(arm.poll(&made).await.json()["status"], "Failed", "what ended has ended");
    }
}

#[tokio::test]
async fn runs_again_for_another_tag() {
    let arm = Arm::new().await;
    arm.vm("vm1").await;
    arm.put(&path(LINUX), body(LINUX)).await.is(201);
    arm.settle(&Guest::SOUND).await;
    let forced = arm.put(&path(LINUX), with("forceUpdateTag", json!("tag-1"))).await.is(200);
    assert_eq!(forced.json()["properties"]["forceUpdateTag"], "tag-1");
    assert_eq!(forced.json()["properties"]["provisioningState"], "Updating");
    assert_eq!(arm.poll(&forced).await.json()["status"], "InProgress");
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.poll(&forced).await.json()["status"], "Succeeded");
    let same = arm.put(&path(LINUX), with("forceUpdateTag", json!("tag-1"))).await.is(200);
    assert!(same.header("azure-asyncoperation").is_none());
    let patched = arm.patch(&path(LINUX), json!({"properties": {"forceUpdateTag": "1"}})).await.is(200).json();
    assert_eq!(patched["properties"]["settings"], json!({"port": 50342}), "a PATCH keeps the rest");
    assert_eq!(
        (&patched["properties"]["forceUpdateTag"], &patched["properties"]["provisioningState"]),
        (&json!("1"), &json!("Updating"))
    );
    arm.settle(&Guest::SOUND).await;
    let settings = json!({"properties": {"settings": {"port": 50343}}, "tags": {"a": "b"}});
    let patched = arm.patch(&path(LINUX), settings).await.is(200).json();
    assert_eq!((&patched["properties"]["settings"], &patched["tags"]), (&json!({"port": 50343}), &json!({"a": "b"})));
    arm.patch(&path(WINDOWS), json!({})).await.refuses(404, "ResourceNotFound");
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let arm = Arm::new().await;
    arm.put(&path(LINUX), body(LINUX)).await.refuses(404, "ParentResourceNotFound");
    arm.vm("vm1").await;
    arm.put(&path(LINUX), body(LINUX)).await.is(201);
    let second = arm.put(&path("other"), body(LINUX)).await.refuses(400, "BadRequest");
    assert!(second.message().starts_with("Multiple VMExtensions per handler not supported for OS type 'Linux'."));
    arm.put(&path("other"), with("publisher", json!("Nobody"))).await.refuses(404, "ArtifactNotFound");
    arm.put(&path("other"), with("type", json!("Nothing"))).await.refuses(404, "ArtifactNotFound");
    arm.put(&path("other"), with("typeHandlerVersion", json!("9.9"))).await.refuses(404, "ArtifactVersionNotFound");
    for port in [json!(0), json!(65_536), json!(-1), json!("50342"), json!(1.5), json!(true)] {
        let settings = with("settings", json!({"port": port}));
        let wrong = arm.put(&path("other"), settings).await.refuses(400, "InvalidParameter");
        assert_eq!(wrong.json()["error"]["target"], "settings.port", "{port}");
    }
    for (name, value) in [
        ("publisher", Value::Null),
        ("type", json!("")),
        ("typeHandlerVersion", json!(1)),
        ("settings", json!([])),
        ("protectedSettings", json!("x")),
        ("forceUpdateTag", json!({})),
    ] {
        arm.put(&path("other"), with(name, value)).await.refuses(400, "InvalidParameter");
    }
    let slip = arm.put(&path("other"), with("setting", json!({}))).await.refuses(400, "BadRequest");
    assert!(slip.message().contains("'setting'") && slip.message().contains("Path 'properties.setting'"));
    arm.put(&path("other"), json!({"location": "westus"})).await.refuses(400, "InvalidParameter");
    arm.put(&path(LINUX), body(WINDOWS)).await.refuses(409, "PropertyChangeNotAllowed");
    // A handler of the other system may stand beside.
    arm.put(&path(WINDOWS), body(WINDOWS)).await.is(201);
}

#[tokio::test]
async fn cannot_be_changed_while_the_machine_does_not_run() {
    let arm = Arm::new().await;
    let machine = arm.vm("vm1").await;
    arm.put(&path(LINUX), body(LINUX)).await.is(201);
    arm.settle(&Guest::SOUND).await;
    for action in ["deallocate", "powerOff"] {
        arm.post(&format!("{machine}/{action}"), Value::Null).await.is(202);
        let text = "Cannot modify extensions in the VM when the VM is not running.";
        let tag = json!({"properties": {"forceUpdateTag": "1"}});
        for answer in [
            arm.put(&path(WINDOWS), body(WINDOWS)).await,
            arm.patch(&path(LINUX), tag).await,
            arm.delete(&path(LINUX)).await,
        ] {
            assert_eq!(answer.refuses(409, "OperationNotAllowed").message(), text);
        }
    }
    arm.post(&format!("{machine}/start"), Value::Null).await.is(202);
    arm.delete(&path(LINUX)).await.is(202);
}

#[tokio::test]
async fn a_late_report_changes_nothing_that_is_wanted_now() {
    let arm = Arm::new().await;
    arm.vm("vm1").await;
    arm.put(&path(LINUX), body(LINUX)).await.is(201);
    let id = ResourceId::parse(&path(LINUX)).unwrap();
    let old = arm
        .world
        .store
        .read({
            let id = id.clone();
            move |tx| tx.vm_extension(&id)
        })
        .await
        .unwrap()
        .unwrap();
    let forced = arm.put(&path(LINUX), with("forceUpdateTag", json!("2"))).await.is(200);
    let status = Guest::SOUND.status(&arm.world, &old);
    guest::say(&arm.world, control::arm::guest::Report::Handler { extension: id.clone(), status }).await;
    assert_eq!(arm.poll(&forced).await.json()["status"], "InProgress");
    guest::say(&arm.world, control::arm::guest::Report::Gone { extension: id }).await;
    arm.get(&path(LINUX)).await.is(200);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.poll(&forced).await.json()["status"], "Succeeded");
}

/// A machine that is made anew has an extension of the same id, and both are counted from one again.
#[tokio::test]
async fn a_report_of_a_machine_that_was_deleted_is_none_of_the_next() {
    use control::arm::guest::Report;

    let arm = Arm::new().await;
    let (machine, extension) = (ResourceId::parse(&vm("vm1")).unwrap(), ResourceId::parse(&path(LINUX)).unwrap());
    arm.vm("vm1").await;
    arm.put(&path(LINUX), body(LINUX)).await.is(201);
    let (gone, old) = (guest::vm_id(&arm.world, machine.clone()).await, stored(&arm).await);
    arm.delete(&vm("vm1")).await.is(202);
    arm.vm("vm1").await;
    let started = arm.post(&format!("{}/start", vm("vm1")), Value::Null).await.is(202);
    let made = arm.put(&path(LINUX), body(LINUX)).await.is(201);
    assert_eq!(stored(&arm).await.sequence, old.sequence);
    let status = Guest::failing("").status(&arm.world, &old);
    for said in [
        Report::Handler { extension, status },
        Report::Power { vm: machine.clone(), generation: 1 },
        Report::Calls { vm: machine, calls: Vec::new() },
    ] {
        guest::say_as(&arm.world, gone, said).await;
    }
    assert_eq!(arm.states(&path(LINUX), &made).await, states("Creating", "InProgress"));
    assert_eq!(arm.poll(&started).await.json()["status"], "InProgress");
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.states(&path(LINUX), &made).await, states("Succeeded", "Succeeded"));
    assert_eq!(arm.poll(&started).await.json()["status"], "Succeeded");
}

#[tokio::test]
async fn is_disabled_and_enabled_again() {
    let arm = Arm::new().await;
    arm.vm("vm1").await;
    let action = |word: &str| format!("{}/{word}", path(LINUX));
    arm.post(&action("disable"), Value::Null).await.refuses(404, "ResourceNotFound");
    arm.put(&path(LINUX), body(LINUX)).await.is(201);
    arm.settle(&Guest::SOUND).await;

    let disabled = arm.post(&action("disable"), Value::Null).await.is(202);
    assert_eq!(arm.states(&path(LINUX), &disabled).await, states("Updating", "InProgress"));
    assert!(stored(&arm).await.disabled && stored(&arm).await.sequence == 2);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.states(&path(LINUX), &disabled).await, states("Succeeded", "Succeeded"));
    let view = arm.get(&format!("{}/instanceView", vm("vm1"))).await.is(200).json();
    let status = &view["vmAgent"]["extensionHandlers"][0]["status"];
    assert_eq!((&status["displayStatus"], &status["message"]), (&json!("Not Ready"), &json!("Plugin disabled")));
    // There is nothing more to do.
    let again = arm.post(&action("disable"), Value::Null).await.is(202);
    assert_eq!(arm.states(&path(LINUX), &again).await, states("Succeeded", "Succeeded"));
    assert_eq!(stored(&arm).await.sequence, 2);

    // By its own action, and by every change that says what is wanted.
    let enabled = arm.post(&action("enable"), Value::Null).await.is(202);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.states(&path(LINUX), &enabled).await, states("Succeeded", "Succeeded"));
    assert!(!stored(&arm).await.disabled);
    arm.post(&action("disable"), Value::Null).await.is(202);
    arm.settle(&Guest::SOUND).await;
    let put = arm.put(&path(LINUX), body(LINUX)).await.is(200);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.states(&path(LINUX), &put).await, states("Succeeded", "Succeeded"));
    assert!(!stored(&arm).await.disabled && stored(&arm).await.sequence == 5);

    arm.delete(&path(LINUX)).await.is(202);
    arm.post(&action("disable"), Value::Null).await.refuses(409, "OperationNotAllowed");
    arm.post(&format!("{}/powerOff", vm("vm1")), Value::Null).await.is(202);
    arm.post(&action("enable"), Value::Null).await.refuses(409, "OperationNotAllowed");
}

pub(super) async fn stored(arm: &Arm) -> VmExtension {
    let id = ResourceId::parse(&path(LINUX)).unwrap();
    arm.world.store.read(move |tx| tx.vm_extension(&id)).await.unwrap().expect("an extension")
}
