//! What a guest agent learns and tells of its machine's way to the metadata service.

use super::*;

fn with_substatus(mut handler: HandlerAggregate, below: &[(&str, &str)]) -> HandlerAggregate {
    let below = below.iter().map(|(name, text)| json!({"name": name, "formattedMessage": {"message": text}}));
    if let Some(runtime) = &mut handler.runtime_settings_status {
        runtime.settings_status["status"]["substatus"] = below.collect();
    }
    handler
}

#[tokio::test]
async fn an_agent_is_told_of_a_cutover_and_tells_how_far_it_is() {
    let agent = Agent::new().await;
    let cutover = format!("{}/providers/Symbolon.Migration/cutovers/default", vm("vm1"));
    let want =
        async |step: &str| agent.arm.put(&cutover, json!({"properties": {"step": step, "quietSeconds": 0}})).await;
    let reached = async || agent.arm.get(&cutover).await.is(200).json()["properties"].clone();
    agent.set(json!({})).await.is(201);
    let before = agent.told().await;
    agent.says(before.incarnation, vec![handler("Ready", 0, Some((1, "success")))]).await;
    want("forwarding").await.is(201);
    let told = agent.told().await;
    assert_eq!(told.incarnation, before.incarnation + 1);
    let protected = agent.protected(&told).await;
    let wanted = protected.cutover.unwrap();
    assert_eq!((wanted.step, wanted.imds.port()), (CutoverStep::Forwarding, 80));
    let held = agent.protected(&before).await.identities;
    assert_eq!(protected.identities, held, "nothing is issued anew");

    // What is said of the goal state before counts for nothing, and callers are counted once.
    let callers = r#"[{"day":20833,"client":"old/1","process":"app","uid":7,"calls":3,"last":1799971200},
                      {"day":20833,"client":"too many","calls":18446744073709551615,"last":1799971200},
                      {"day":99999,"client":"a wrong clock","calls":3,"last":8639913600}]"#;
    let says = async |incarnation: u64, step: &str| {
        let below = [("cutover", step), ("callers", callers)];
        agent.says(incarnation, vec![with_substatus(handler("Ready", 0, Some((1, "success"))), &below)]).await;
    };
    says(before.incarnation, "forwarding").await;
    assert_eq!(reached().await["reached"], "serving");
    says(told.incarnation, "serving: nobody answers").await;
    assert_eq!(reached().await["failed"], "nobody answers");
    want("revoked").await.is(409);
    says(told.incarnation, "forwarding").await;
    assert_eq!((&reached().await["reached"], reached().await.get("failed")), (&json!("forwarding"), None));
    let audited = agent.arm.audit().await.len();
    says(told.incarnation, "forwarding").await;
    assert_eq!(agent.arm.audit().await.len(), audited, "the same again is nothing new");
    let list = agent.arm.get(&format!("{}/providers/Symbolon.Migration/machines?days=90", G)).await.is(200).json();
    let of = &list["value"][0]["properties"];
    let believed = of["extensionCalls"]["callers"].as_array().unwrap();
    assert_eq!(believed.len(), 2, "nothing is believed of days to come");
    assert_eq!((&believed[1]["client"], &believed[1]["calls"]), (&json!("too many"), &json!(1_u64 << 40)));
    let caller = &believed[0];
    assert_eq!((&caller["client"], &caller["calls"], &caller["uid"]), (&json!("old/1"), &json!(3), &json!(7)));
    assert_eq!(of["usableCredentials"], 1);

    want("revoked").await.is(200);
    let told = agent.told().await;
    assert_eq!(agent.protected(&told).await.identities, []);
    says(told.incarnation, "revoked").await;
    want("closed").await.is(200);
    says(agent.told().await.incarnation, "closed").await;
    let shown = agent.arm.get(&format!("{}/providers/Symbolon.Migration/machines", G)).await.is(200).json();
    let of = &shown["value"][0]["properties"];
    assert_eq!((&of["usableCredentials"], &of["cutover"]["reached"]), (&json!(0), &json!("closed")));

    // Back at once: new credentials, and those of before stay revoked.
    want("serving").await.is(200);
    let told = agent.told().await;
    let back = agent.protected(&told).await;
    assert!(back.cutover.is_none() && back.identities.len() == 1 && back.identities != held);
}

/// A proof that fails takes as long as it takes; the extension goes on meanwhile.
#[tokio::test]
async fn until_it_is_proved_credentials_are_renewed_and_it_is_tried_again_when_wanted() {
    let mut agent = Agent::new().await;
    let cutover = format!("{}/providers/Symbolon.Migration/cutovers/default", vm("vm1"));
    agent.set(json!({})).await.is(201);
    agent.says(agent.told().await.incarnation, vec![handler("Ready", 0, Some((1, "success")))]).await;
    let forwarding = json!({"properties": {"step": "forwarding"}});
    agent.arm.put(&cutover, forwarding.clone()).await.is(201);
    let told = agent.told().await;
    let held = agent.protected(&told).await.identities;
    let failing = with_substatus(handler("Ready", 0, Some((1, "success"))), &[("cutover", "serving: nobody answers")]);
    agent.says(told.incarnation, vec![failing]).await;
    agent.arm.world.clock.advance(Duration::from_secs(43_200));
    let renewed = agent.told().await;
    let identities = agent.protected(&renewed).await.identities;
    assert!(identities.len() == 1 && identities != held, "they would run out");

    agent.arm.sign_in_again().await;
    let since = agent.arm.get(&cutover).await.is(200).json()["properties"]["since"].clone();
    agent.arm.put(&cutover, forwarding.clone()).await.is(200);
    let shown = agent.arm.get(&cutover).await.is(200).json()["properties"].clone();
    assert!(shown.get("failed").is_none() && shown["since"] != since, "{shown}");
    assert_eq!(agent.told().await.incarnation, renewed.incarnation + 1, "it is enabled again");
    agent.arm.put(&cutover, forwarding).await.is(200);
    assert_eq!(agent.told().await.incarnation, renewed.incarnation + 1, "it is on its way");
}
