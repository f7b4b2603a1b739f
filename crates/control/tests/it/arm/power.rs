//! Start, restart, stop and deallocate.

use super::*;

#[tokio::test]
async fn each_action_ends_when_the_guest_has_come_there() {
    let arm = Arm::new().await;
    let path = arm.vm("vm1").await;
    for (action, version, located, state) in [
        ("restart", "2022-11-01", false, "running"),
        ("deallocate", "2025-11-01", true, "deallocated"),
        ("start", "2022-11-01", false, "running"),
        ("powerOff", "2024-11-01&skipShutdown=false", true, "stopped"),
        ("START", "2022-11-01", false, "running"),
    ] {
        let answer = arm.post(&format!("{path}/{action}?api-version={version}"), Value::Null).await.is(202);
        assert!(answer.body.is_empty());
        assert_eq!(answer.header("location").is_some(), located, "{action}: az reads a result where there is one");
        assert_eq!(arm.poll(&answer).await.json()["status"], "InProgress", "{action}");
        arm.settle(&Guest::SOUND).await;
        assert_eq!(arm.poll(&answer).await.json()["status"], "Succeeded", "{action}");
        if located {
            arm.get(&local(&answer, "location")).await.is(200);
        }
        let view = arm.get(&format!("{path}/instanceView")).await.json();
        assert_eq!(view["statuses"][1]["code"], format!("PowerState/{state}"), "{action}");
        let agent = if state == "running" { "Ready" } else { "Not Ready" };
        assert_eq!(view["vmAgent"]["statuses"][0]["displayStatus"], agent, "{action}");
    }
}

#[tokio::test]
async fn a_machine_must_be_there_and_the_action_too() {
    let arm = Arm::new().await;
    arm.post(&format!("{}/restart", vm("nope")), Value::Null).await.refuses(404, "ResourceNotFound");
    let path = arm.vm("vm1").await;
    arm.post(&format!("{path}/explode"), Value::Null).await.refuses(404, "NotFound");
    arm.get(&format!("{path}/restart")).await.refuses(404, "InvalidResourceType");
}

#[tokio::test]
async fn who_asks_later_is_what_counts() {
    let arm = Arm::new().await;
    let path = arm.vm("vm1").await;
    let first = arm.post(&format!("{path}/deallocate"), Value::Null).await.is(202);
    let second = arm.post(&format!("{path}/start"), Value::Null).await.is(202);
    arm.settle(&Guest::SOUND).await;
    for answer in [first, second] {
        assert_eq!(arm.poll(&answer).await.json()["status"], "Succeeded");
    }
    let view = arm.get(&format!("{path}/instanceView")).await.json();
    assert_eq!(view["statuses"][1]["code"], "PowerState/running");
}
