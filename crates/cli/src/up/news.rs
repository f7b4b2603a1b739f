//! What the store says since the last time: which machines are to be looked at again.

use std::collections::BTreeSet;

use domain::ResourceId;
use store::{Cursor, Error, Noun, ReadTx};

/// How many changes are looked at in one go.
const CHANGES: usize = 1_000;

/// Which machines are to be looked at again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) machines: BTreeSet<ResourceId>,
    /// The ids of resources of other types that changed, in lower case.
    pub(crate) resources: BTreeSet<String>,
    /// Whether these are all that there are: what changed isn't known any more, and whatever isn't among them is gone.
    pub(crate) all: bool,
    /// Where to go on.
    pub(crate) next: Cursor,
}

impl News {
    /// What was saved behind a cursor.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn since(tx: &dyn ReadTx, cursor: &Cursor) -> Result<Self, Error> {
        match tx.changes(cursor, CHANGES) {
            Ok(changes) => {
                // What an agent was told is no reason to look.
                let machines = changes.changes.iter().filter(|change| change.noun != Noun::GoalState);
                let machines = machines.filter_map(store::Change::machine).collect();
                let resources = changes.changes.iter().filter(|change| change.noun == Noun::Resource);
                let resources = resources.map(|change| change.key.clone()).collect();
                Ok(Self { machines, resources, all: false, next: changes.next })
            }
            Err(Error::Cursor(why)) => {
                tracing::warn!(%why, "what changed isn't known any more; every VM is looked at");
                let machines = tx.vm_snapshots()?.into_iter().map(|found| found.id).collect();
                Ok(Self { machines, resources: BTreeSet::new(), all: true, next: tx.cursor()? })
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Tenant, Timestamp};
    use store::{Act, Store, Tx};

    use super::*;

    fn write(store: &dyn Store, change: impl FnOnce(&mut dyn Tx)) {
        let mut tx = store.begin(Act::new("test", "test", "", Timestamp::from_unix(1_800_000_000))).unwrap();
        change(&mut *tx);
        tx.save().unwrap();
    }

    #[test]
    fn who_is_too_far_behind_looks_at_everything_and_goes_on_from_there() {
        let founding = store::Founding { installation: uuid::Uuid::from_u128(1), epoch: uuid::Uuid::from_u128(2) };
        let store = store::sqlite::ephemeral(&founding).unwrap();
        let since = |cursor: &Cursor| News::since(&*store.read().unwrap(), cursor).unwrap();
        let start = store.read().unwrap().cursor().unwrap();
        let world = crate::seed::sample().unwrap();
        let tenant = Tenant { id: world.tenants[0].id, name: "other".to_owned(), created_at: None };
        let vm = world.virtual_machines[0].id.clone();
        write(&store, |tx| crate::seed::put(tx, &world));
        let told = since(&start);
        assert_eq!((&told.machines, told.all), (&BTreeSet::from([vm.clone()]), false));
        write(&store, |tx| {
            tx.put_tenant(&tenant).unwrap();
            tx.prune_changes(Timestamp::from_unix(1_900_000_000), 0).unwrap();
        });
        let anew = since(&start);
        assert_eq!((&anew.machines, anew.all), (&BTreeSet::from([vm.clone()]), true));
        assert_eq!(
            since(&anew.next),
            News { machines: BTreeSet::new(), resources: BTreeSet::new(), all: false, next: anew.next }
        );
        write(&store, |tx| assert!(tx.remove_virtual_machine(&vm).unwrap()));
        assert_eq!(since(&anew.next).machines, BTreeSet::from([vm]));
        assert!(since(&start).machines.is_empty(), "it is gone, and whoever still runs it learns so");
    }
}
