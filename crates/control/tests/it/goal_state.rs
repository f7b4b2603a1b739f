//! What a VM's agent is told and what it says, over the whole control plane.

mod cutover;
mod machines;
mod meanwhile;
mod two_extensions;

use contract::guest_agent::protected::{Authority, CutoverStep, ManagedIdentity};
use contract::guest_agent::status_blob::{
    AgentStatus, AggregateStatus, ArtifactsAggregate, GoalStateAggregate, HandlerAggregate, Message,
    RuntimeSettingsStatus, StatusBlob,
};
use contract::guest_agent::{GoalState, WantedState};
use control::goal_state::{GoalStateError, GoalStates, Versions};
use serde_json::json;

use super::arm::{Arm, G, LINUX, vm};
use super::*;

const HOST: &str = "http://host.example";
const NAME: &str = "Microsoft.ManagedIdentity.ManagedIdentityExtensionForLinux";

/// The packages that there are, and what happens when somebody looks.
struct Packages {
    versions: std::sync::Mutex<Vec<&'static str>>,
    looked: std::sync::Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Default for Packages {
    fn default() -> Self {
        Self { versions: vec!["1.0.0.0", "1.0.10.0", "1.0.9.0", "2.0.0.0"].into(), looked: None.into() }
    }
}

impl Versions for Packages {
    fn of(&self, handler: &str) -> std::io::Result<Vec<String>> {
        if let Some(looked) = self.looked.lock().unwrap().take() {
            looked();
        }
        let versions = if handler == NAME { self.versions.lock().unwrap().clone() } else { Vec::new() };
        Ok(versions.into_iter().map(str::to_owned).collect())
    }
}

/// A VM with its own identity, and its agent.
struct Agent {
    arm: Arm,
    states: GoalStates,
    packages: Arc<Packages>,
    vm: ResourceId,
    /// What the agent's own certificate belongs to.
    transport: (Vec<u8>, zeroize::Zeroizing<Vec<u8>>),
}

impl Agent {
    async fn new() -> Self {
        let arm = Arm::new().await;
        let body = json!({"location": "westus", "identity": {"type": "SystemAssigned"},
            "properties": {"hardwareProfile": {"vmSize": "Standard_B1s"}}});
        arm.put(&vm("vm1"), body).await.is(201);
        let packages = Arc::new(Packages::default());
        let states = states(&arm, &packages);
        let transport = envelope::self_signed("LinuxTransport", NOW - 60, NOW + 86_400).expect("a key");
        Self { arm, states, packages, vm: ResourceId::parse(&vm("vm1")).expect("an id"), transport }
    }

    async fn told(&self) -> Arc<GoalState> {
        self.states.current(&self.vm, HOST).await.expect("a goal state")
    }

    async fn set(&self, properties: Value) -> Answer {
        let mut all = json!({"publisher": "Microsoft.ManagedIdentity", "type": LINUX, "typeHandlerVersion": "1.0",
            "autoUpgradeMinorVersion": true, "settings": {"port": 50342}});
        all.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
        self.arm.put(&extension_path(), json!({"location": "westus", "properties": all})).await
    }

    /// What the handler would read of its protected settings, as the agent gets to it.
    async fn protected(&self, told: &GoalState) -> ManagedIdentity {
        self.protected_of(told, 0).await
    }

    /// The same of one of several extensions.
    async fn protected_of(&self, told: &GoalState, number: usize) -> ManagedIdentity {
        let sealed = self.states.certificates(&self.vm, &self.transport.0).await.expect("it is sealed").expect("a key");
        let pfx = envelope::open(&self.transport.1, &self.transport.0, &STANDARD.decode(sealed).unwrap()).unwrap();
        let (certificate, key) = envelope::open_pfx(&pfx).unwrap();
        let protected = told.extensions[number].protected.clone().expect("something protected");
        assert_eq!(protected.thumbprint, envelope::thumbprint(&certificate));
        let plain = envelope::open(&key, &certificate, &STANDARD.decode(protected.cms_base64).unwrap()).unwrap();
        ManagedIdentity::of(&plain).unwrap().expect("credentials")
    }

    /// The agent says this of the extension.
    async fn says(&self, incarnation: u64, handlers: Vec<HandlerAggregate>) {
        self.says_of_itself(incarnation, handlers, Default::default()).await;
    }

    async fn says_of_itself(&self, incarnation: u64, handlers: Vec<HandlerAggregate>, agent: AgentStatus) {
        let gone_through = GoalStateAggregate { in_svd_seq_no: Some(incarnation), ..Default::default() };
        let blob = StatusBlob {
            version: "1.1".to_owned(),
            timestamp_utc: String::new(),
            aggregate_status: AggregateStatus {
                guest_agent_status: agent,
                handler_aggregate_status: handlers,
                vm_artifacts_aggregate_status: ArtifactsAggregate { goal_state_aggregate_status: gone_through },
            },
            guest_os_info: None,
            supported_features: Value::Null,
        };
        self.states.status(&self.vm, &blob).await.expect("it is taken");
    }

    async fn state(&self) -> Value {
        let shown = self.arm.get(&format!("{}?$expand=instanceView", extension_path())).await.is(200).json();
        shown["properties"].clone()
    }

    async fn identities(&self, user: &[&str]) {
        let map: serde_json::Map<_, _> = user.iter().map(|id| ((*id).to_owned(), json!({}))).collect();
        let kind = if user.is_empty() { "SystemAssigned" } else { "SystemAssigned, UserAssigned" };
        let mut identity = json!({"type": kind});
        if !user.is_empty() {
            identity["userAssignedIdentities"] = map.into();
        }
        self.arm.patch(&vm("vm1"), json!({"identity": identity})).await.is(200);
    }
}

fn states(arm: &Arm, packages: &Arc<Packages>) -> GoalStates {
    let authority = Authority { url: BASE.to_owned(), certificates: "PEM".to_owned() };
    GoalStates::new(arm.world.app.clone(), authority, packages.clone())
}

fn extension_path() -> String {
    format!("{}/extensions/{LINUX}", vm("vm1"))
}

fn handler(status: &str, code: i32, settings: Option<(u64, &str)>) -> HandlerAggregate {
    HandlerAggregate {
        handler_version: "1.0.10.0".to_owned(),
        handler_name: NAME.to_uppercase(),
        status: status.to_owned(),
        code,
        use_exact_version: true,
        formatted_message: Message::new("the agent's words"),
        runtime_settings_status: settings.map(|(sequence_number, status)| RuntimeSettingsStatus {
            sequence_number,
            settings_status: json!({"version": 1.0, "timestampUTC": "x", "status": {"name": "n", "operation": null,
                "status": status, "code": 52, "formattedMessage": {"lang": "en", "message": "the handler's words"}}}),
        }),
    }
}

/// The same with entries below the status.
#[tokio::test]
async fn a_goal_state_changes_when_something_does() {
    let agent = Agent::new().await;
    let before = agent.told().await;
    assert!(before.extensions.is_empty() && !before.has_certificates);
    assert_eq!(agent.states.certificates(&agent.vm, &agent.transport.0).await.unwrap(), None);
    assert_eq!(agent.told().await, before);

    agent.set(json!({})).await.is(201);
    let set = agent.told().await;
    assert_eq!(set.incarnation, before.incarnation + 1);
    assert!(set.etag != before.etag && set.ticks > before.ticks && set.has_certificates);
    let wanted = &set.extensions[0];
    assert_eq!((wanted.name.as_str(), wanted.version.as_str(), wanted.sequence), (NAME, "1.0.10.0", 1));
    assert_eq!((wanted.state, wanted.settings.as_deref()), (WantedState::Enabled, Some(r#"{"port":50342}"#)));
    assert_eq!(agent.told().await, set, "nothing changed");

    // The same settings again with another tag: the number grows with the goal state's.
    agent.set(json!({"forceUpdateTag": "again"})).await.is(200);
    let again = agent.told().await;
    assert_eq!((again.extensions[0].sequence, again.incarnation), (2, set.incarnation + 1));

    // Another identity is no reason to run with another number, but to look again.
    let id = agent.arm.identities("id", 1).await.remove(0);
    agent.identities(&[&id]).await;
    let with_another = agent.told().await;
    assert_eq!((with_another.extensions[0].sequence, with_another.incarnation), (2, again.incarnation + 1));
    let ids: Vec<_> = agent.protected(&with_another).await.identities.into_iter().map(|one| one.resource_id).collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.iter().any(|found| found.eq_ignore_ascii_case(&id)));

    // One that goes and comes back between two questions is the same, but what it had doesn't work any more.
    agent.identities(&[]).await;
    agent.identities(&[&id]).await;
    let back = agent.told().await;
    assert_eq!(back.incarnation, with_another.incarnation + 1);
    let credentials =
        |told: ManagedIdentity| told.identities.into_iter().map(|one| one.certificate).collect::<Vec<_>>();
    let (old, new) = (credentials(agent.protected(&with_another).await), credentials(agent.protected(&back).await));
    assert_eq!(new.iter().filter(|one| !old.contains(one)).count(), 1);
    let with_another = back;

    // A change elsewhere is none here.
    agent.arm.vm("other").await;
    assert_eq!(agent.told().await, with_another);

    // Nor is it a reason to look again.
    let known = agent.told().await;
    agent.arm.vm("third").await;
    assert!(Arc::ptr_eq(&agent.told().await, &known));

    // What was given out outlives the process.
    let Agent { arm, vm: id, transport, packages, .. } = agent;
    let arm = arm.restart().await;
    let agent = Agent { states: states(&arm, &packages), arm, vm: id, transport, packages };
    assert_eq!(agent.told().await, with_another);

    agent.arm.delete(&vm("vm1")).await.one_of(&[200, 202, 204]);
    assert!(matches!(agent.states.current(&agent.vm, HOST).await, Err(GoalStateError::Gone)));
}

#[tokio::test]
async fn changes_that_are_forgotten_or_many_are_seen() {
    let agent = Agent::new().await;
    let before = agent.told().await;
    // Its own being saved is seen, and done with.
    agent.told().await;
    agent.set(json!({})).await.is(201);
    let act = Act::new("test", "prune", "", Timestamp::from_unix(NOW));
    let far = Timestamp::from_unix(NOW + 86_400);
    let pruned = agent.arm.world.store.write(act, move |tx| tx.prune_changes(far, 0)).await.expect("it is pruned");
    assert!(pruned > 0);
    let set = agent.told().await;
    assert_eq!((set.incarnation, set.extensions.len()), (before.incarnation + 1, 1));
    agent.told().await;

    let act = Act::new("test", "many", "", Timestamp::from_unix(NOW));
    let many = agent.arm.world.store.write(act, |tx| {
        for number in 0..2_500 {
            let id = domain::TenantId::from_uuid(Uuid::from_u128(number));
            tx.put_tenant(&Tenant { id, name: format!("t{number}"), created_at: None })?;
        }
        Ok::<_, store::Error>(())
    });
    many.await.expect("they are saved");
    agent.set(json!({"settings": {"port": 50343}})).await.is(200);
    let moved = agent.told().await;
    assert_eq!(moved.extensions[0].settings.as_deref(), Some(r#"{"port":50343}"#));
    assert_eq!(moved.incarnation, set.incarnation + 1);
}

#[tokio::test]
async fn credentials_are_good_at_the_authority_until_they_are_not() {
    let mut agent = Agent::new().await;
    agent.set(json!({"protectedSettings": {"k": "v"}})).await.is(201);
    let told = agent.told().await;
    let first = agent.protected(&told).await;
    assert_eq!((first.authority.url.as_str(), first.vm.as_str()), (BASE, agent.vm.as_str()));
    let [credential] = &first.identities[..] else { panic!("{first:?}") };
    assert_eq!(credential.not_after, NOW + 86_400);
    for secret in [credential.private_key.as_str(), &told.extensions[0].protected.as_ref().unwrap().cms_base64] {
        let disk = agent.arm.disk();
        // Pages of the database part what is long.
        let part = |part: &[u8]| disk.windows(part.len()).any(|there| there == part);
        let there = secret.as_bytes().chunks_exact(64).any(part);
        assert_eq!(there, secret != credential.private_key.as_str(), "only what is sealed lies on the host's disk");
    }

    // With half of its life left it is replaced, in time and only once.
    agent.arm.world.clock.advance(Duration::from_secs(43_199));
    assert_eq!(agent.told().await, told);
    agent.arm.world.clock.advance(Duration::from_secs(1));
    let renewed = agent.told().await;
    assert_eq!((renewed.incarnation, renewed.extensions[0].sequence), (told.incarnation + 1, 1));
    let second = agent.protected(&renewed).await;
    assert_ne!(second.identities[0].certificate, credential.certificate);
    assert_eq!(agent.told().await, renewed);

    agent.arm.sign_in_again().await;
    // The extension goes, and with it everything that it had.
    agent.arm.delete(&extension_path()).await.is(202);
    let going = agent.told().await;
    assert_eq!((going.extensions[0].state, going.extensions[0].protected.clone()), (WantedState::Uninstall, None));
    agent.says(told.incarnation, Vec::new()).await;
    assert_eq!(agent.told().await, going, "it said nothing of this goal state yet");
    agent.says(going.incarnation, Vec::new()).await;
    agent.arm.get(&extension_path()).await.is(404);
    let gone = agent.told().await;
    assert!(gone.extensions.is_empty() && !gone.has_certificates);
    let vm = agent.vm.clone();
    let left = agent.arm.world.store.read(move |tx| tx.certificate_credentials_of_vm(&vm)).await.unwrap();
    assert!(left.len() == 2 && left.iter().all(|credential| credential.revoked_at.is_some()));
}

#[tokio::test]
async fn what_the_agent_says_becomes_the_extensions_state() {
    let agent = Agent::new().await;
    agent.set(json!({})).await.is(201);
    let told = agent.told().await.incarnation;
    agent.says(told, vec![handler("Installing", 0, None)]).await;
    assert_eq!(agent.state().await["provisioningState"], "Creating");
    agent.says(told, vec![handler("Ready", 0, Some((1, "transitioning")))]).await;
    assert_eq!(agent.state().await["instanceView"]["statuses"][0]["message"], "the handler's words");
    agent.says(told, vec![handler("Ready", 0, Some((1, "success")))]).await;
    assert_eq!(agent.state().await["provisioningState"], "Succeeded");

    // An old status says nothing of the new number.
    agent.set(json!({"forceUpdateTag": "2"})).await.is(200);
    agent.says(told, vec![handler("NotReady", 1009, None)]).await;
    agent.says(told, vec![handler("Ready", 0, Some((1, "error")))]).await;
    assert_eq!(agent.state().await["provisioningState"], "Updating");
    let told = agent.told().await.incarnation;

    // What the handler says itself tells more than its exit code.
    agent.says(told, vec![handler("NotReady", 1009, Some((2, "error")))]).await;
    let failed = agent.state().await;
    assert_eq!(failed["provisioningState"], "Failed");
    assert_eq!(failed["instanceView"]["statuses"][0]["code"], "ProvisioningState/failed/52");

    // One that is at work again isn't ready, nor is that a failure.
    agent.set(json!({"forceUpdateTag": "at work"})).await.is(200);
    agent.told().await;
    agent.says(told, vec![handler("NotReady", 0, Some((3, "transitioning")))]).await;
    agent.says(told, vec![handler("NotReady", 1009, Some((3, "transitioning")))]).await;
    assert_eq!(agent.state().await["provisioningState"], "Updating");
    let told = agent.told().await.incarnation;
    agent.says(told, vec![handler("Ready", 0, Some((3, "success")))]).await;

    // A handler that can't say anything, with the agent's words.
    agent.set(json!({"forceUpdateTag": "3"})).await.is(200);
    let told = agent.told().await.incarnation;
    agent.says(told, vec![handler("NotReady", 1007, None)]).await;
    let failed = agent.state().await;
    assert_eq!(failed["instanceView"]["statuses"][0]["code"], "ProvisioningState/failed/1007");
    assert_eq!(failed["instanceView"]["statuses"][0]["message"], "the agent's words");

    // The same again is no news: nothing is written.
    let audited = agent.arm.audit().await.len();
    agent.says(told, vec![handler("NotReady", 1007, None)]).await;
    assert_eq!(agent.arm.audit().await.len(), audited);
    // It may recover by itself.
    agent.says(told, vec![handler("Ready", 0, Some((4, "success")))]).await;
    assert_eq!(agent.state().await["provisioningState"], "Succeeded");
}

#[tokio::test]
async fn nothing_is_issued_for_an_identity_that_was_taken_away_meanwhile() {
    let agent = Agent::new().await;
    let id = agent.arm.identities("id", 1).await.remove(0);
    agent.identities(&[&id]).await;
    let (of, store) = (agent.vm.clone(), &agent.arm.world.store);
    let snapshot = store.read(move |tx| tx.vm_snapshot(&of)).await.unwrap().expect("a machine");
    let identity = snapshot.identities.iter().find(|one| one.kind == IdentityKind::UserAssigned).cloned().unwrap();
    let now = Timestamp::from_unix(NOW);
    let issued =
        control::vm_credential::issue(store, &agent.arm.world.app.key_maker, &identity, &agent.vm, None, now).await;
    assert!(issued.is_ok(), "it is assigned");
    // As while the key is made.
    agent.identities(&[]).await;
    let issued =
        control::vm_credential::issue(store, &agent.arm.world.app.key_maker, &identity, &agent.vm, None, now).await;
    assert!(matches!(issued, Err(control::vm_credential::IssueError::Unassigned)));
    let of = agent.vm.clone();
    let known = store.read(move |tx| tx.certificate_credentials_of_vm(&of)).await.unwrap();
    assert!(known.iter().all(|credential| credential.revoked_at.is_some()) && known.len() == 1);
}
