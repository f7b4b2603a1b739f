//! What becomes of a machine and its agent besides its extension: it is off, silent, or its extension is disabled.

use super::*;

#[tokio::test]
async fn a_newer_package_is_noticed_with_the_agents_next_word() {
    let agent = Agent::new().await;
    agent.set(json!({})).await.is(201);
    let told = agent.told().await;
    assert_eq!(told.extensions[0].version, "1.0.10.0");
    agent.packages.versions.lock().unwrap().push("1.0.11.0");
    agent.says(told.incarnation, vec![handler("Ready", 0, Some((1, "success")))]).await;
    let newer = agent.told().await;
    let wanted = &newer.extensions[0];
    assert_eq!((newer.incarnation, wanted.version.as_str(), wanted.sequence), (told.incarnation + 1, "1.0.11.0", 1));
}

#[tokio::test]
async fn a_machine_that_is_off_gets_nothing() {
    let agent = Agent::new().await;
    agent.set(json!({})).await.is(201);
    let told = agent.told().await;
    for action in ["deallocate", "powerOff"] {
        agent.arm.post(&format!("{}/{action}", vm("vm1")), Value::Null).await.is(202);
        assert!(matches!(agent.states.current(&agent.vm, HOST).await, Err(GoalStateError::Off)));
        let key = agent.states.certificates(&agent.vm, &agent.transport.0).await;
        assert!(matches!(key, Err(GoalStateError::Off)), "{key:?}");
        agent.arm.post(&format!("{}/start", vm("vm1")), Value::Null).await.is(202);
        assert_eq!(agent.told().await, told, "as it was");
    }
    agent.protected(&told).await;
}

#[tokio::test]
async fn what_was_revoked_for_a_silent_agent_comes_back_with_another_put() {
    let mut agent = Agent::new().await;
    agent.set(json!({})).await.is(201);
    let told = agent.told().await;
    let first = agent.protected(&told).await;
    agent.says(told.incarnation, vec![handler("Ready", 0, Some((1, "success")))]).await;
    let deleted = agent.arm.delete(&extension_path()).await.is(202);
    agent.arm.after(25).await;
    assert_eq!(agent.arm.poll(&deleted).await.json()["error"]["code"], "VMAgentStatusCommunicationError");
    let (of, store) = (agent.vm.clone(), agent.arm.world.store.clone());
    let known = store.read(move |tx| tx.certificate_credentials_of_vm(&of)).await.unwrap();
    assert!(known.len() == 1 && known[0].revoked_at.is_some());
    // It is still on its way out, and the agent that is back takes it away.
    agent.set(json!({})).await.refuses(409, "OperationNotAllowed");
    let going = agent.told().await;
    assert_eq!(going.extensions[0].state, WantedState::Uninstall);
    agent.says(going.incarnation, Vec::new()).await;
    agent.set(json!({})).await.is(201);
    let back = agent.told().await;
    let second = agent.protected(&back).await;
    assert_ne!(second.identities[0].certificate, first.identities[0].certificate);
    let of = agent.vm.clone();
    let known = store.read(move |tx| tx.certificate_credentials_of_vm(&of)).await.unwrap();
    assert_eq!(known.iter().filter(|credential| credential.revoked_at.is_none()).count(), 1);
}

#[tokio::test]
async fn the_agent_itself_is_shown_as_it_says() {
    let mut agent = Agent::new().await;
    let shown = async |agent: &Agent| {
        let view = agent.arm.get(&format!("{}/instanceView", vm("vm1"))).await.is(200).json()["vmAgent"].clone();
        let status = &view["statuses"][0];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        [&view["vmAgentVersion"], &status["displayStatus"], &status["message"]].map(text)
    };
    let all = |version: &str, status: &str, message: &str| [version, status, message].map(str::to_owned);
    // Without an agent of its own, symbolon does that work.
    assert_eq!(shown(&agent).await, all(env!("CARGO_PKG_VERSION"), "Ready", ""));
    let told = agent.told().await.incarnation;
    let not_heard = "VM status blob is found but not yet populated.";
    assert_eq!(shown(&agent).await, all("Unknown", "Not Ready", not_heard));
    let says = |status: &str, message: &str| AgentStatus {
        version: "2.15.0.1".to_owned(),
        status: status.to_owned(),
        formatted_message: Message::new(message),
    };
    agent.says_of_itself(told, Vec::new(), says("Ready", "Guest Agent is running")).await;
    assert_eq!(shown(&agent).await, all("2.15.0.1", "Ready", "Guest Agent is running"));
    agent.says_of_itself(told, Vec::new(), says("NotReady", "wait")).await;
    assert_eq!(shown(&agent).await, all("2.15.0.1", "Not Ready", "wait"));
    agent.says_of_itself(told, Vec::new(), says("NotReady", &"w".repeat(100_000))).await;
    assert_eq!(shown(&agent).await, all("2.15.0.1", "Not Ready", &"w".repeat(4_096)), "as much as of a handler");
    agent.says_of_itself(told, Vec::new(), says("Ready", "")).await;
    agent.arm.world.clock.advance(Duration::from_secs(25 * 60));
    agent.arm.sign_in_again().await;
    assert_eq!(shown(&agent).await, all("2.15.0.1", "Not Ready", "VM Agent is unresponsive."));
    // One made anew under its name has said nothing.
    agent.says_of_itself(told, Vec::new(), says("Ready", "")).await;
    agent.arm.delete(&vm("vm1")).await.one_of(&[200, 202, 204]);
    agent.arm.vm("vm1").await;
    assert_eq!(shown(&agent).await, all(env!("CARGO_PKG_VERSION"), "Ready", ""));
}

#[tokio::test]
async fn a_disabled_extension_is_told_and_gets_no_credentials() {
    let agent = Agent::new().await;
    agent.set(json!({})).await.is(201);
    let told = agent.told().await.incarnation;
    agent.says(told, vec![handler("Ready", 0, Some((1, "success")))]).await;
    agent.arm.post(&format!("{}/disable", extension_path()), Value::Null).await.is(202);
    // What was said of the number before is nothing new.
    agent.says(told, vec![handler("Ready", 0, Some((1, "success")))]).await;
    let disabled = agent.told().await;
    let wanted = &disabled.extensions[0];
    assert_eq!((wanted.state, wanted.sequence, wanted.protected.clone()), (WantedState::Disabled, 2, None));
    assert!(!disabled.has_certificates && disabled.incarnation == told + 1);
    assert_eq!(agent.state().await["provisioningState"], "Updating");
    // A handler that was never enabled has no status of this number, and the agent speaks in its place.
    agent.says(told, vec![handler("NotReady", 0, Some((2, "transitioning")))]).await;
    assert_eq!(agent.state().await["provisioningState"], "Updating", "it said nothing of this goal state yet");
    agent.says(disabled.incarnation, vec![handler("NotReady", 0, Some((2, "transitioning")))]).await;
    let state = agent.state().await;
    assert_eq!(state["provisioningState"], "Succeeded");
    assert_eq!(state["instanceView"]["statuses"][0]["message"], "the agent's words");

    agent.arm.post(&format!("{}/enable", extension_path()), Value::Null).await.is(202);
    let enabled = agent.told().await;
    assert_eq!((enabled.extensions[0].state, enabled.extensions[0].sequence), (WantedState::Enabled, 3));
    assert_eq!(agent.protected(&enabled).await.identities.len(), 1);
    agent.arm.post(&format!("{}/disable", extension_path()), Value::Null).await.is(202);
    let told = agent.told().await.incarnation;
    agent.says(told, vec![handler("NotReady", 1010, Some((4, "transitioning")))]).await;
    let failed = agent.state().await;
    assert_eq!(failed["instanceView"]["statuses"][0]["code"], "ProvisioningState/failed/1010");
}
