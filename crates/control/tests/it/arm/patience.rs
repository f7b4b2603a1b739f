//! How long guests are waited for.

use super::extensions::{body, path, states, stored, with};
use super::*;

impl Arm {
    /// So long passes, and the guests' handlers say now and then that they are at work.
    async fn at_work(&mut self, minutes: u64) {
        for begun in (0..minutes).step_by(20) {
            self.settle(&Guest::busy()).await;
            self.after((minutes - begun).min(20)).await;
        }
    }
}

#[tokio::test]
async fn a_handler_that_is_at_work_for_ninety_minutes_has_failed() {
    let arm = Arm::new().await;
    arm.vm("vm1").await;
    let made = arm.put(&path(LINUX), body(LINUX)).await.is(201);
    // Its time goes on while nothing runs.
    let mut arm = arm.restart().await;
    arm.at_work(89).await;
    assert_eq!(arm.states(&path(LINUX), &made).await, states("Creating", "InProgress"));
    arm.at_work(1).await;
    assert_eq!(arm.states(&path(LINUX), &made).await, states("Failed", "Failed"));
    let text = format!(
        "Provisioning of VM extension '{LINUX}' has timed out. Extension installation may be taking too long, or \
         extension status could not be obtained."
    );
    let error = json!({"code": "VMExtensionProvisioningTimeout", "message": text});
    assert_eq!(arm.poll(&made).await.json()["error"], error);
    // What it says then is what is.
    let id = ResourceId::parse(&path(LINUX)).unwrap();
    let status = Guest::SOUND.status(&arm.world, &stored(&arm).await);
    guest::say(&arm.world, control::arm::guest::Report::Handler { extension: id, status }).await;
    assert_eq!(arm.states(&path(LINUX), &made).await, states("Succeeded", "Failed"), "what ended has ended");
}

#[tokio::test]
async fn a_guest_that_says_nothing_isnt_waited_for_as_long() {
    let error = json!({
        "code": "VMAgentStatusCommunicationError",
        "message": "VM 'vm1' has not reported status for VM agent or extensions. Please verify the VM has a running VM \
                    agent, and can establish outbound connections to Azure storage.",
    });
    // It never says a word, or says none any more.
    for spoke in [false, true] {
        let mut arm = Arm::new().await;
        arm.vm("vm1").await;
        let made = arm.put(&path(LINUX), body(LINUX)).await.is(201);
        if spoke {
            arm.at_work(30).await;
            arm.settle(&Guest::busy()).await;
        }
        arm.after(24).await;
        assert_eq!(arm.states(&path(LINUX), &made).await, states("Creating", "InProgress"));
        arm.after(1).await;
        assert_eq!(arm.states(&path(LINUX), &made).await, states("Failed", "Failed"));
        assert_eq!(arm.poll(&made).await.json()["error"], error);
        // What is said then is what is, and what is wanted then is another try.
        let again = arm.put(&path(LINUX), body(LINUX)).await.is(200);
        arm.settle(&Guest::SOUND).await;
        assert_eq!(arm.states(&path(LINUX), &again).await, states("Succeeded", "Succeeded"));
    }
}

#[tokio::test]
async fn a_machine_that_is_off_is_no_silent_agent() {
    let mut arm = Arm::new().await;
    arm.vm("vm1").await;
    let made = arm.put(&path(LINUX), body(LINUX)).await.is(201);
    arm.post(&format!("{}/powerOff", vm("vm1")), Value::Null).await.is(202);
    arm.after(89).await;
    assert_eq!(arm.poll(&made).await.json()["status"], "InProgress");
    arm.after(1).await;
    assert_eq!(arm.poll(&made).await.json()["error"]["code"], "VMExtensionProvisioningTimeout");
}

#[tokio::test]
async fn each_change_has_its_ninety_minutes() {
    let mut arm = Arm::new().await;
    arm.vm("vm1").await;
    let made = arm.put(&path(LINUX), body(LINUX)).await.is(201);
    arm.at_work(50).await;
    let forced = arm.put(&path(LINUX), with("forceUpdateTag", json!("1"))).await.is(200);
    arm.at_work(40).await;
    assert_eq!(arm.poll(&made).await.json()["status"], "Failed");
    assert_eq!(arm.states(&path(LINUX), &forced).await, states("Updating", "InProgress"));
    arm.at_work(50).await;
    assert_eq!(arm.states(&path(LINUX), &forced).await, states("Failed", "Failed"));
    // The same again is another try.
    let again = arm.put(&path(LINUX), with("forceUpdateTag", json!("1"))).await.is(200);
    arm.settle(&Guest::SOUND).await;
    assert_eq!(arm.states(&path(LINUX), &again).await, states("Succeeded", "Succeeded"));
}

#[tokio::test]
async fn what_a_guest_never_took_away_still_goes_when_it_does() {
    let mut arm = Arm::new().await;
    arm.vm("vm1").await;
    arm.put(&path(LINUX), body(LINUX)).await.is(201);
    arm.settle(&Guest::SOUND).await;
    let deleted = arm.delete(&path(LINUX)).await.is(202);
    arm.after(90).await;
    assert_eq!(arm.states(&path(LINUX), &deleted).await, states("Deleting", "Failed"));
    assert_eq!(arm.poll(&deleted).await.json()["error"]["code"], "VMAgentStatusCommunicationError");
    arm.settle(&Guest::SOUND).await;
    arm.get(&path(LINUX)).await.refuses(404, "ResourceNotFound");
}

/// Nobody saves anything: time alone makes the worker look.
#[tokio::test(start_paused = true)]
async fn it_is_noticed_while_nothing_else_happens() {
    let arm = Arm::new().await;
    arm.vm("vm1").await;
    arm.put(&path(LINUX), body(LINUX)).await.is(201);
    let mut saved = arm.world.store.saved();
    let running = tokio::spawn(control::arm::keep_deploying(arm.world.app.clone()));
    saved.changed().await.expect("it begins with what is old");
    arm.world.clock.advance(Duration::from_secs(90 * 60));
    // It may be looking already, and it looks for what is old again.
    let looked = async {
        while stored(&arm).await.state != ProvisioningState::Failed {
            saved.changed().await.expect("it looks again");
        }
    };
    tokio::time::timeout(Duration::from_secs(600), looked).await.expect("within minutes");
    running.abort();
}
