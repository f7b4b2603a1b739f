use domain::{
    Deployment, DeploymentOperation, DeploymentState, EventKind, GoalState, HandlerOutcome, HandlerStatus, Instance,
    Operation, OperationError, OperationId, OperationState, Protection, Resource, ScaleSet, ScaleSetExtension,
    ScheduledEvent, Sealed, Sku, UpgradeMode, Wait,
};
use store::{Page, Put};

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(NOW + seconds)
}

pub(super) fn nic(name: &str) -> Resource {
    Resource {
        id: group().id.resource("Microsoft.Network", "networkInterfaces", name).unwrap(),
        location: Some("westeurope".to_owned()),
        tags: [("a".to_owned(), "b".to_owned())].into(),
        document: r#"{"properties":{"x":1}}"#.to_owned(),
        created_at: at(0),
        changed_at: at(0),
    }
}

pub(super) fn scale_set(user_assigned: &[u32]) -> ScaleSet {
    let id = group().id.resource("Microsoft.Compute", "virtualMachineScaleSets", "ss").unwrap();
    ScaleSet {
        unique_id: guid(0x70, 1),
        tenant: tenant().id,
        name: "ss".to_owned(),
        location: "westeurope".to_owned(),
        tags: Default::default(),
        sku: Sku { name: "Standard_B1s".to_owned(), tier: "Standard".to_owned(), capacity: 2 },
        upgrade_mode: UpgradeMode::Manual,
        system_assigned: Some(ManagedIdentity {
            kind: IdentityKind::SystemAssigned,
            id: id.clone(),
            tenant: tenant().id,
            principal_id: guid(0x43, 1),
            client_id: guid(0x33, 1),
        }),
        user_assigned: user_assigned.iter().map(|number| identity(*number).identity.id).collect(),
        extensions: vec![ScaleSetExtension {
            name: "msi".to_owned(),
            spec: ExtensionSpec {
                protected_settings: Some(Sealed { kek_id: "k".to_owned(), bytes: vec![1, 2] }),
                ..extension(1).spec
            },
        }],
        document: "{}".to_owned(),
        model: 3,
        next_instance: 2,
        created_at: at(0),
        id,
    }
}

pub(super) fn instance(number: u32) -> VirtualMachine {
    let scale_set = scale_set(&[]).id;
    VirtualMachine {
        id: scale_set.child("virtualMachines", &number.to_string()).unwrap(),
        vm_id: guid(0x51, number),
        name: number.to_string(),
        system_assigned: None,
        instance: Some(Instance { scale_set, number, model: 3 }),
        ..machine(1, &[])
    }
}

/// One of each noun, the same however often it is put.
pub(super) fn one_of_each(tx: &mut dyn Tx) -> Result<(), Error> {
    tx.put_resource(&nic("everything"))?;
    tx.put_scale_set(&scale_set(&[]))?;
    if tx.operation(operation(9).id)?.is_none() {
        tx.begin_operation(&operation(9), &[])?;
    }
    tx.put_deployment(&deployment(9))?;
    if tx.goal_state(&machine(1, &[]).id)?.is_none() {
        tx.put_goal_state(&goal_state(1))?;
    }
    cutover::one_of_each(tx)
}

/// That of the first machine.
fn goal_state(incarnation: u64) -> GoalState {
    let protection = Protection {
        certificate: vec![3],
        key: Sealed { kek_id: "k".to_owned(), bytes: vec![4] },
        settings: [("msi".to_owned(), "Y21z".to_owned())].into(),
        renew_at: Some(at(60)),
    };
    GoalState { vm: machine(1, &[]).id, incarnation, changed_at: at(0), wanted: [5; 32], protection: Some(protection) }
}

pub(super) fn goal_states(store: &dyn Store) {
    base(store);
    let missing = write(store, |tx| tx.put_goal_state(&goal_state(1)));
    assert!(matches!(missing, Err(Error::Missing { .. })), "{missing:?}");
    let without = GoalState { protection: None, changed_at: at(1), ..goal_state(2) };
    write(store, |tx| {
        tx.put_virtual_machine(&machine(1, &[]))?;
        assert_eq!(tx.put_goal_state(&goal_state(1))?, Put::Created);
        assert_eq!(tx.put_goal_state(&goal_state(1))?, Put::Unchanged);
        assert_eq!(tx.goal_state(&machine(1, &[]).id)?, Some(goal_state(1)));
        assert_eq!(tx.put_goal_state(&without)?, Put::Updated);
        Ok::<_, Error>(())
    })
    .unwrap();
    assert_eq!(store.read().unwrap().goal_state(&machine(1, &[]).id).unwrap(), Some(without));
    let back = write(store, |tx| tx.put_goal_state(&goal_state(2)));
    assert!(matches!(back, Err(Error::Contradiction { .. })), "an agent would not see it: {back:?}");
    write(store, |tx| tx.remove_virtual_machine(&machine(1, &[]).id)).unwrap();
    assert_eq!(store.read().unwrap().goal_state(&machine(1, &[]).id).unwrap(), None);
}

fn deployment(number: u32) -> Deployment {
    Deployment {
        id: group().id.resource("Microsoft.Resources", "deployments", &format!("d{number}")).unwrap(),
        state: DeploymentState::Accepted,
        document: r#"{"mode":"Incremental"}"#.to_owned(),
        request: Some(Sealed { kek_id: "k".to_owned(), bytes: vec![7] }),
        caller: guid(0x42, 1),
        operation: operation(number).id,
        started_at: at(0),
    }
}

pub(super) fn generic(store: &dyn Store) {
    base(store);
    write(store, |tx| {
        for name in ["b", "a", "c"] {
            assert_eq!(tx.put_resource(&nic(name))?, Put::Created);
        }
        let again = Resource { changed_at: at(5), ..nic("a") };
        assert_eq!(tx.put_resource(&again)?, Put::Unchanged);
        let changed = Resource { document: "{}".to_owned(), created_at: at(9), changed_at: at(9), ..nic("a") };
        assert_eq!(tx.put_resource(&changed)?, Put::Updated);
        everything(tx)
    })
    .unwrap();
    let tx = store.read().unwrap();
    let shouted = ResourceId::parse(&nic("a").id.as_str().to_uppercase()).unwrap();
    let found = tx.resource(&shouted).unwrap().unwrap();
    assert_eq!((found.created_at, found.changed_at, found.document.as_str()), (at(0), at(9), "{}"));
    let within = Scope::At(group().id);
    let names = |page: &Page| -> Vec<String> {
        tx.resources(&within, page).unwrap().iter().map(|found| found.id.name().to_owned()).collect()
    };
    assert_eq!(names(&Page::ALL), ["a", "b", "c", "everything"]);
    assert_eq!(names(&Page { after: None, limit: 2 }), ["a", "b"]);
    assert_eq!(names(&Page { after: Some(nic("b").id.key().to_owned()), limit: 1 }), ["c"]);
    let summaries = tx.resource_summaries(&within, &Page::ALL).unwrap();
    let types: Vec<String> = summaries.iter().map(|found| found.id.resource_type().to_lowercase()).collect();
    assert_eq!(types.iter().filter(|found| found.ends_with("networkinterfaces")).count(), 4);
    for known in ["virtualmachines", "virtualmachines/extensions", "userassignedidentities"] {
        assert!(types.iter().any(|found| found.ends_with(known)), "{types:?}");
    }
    drop(tx);
    assert!(write(store, |tx| tx.remove_resource(&nic("a").id)).unwrap());
    assert!(!write(store, |tx| tx.remove_resource(&nic("a").id)).unwrap());
}

pub(super) fn scale_sets(store: &dyn Store) {
    base(store);
    write(store, |tx| {
        tx.put_user_assigned_identity(&identity(1))?;
        tx.put_user_assigned_identity(&identity(2))?;
        tx.put_scale_set(&scale_set(&[1]))?;
        tx.put_virtual_machine(&instance(0))?;
        tx.put_virtual_machine(&instance(1))?;
        let mut on_it = extension(1);
        on_it.vm = instance(1).id;
        on_it.id = on_it.vm.child("extensions", "msi").unwrap();
        on_it.status = Some(HandlerStatus {
            sequence: 1,
            outcome: HandlerOutcome::Terminal(1009),
            version: "1.0.0.0".to_owned(),
            message: "no identity".to_owned(),
            at: at(1),
        });
        tx.put_vm_extension(&on_it)?;
        assert_eq!(tx.vm_extension(&on_it.id)?, Some(on_it));
        Ok(())
    })
    .unwrap();
    let id = scale_set(&[]).id;
    let tx = store.read().unwrap();
    assert_eq!(tx.scale_set(&id).unwrap(), Some(scale_set(&[1])));
    assert_eq!(tx.scale_sets_with(&identity(1).identity.id).unwrap(), std::slice::from_ref(&id));
    assert_eq!(tx.virtual_machines_of_scale_set(&id).unwrap(), [instance(0), instance(1)]);
    assert_eq!(tx.virtual_machines(&Scope::Root, &Page::ALL).unwrap(), [], "machines of scale sets aren't listed");
    assert_eq!(tx.vm_extensions_of_scale_set(&id).unwrap().len(), 1);
    let snapshot = tx.vm_snapshot(&instance(1).id).unwrap().unwrap();
    assert!(tx.vm_snapshots().unwrap().contains(&snapshot));
    let system = snapshot.identities.system_assigned().unwrap();
    assert_eq!((&system.id, system.principal_id), (&id, guid(0x43, 1)), "its identity is the scale set's");
    assert!(snapshot.identities.contains(&identity(1).identity.id));
    let cursor = tx.cursor().unwrap();
    drop(tx);

    // Another identity: the machines are noted as changed.
    write(store, |tx| tx.put_scale_set(&scale_set(&[2]))).unwrap();
    let tx = store.read().unwrap();
    let changed = tx.changes(&cursor, 100).unwrap().changes;
    assert!(changed.iter().any(|change| change.key == instance(1).id.key()), "{changed:?}");
    assert!(tx.vm_snapshot(&instance(0).id).unwrap().unwrap().identities.contains(&identity(2).identity.id));
    drop(tx);
    write(store, |tx| tx.remove_user_assigned_identity(&identity(2).identity.id)).unwrap();
    assert!(store.read().unwrap().scale_set(&id).unwrap().unwrap().user_assigned.is_empty());

    assert!(write(store, |tx| tx.remove_scale_set(&id)).unwrap());
    let tx = store.read().unwrap();
    assert_eq!(tx.vm_snapshots().unwrap(), []);
    let principal = tx.service_principal(guid(0x43, 1)).unwrap().unwrap();
    assert!(principal.deleted_at.is_some());
}

fn operation(number: u32) -> Operation {
    Operation {
        id: guid::<OperationId>(0x80, number),
        action: "Microsoft.Compute/virtualMachines/extensions/write".to_owned(),
        subject: extension(1).id,
        caller: guid(0x42, 1),
        state: OperationState::InProgress,
        started_at: at(0),
        ended_at: None,
    }
}

pub(super) fn operations(store: &dyn Store) {
    let wait = |name: &str, number| Wait { on: machine(1, &[]).id.child("extensions", name).unwrap(), number };
    let on = |name: &str| wait(name, 0).on;
    let state = |number| store.read().unwrap().operation(operation(number).id).unwrap().unwrap().state;
    write(store, |tx| {
        tx.begin_operation(&operation(1), &[wait("a", 2), wait("b", 1)])?;
        tx.begin_operation(&operation(2), &[wait("a", 3)])?;
        tx.begin_operation(&operation(3), &[wait("b", 7)])?;
        tx.begin_operation(&operation(4), &[])
    })
    .unwrap();
    assert_eq!(store.read().unwrap().operations_under_way().unwrap().len(), 4);
    let overdue = |seconds| store.read().unwrap().overdue_waits(at(seconds)).unwrap();
    assert_eq!((overdue(-1), overdue(0)), (vec![], vec![wait("a", 2), wait("a", 3), wait("b", 1), wait("b", 7)]));
    let reach = |name: &str, number, failed: Option<&OperationError>| {
        write(store, |tx| tx.reach(&on(name), number, failed)).unwrap()
    };
    assert_eq!(reach("a", 1, None), 0, "too early");
    assert_eq!(reach("a", 2, None), 0, "one of two");
    assert_eq!(reach("b", 1, None), 1);
    assert_eq!(state(1), OperationState::Succeeded);
    assert_eq!(state(2), OperationState::InProgress);
    let why = OperationError { code: "VMExtensionProvisioningError".to_owned(), message: "no".to_owned() };
    assert_eq!(reach("a", 3, Some(&why)), 1);
    assert_eq!(state(2), OperationState::Failed(why));
    assert!(write(store, |tx| tx.end_operation(operation(4).id, None)).unwrap());
    assert!(!write(store, |tx| tx.end_operation(operation(4).id, None)).unwrap(), "ends once");
    assert_eq!(store.read().unwrap().operation_on(&extension(1).id).unwrap(), Some(operation(3)));
    assert_eq!(write(store, |tx| tx.prune_operations(at(1))).unwrap(), 3);
    assert_eq!(store.read().unwrap().operations_under_way().unwrap(), [operation(3)]);
}

pub(super) fn deployments(store: &dyn Store) {
    base(store);
    let deployment = deployment(1);
    let step = DeploymentOperation {
        number: 0,
        target: machine(1, &[]).id.to_string(),
        document: "{}".to_owned(),
        operation: Some(operation(2).id),
        ended: false,
    };
    write(store, |tx| {
        tx.begin_operation(&operation(1), &[])?;
        tx.put_deployment(&deployment)?;
        tx.put_deployment_operation(&deployment.id, &step)
    })
    .unwrap();
    let tx = store.read().unwrap();
    assert_eq!(tx.deployments_under_way().unwrap(), std::slice::from_ref(&deployment));
    assert_eq!(tx.deployment_operations(&deployment.id).unwrap(), std::slice::from_ref(&step));
    drop(tx);
    write(store, |tx| {
        let ended = Deployment { state: DeploymentState::Succeeded, request: None, ..deployment.clone() };
        assert_eq!(tx.put_deployment(&ended)?, Put::Updated);
        tx.put_deployment_operation(&deployment.id, &DeploymentOperation { ended: true, operation: None, ..step })?;
        tx.end_operation(operation(1).id, None)?;
        assert_eq!(tx.prune_operations(at(1))?, 0, "a deployment names it");
        Ok(())
    })
    .unwrap();
    assert_eq!(store.read().unwrap().deployments_under_way().unwrap(), []);
    assert!(write(store, |tx| tx.remove_deployment(&deployment.id)).unwrap());
    let tx = store.read().unwrap();
    assert_eq!(tx.deployments(&Scope::Root).unwrap(), []);
    assert_eq!(tx.deployment_operations(&deployment.id).unwrap(), []);
}

pub(super) fn federated_credentials(store: &dyn Store) {
    base(store);
    write(store, everything).unwrap();
    let holder = identity(1).identity.principal_id;
    let credential = |subject: &str| FederatedCredential {
        name: "gh".to_owned(),
        issuer: "https://issuer.example".to_owned(),
        subject: subject.to_owned(),
        audience: "api://AzureADTokenExchange".to_owned(),
    };
    write(store, |tx| {
        assert_eq!(tx.put_federated_credential(holder, &credential("a"))?, Put::Created);
        assert_eq!(tx.put_federated_credential(holder, &credential("a"))?, Put::Unchanged);
        let shouted = FederatedCredential { name: "GH".to_owned(), ..credential("b") };
        assert_eq!(tx.put_federated_credential(holder, &shouted)?, Put::Updated);
        assert_eq!(tx.federated_credentials(holder)?, [credential("b")]);
        Ok(())
    })
    .unwrap();
    let client = store.read().unwrap().client(tenant().id, identity(1).identity.client_id).unwrap().unwrap();
    assert_eq!(client.federated, [credential("b")]);
    assert!(write(store, |tx| tx.remove_federated_credential(holder, "Gh")).unwrap());
    let nobody = write(store, |tx| tx.put_federated_credential(guid(0x42, 99), &credential("a")));
    assert!(matches!(nobody, Err(Error::Missing { .. })), "{nobody:?}");
}

pub(super) fn refusals(store: &dyn Store) {
    let mut tx = store.begin(act("refused")).unwrap();
    tx.record();
    tx.save().unwrap();
    let tx = store.read().unwrap();
    assert_eq!(tx.audit(0, 10).unwrap().len(), 1);
}

pub(super) fn scheduled_event(number: u32, kind: EventKind, not_before: i64) -> ScheduledEvent {
    ScheduledEvent {
        id: guid(0x80, number),
        vm: machine(1, &[]).id,
        kind,
        not_before: at(not_before),
        started_at: None,
        description: "why".to_owned(),
        by_user: false,
        duration: None,
    }
}

pub(super) fn scheduled_events(store: &dyn Store) {
    base(store);
    let vm = machine(1, &[]).id;
    let late = scheduled_event(1, EventKind::Reboot, 20);
    let early = ScheduledEvent { duration: Some(9), by_user: true, ..scheduled_event(2, EventKind::Freeze, 10) };
    let of = || store.read().unwrap().scheduled_events_of(&vm).unwrap();
    let missing = write(store, |tx| tx.put_scheduled_event(&late));
    assert!(matches!(missing, Err(Error::Missing { .. })), "{missing:?}");
    write(store, |tx| tx.put_virtual_machine(&machine(1, &[]))).unwrap();
    assert_eq!(of(), (0, vec![]));
    for event in [&late, &early] {
        for expected in [Put::Created, Put::Unchanged] {
            assert_eq!(write(store, |tx| tx.put_scheduled_event(event)).unwrap(), expected);
        }
    }
    assert_eq!(of(), (2, vec![early.clone(), late.clone()]));
    let begun = ScheduledEvent { started_at: Some(at(11)), ..early };
    assert_eq!(write(store, |tx| tx.put_scheduled_event(&begun)).unwrap(), Put::Updated);
    assert_eq!(store.read().unwrap().scheduled_event(begun.id).unwrap(), Some(begun.clone()));
    for there in [true, false] {
        assert_eq!(write(store, |tx| tx.remove_scheduled_event(begun.id)).unwrap(), there);
    }
    assert_eq!(of(), (4, vec![late.clone()]));
    assert_eq!(store.read().unwrap().scheduled_events().unwrap(), [late]);
    write(store, |tx| tx.remove_virtual_machine(&vm)).unwrap();
    assert!(store.read().unwrap().scheduled_events().unwrap().is_empty(), "they go with their machine");
}
