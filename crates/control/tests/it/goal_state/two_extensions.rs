//! The extension in both its types on one VM: each has credentials of its own, and takes them with it.

use super::super::arm::WINDOWS;
use super::*;

fn windows_path() -> String {
    format!("{}/extensions/{WINDOWS}", vm("vm1"))
}

/// A VM with both, whose agent has gone through that, and the certificates of either.
async fn both() -> (Agent, [String; 2]) {
    let agent = Agent::new().await;
    agent.set(json!({})).await.is(201);
    let properties = json!({"publisher": "Microsoft.ManagedIdentity", "type": WINDOWS, "typeHandlerVersion": "1.0"});
    agent.arm.put(&windows_path(), json!({"location": "westus", "properties": properties})).await.is(201);
    let told = agent.told().await;
    let names: Vec<_> = told.extensions.iter().map(|extension| extension.name.as_str()).collect();
    assert_eq!(names, [NAME, "Microsoft.ManagedIdentity.ManagedIdentityExtensionForWindows"]);
    let mut certificates = [String::new(), String::new()];
    for (number, certificate) in certificates.iter_mut().enumerate() {
        *certificate = agent.protected_of(&told, number).await.identities[0].certificate.clone();
    }
    agent.says(told.incarnation, vec![handler("Ready", 0, Some((1, "success")))]).await;
    (agent, certificates)
}

/// Whether each of these certificates is revoked.
async fn revoked(agent: &Agent, certificates: &[String; 2]) -> [bool; 2] {
    let of = agent.vm.clone();
    let known = agent.arm.world.store.read(move |tx| tx.certificate_credentials_of_vm(&of)).await.unwrap();
    assert_eq!(known.len(), 2);
    certificates.each_ref().map(|certificate| {
        let der = STANDARD.decode(certificate).unwrap();
        known.iter().find(|one| one.certificate_der == der).expect("it is known").revoked_at.is_some()
    })
}

#[tokio::test]
async fn one_that_goes_takes_its_own_credentials_with_it_and_no_others() {
    let (agent, certificates) = both().await;
    assert_ne!(certificates[0], certificates[1]);
    agent.arm.delete(&windows_path()).await.is(202);
    let going = agent.told().await.incarnation;
    assert_eq!(revoked(&agent, &certificates).await, [false, false], "the agent has done nothing yet");
    agent.says(going, vec![handler("Ready", 0, Some((1, "success")))]).await;
    agent.arm.get(&windows_path()).await.is(404);
    assert_eq!(revoked(&agent, &certificates).await, [false, true]);
    let left = agent.told().await;
    assert_eq!(agent.protected(&left).await.identities[0].certificate, certificates[0], "it signs as before");

    agent.arm.delete(&extension_path()).await.is(202);
    let going = agent.told().await.incarnation;
    agent.says(going, Vec::new()).await;
    assert_eq!(revoked(&agent, &certificates).await, [true, true]);
}

#[tokio::test]
async fn nobody_waits_for_a_silent_agent_to_take_one_away() {
    let (mut agent, certificates) = both().await;
    let deleted = agent.arm.delete(&extension_path()).await.is(202);
    agent.told().await;
    agent.arm.after(25).await;
    assert_eq!(agent.arm.poll(&deleted).await.json()["error"]["code"], "VMAgentStatusCommunicationError");
    assert_eq!(revoked(&agent, &certificates).await, [true, false]);
}

#[tokio::test]
async fn nothing_is_issued_for_one_that_goes_meanwhile() {
    let (agent, _) = both().await;
    let (of, store) = (agent.vm.clone(), &agent.arm.world.store);
    let snapshot = store.read(move |tx| tx.vm_snapshot(&of)).await.unwrap().expect("a machine");
    let identity = snapshot.identities.iter().next().expect("its own").clone();
    let extension = ResourceId::parse(&windows_path()).expect("an id");
    let now = Timestamp::from_unix(NOW);
    let issue = || {
        control::vm_credential::issue(
            store,
            &agent.arm.world.app.key_maker,
            &identity,
            &agent.vm,
            Some(&extension),
            now,
        )
    };
    assert!(issue().await.is_ok());
    // As while the key is made.
    agent.arm.delete(&windows_path()).await.is(202);
    assert!(matches!(issue().await, Err(control::vm_credential::IssueError::Removed)));
}
