//! Faults that are ordered: by whom, of what, and what is written down of it.

use super::*;

const PLAYBOOK: &str =
    "/subscriptions/20000000-0000-4000-8000-000000000001/providers/Symbolon.Faults/playbooks/current";

#[tokio::test]
async fn one_is_run_shown_and_stopped() {
    let arm = Arm::new().await;
    arm.get(PLAYBOOK).await.refuses(404, "ResourceNotFound");
    let ran = arm.send(&arm.token, "PUT", PLAYBOOK, "steps:\n  - status: 503\n    count: 2\n").await.is(200);
    let expected = json!({
        "id": PLAYBOOK,
        "name": "current",
        "type": "Symbolon.Faults/playbooks",
        "properties": {
            "startedAt": "2027-01-15T08:00:00Z",
            "steps": [{"number": 1, "fault": "503", "taken": 0}],
            "calls": [],
            "callsForgotten": 0,
        },
    });
    assert_eq!(ran.json(), expected);
    assert_eq!(arm.get(&PLAYBOOK.to_uppercase()).await.is(200).json(), expected);
    assert_eq!(arm.delete(PLAYBOOK).await.is(200).json(), expected);
    arm.delete(PLAYBOOK).await.is(204);
    arm.get(PLAYBOOK).await.refuses(404, "ResourceNotFound");
    let orders = arm.audit().await.into_iter().filter(|(_, action, _)| action.starts_with("Symbolon.Faults/"));
    let orders: Vec<_> = orders.map(|(actor, action, target)| format!("{actor} {action} {target}")).collect();
    let actor = "40000000-0000-4000-8000-0000000000c1";
    let order = |verb: &str| format!("{actor} Symbolon.Faults/playbooks/{verb} {SUB}");
    assert_eq!(orders, [order("write"), order("delete"), order("delete")]);
}

#[tokio::test]
async fn a_mistake_is_told_with_its_place_and_leaves_what_runs() {
    let arm = Arm::new().await;
    arm.send(&arm.token, "PUT", PLAYBOOK, "steps: [{drop: true}]").await.is(200);
    for (body, told) in [
        (&b"steps:\n  - status: 503\n    cuont: 2\n"[..], "The playbook is not valid: 3:5: unknown field `cuont`"),
        (b"", "The playbook is not valid: "),
        (b"\xff", "The playbook is not valid: it is not UTF-8."),
    ] {
        let refused = arm.send(&arm.token, "PUT", PLAYBOOK, body).await.refuses(400, "InvalidRequestContent");
        assert!(refused.message().starts_with(told), "{}", refused.message());
    }
    assert_eq!(arm.get(PLAYBOOK).await.is(200).json()["properties"]["steps"][0]["fault"], "dropped");
}

#[tokio::test]
async fn it_has_one_name_and_one_place() {
    let arm = Arm::new().await;
    for path in [PLAYBOOK.replace("current", "other"), format!("{G}/providers/Symbolon.Faults/playbooks/current")] {
        arm.get(&path).await.refuses(404, "InvalidResourceType");
    }
    arm.head(PLAYBOOK).await.is(405);
    arm.patch(PLAYBOOK, json!({})).await.refuses(405, "MethodNotAllowed");
}
