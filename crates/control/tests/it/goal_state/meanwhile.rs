//! What is saved while a goal state is made.

use domain::{Cutover, Step};
use store::Tx;

use super::*;

impl Agent {
    /// Has this saved when what is wanted was read next, and before anything comes of it.
    fn meanwhile(&self, change: impl FnOnce(&mut dyn Tx) -> Result<(), store::Error> + Send + 'static) {
        let store = self.arm.world.store.clone();
        let save = move || {
            let saved = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
                let act = Act::new("test", "meanwhile", "", Timestamp::from_unix(NOW));
                runtime.block_on(store.write(act, change)).expect("it is saved");
            });
            saved.join().expect("it is saved");
        };
        *self.packages.looked.lock().unwrap() = Some(Box::new(save));
    }

    async fn credentials(&self) -> Vec<CertificateCredential> {
        let of = self.vm.clone();
        self.arm.world.store.read(move |tx| tx.certificate_credentials_of_vm(&of)).await.expect("the store")
    }
}

#[tokio::test]
async fn a_machine_made_anew_meanwhile_gets_nothing_of_the_one_before() {
    let agent = Agent::new().await;
    agent.set(json!({})).await.is(201);
    // Nothing is issued for it, which would be refused before.
    agent.arm.post(&format!("{}/disable", extension_path()), Value::Null).await.is(202);
    let id = agent.vm.clone();
    agent.meanwhile(move |tx| {
        let before = tx.virtual_machine(&id)?.expect("a machine");
        tx.remove_virtual_machine(&id)?;
        let vm_id = domain::VmId::from_uuid(Uuid::from_u128(7));
        tx.put_virtual_machine(&VirtualMachine { vm_id, system_assigned: None, user_assigned: Vec::new(), ..before })?;
        Ok(())
    });
    let told = agent.states.current(&agent.vm, HOST).await;
    assert!(matches!(told, Err(GoalStateError::Gone)), "{told:?}");
    let told = agent.told().await;
    assert!(told.extensions.is_empty() && !told.has_certificates && told.incarnation == 1, "{told:?}");
    assert_eq!(told.vm_id, Uuid::from_u128(7).to_string());
}

#[tokio::test]
async fn what_goes_while_its_key_is_made_is_no_failure() {
    let agent = Agent::new().await;
    agent.set(json!({})).await.is(201);
    let id = ResourceId::parse(&extension_path()).expect("an id");
    agent.meanwhile(move |tx| tx.remove_vm_extension(&id).map(drop));
    assert!(agent.told().await.extensions.is_empty(), "the extension is gone");
    assert_eq!(agent.credentials().await.len(), 0);

    let agent = Agent::new().await;
    agent.set(json!({})).await.is(201);
    let id = agent.vm.clone();
    agent.meanwhile(move |tx| {
        let before = tx.virtual_machine(&id)?.expect("a machine");
        tx.put_virtual_machine(&VirtualMachine { system_assigned: None, ..before }).map(drop)
    });
    let told = agent.told().await;
    assert_eq!(agent.protected(&told).await.identities.len(), 0, "the identity is gone");

    let agent = Agent::new().await;
    agent.set(json!({})).await.is(201);
    let (vm, now) = (agent.vm.clone(), Timestamp::from_unix(NOW));
    agent.meanwhile(move |tx| {
        let (wanted, reached) = (Step::Revoked, Step::Forwarding);
        tx.put_cutover(&Cutover { vm, wanted, since: now, reached, reached_at: now, failed: None }).map(drop)
    });
    let told = agent.protected(&*agent.told().await).await;
    assert_eq!((told.identities.len(), told.cutover.map(|cutover| cutover.step)), (0, Some(CutoverStep::Revoked)));
}

#[tokio::test]
async fn a_credential_of_before_they_were_an_extensions_own_is_replaced() {
    let agent = Agent::new().await;
    agent.set(json!({})).await.is(201);
    let first = agent.protected(&*agent.told().await).await;
    let act = Act::new("test", "before", "", Timestamp::from_unix(NOW));
    let known = agent.credentials().await;
    let of_before = agent.arm.world.store.write(act, move |tx| {
        assert_eq!(tx.prune_certificate_credentials(Timestamp::from_unix(NOW + 86_401))?, 1);
        for credential in known {
            tx.put_certificate_credential(&CertificateCredential { extension: None, ..credential })?;
        }
        Ok::<_, store::Error>(())
    });
    of_before.await.expect("they are saved");
    agent.set(json!({"forceUpdateTag": "again"})).await.is(200);
    let told = agent.told().await;
    let second = agent.protected(&told).await;
    assert_ne!(second.identities[0].certificate, first.identities[0].certificate);
    let known = agent.credentials().await;
    let der = STANDARD.decode(&second.identities[0].certificate).unwrap();
    let new = known.iter().find(|one| one.certificate_der == der).expect("it is known");
    assert_eq!(new.extension.as_ref().map(ResourceId::as_str), Some(extension_path().as_str()));

    agent.set(json!({"forceUpdateTag": "and again"})).await.is(200);
    let third = agent.protected(&*agent.told().await).await;
    assert_eq!(third.identities[0].certificate, second.identities[0].certificate, "only once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn agents_that_ask_while_much_is_saved_never_hear_of_the_past() {
    const CHANGES: u64 = 20;
    let agent = Arc::new(Agent::new().await);
    agent.set(json!({})).await.is(201);
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let agent = agent.clone();
        asking.spawn(async move {
            let mut last = (0, 0);
            while last.1 <= CHANGES {
                let told = agent.told().await;
                let now = (told.incarnation, told.extensions[0].sequence);
                assert!(now >= last && (now.0 > last.0 || now == last), "{now:?} after {last:?}");
                last = now;
            }
            last
        });
    }
    for number in 0..CHANGES {
        agent.set(json!({"forceUpdateTag": number.to_string()})).await.is(200);
    }
    let told = asking.join_all().await;
    assert!(told.iter().all(|last| *last == told[0] && last.1 == CHANGES + 1), "{told:?}");
    assert!(told[0].0 <= CHANGES + 1, "no number was counted up for nothing: {told:?}");
}
