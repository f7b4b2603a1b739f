use super::*;

pub(super) fn dropped(store: &dyn Store) {
    base(store);
    let before = store.read().unwrap().cursor().unwrap();
    let mut tx = store.begin(act("dropped")).unwrap();
    everything(&mut *tx).unwrap();
    assert!(tx.virtual_machine(&machine(1, &[]).id).unwrap().is_some(), "it sees its own changes");
    drop(tx);
    let tx = store.read().unwrap();
    assert_eq!(tx.virtual_machine(&machine(1, &[]).id).unwrap(), None);
    assert_eq!(tx.signing_keys().unwrap(), []);
    assert_eq!(tx.cursor().unwrap(), before);
    assert_eq!(tx.audit(0, 100).unwrap().len(), 1);
}

pub(super) fn spoilt(store: &dyn Store) {
    base(store);
    let mut tx = store.begin(act("spoilt")).unwrap();
    tx.put_user_assigned_identity(&identity(1)).unwrap();
    tx.put_virtual_machine(&machine(1, &[1, 2])).unwrap_err();
    assert!(matches!(tx.save(), Err(Error::Spoilt)));
    assert_eq!(store.read().unwrap().user_assigned_identity(&identity(1).identity.id).unwrap(), None);
}

pub(super) fn audit(store: &dyn Store) {
    base(store);
    let mut tx = store.begin(Act::new("me", "everything", "here", Timestamp::from_unix(NOW + 5))).unwrap();
    everything(&mut *tx).unwrap();
    tx.save().unwrap();
    let entries = store.read().unwrap().audit(0, 100).unwrap();
    assert_eq!(entries.len(), 2, "one entry for one act, however much it changed");
    let last = store.read().unwrap().latest_act().unwrap().unwrap();
    assert_eq!((last.actor.as_str(), last.action.as_str(), last.target.as_str()), ("me", "everything", "here"));
    assert_eq!(last.at.unix(), NOW + 5);
    let rest = store.read().unwrap().audit(entries.first().unwrap().seq, 100).unwrap();
    assert_eq!(rest.len(), 1);
}

pub(super) fn snapshot(store: &dyn Store) {
    base(store);
    let early = store.read().unwrap();
    assert_eq!(early.signing_keys().unwrap(), []);
    write(store, everything).unwrap();
    assert_eq!(early.signing_keys().unwrap(), [], "what is saved later is not seen");
    assert_eq!(store.read().unwrap().signing_keys().unwrap().len(), 1);
}
