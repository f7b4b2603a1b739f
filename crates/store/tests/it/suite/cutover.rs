use domain::caller::MAX_CALLERS;
use domain::{CalledEndpoint, Caller, Calls, Cutover, Day, Step};
use store::{Put, Tally};

use super::*;

const TODAY: Day = Day(20_000);

fn calls(number: u32, count: u64, last: i64) -> Calls {
    let identity = (number == 1).then(|| identity(1).identity.client_id);
    Calls {
        endpoint: CalledEndpoint::Extension,
        day: TODAY,
        caller: Caller::new(identity, &format!("client/{number}"), Some("app"), Some(number)),
        count,
        last_at: Timestamp::from_unix(last),
    }
}

fn cutover(wanted: Step) -> Cutover {
    Cutover {
        wanted,
        since: Timestamp::from_unix(NOW),
        reached: Step::Serving,
        failed: Some("no answer".to_owned()),
        ..Cutover::none(machine(1, &[]).id)
    }
}

pub(super) fn one_of_each(tx: &mut dyn Tx) -> Result<(), Error> {
    let vm = machine(1, &[]).id;
    tx.count_calls(&vm, &[calls(1, 2, 5)], Tally::AtLeast)?;
    tx.put_cutover(&cutover(Step::Forwarding))?;
    Ok(())
}

pub(super) fn callers(store: &dyn Store) {
    base(store);
    let vm = machine(1, &[]).id;
    let counted = |from: Day| store.read().unwrap().calls(&vm, from).unwrap();
    let count = |calls: &[Calls], tally| write(store, |tx| tx.count_calls(&vm, calls, tally));
    let missing = count(&[calls(1, 1, 1)], Tally::More);
    assert!(matches!(missing, Err(Error::Missing { .. })), "{missing:?}");
    write(store, |tx| tx.put_virtual_machine(&machine(1, &[]))).unwrap();
    count(&[calls(1, 2, 5), calls(2, 1, 9)], Tally::More).unwrap();
    count(&[calls(1, 3, 4)], Tally::More).unwrap();
    // `client/2` first: it acts as nobody.
    assert_eq!(counted(TODAY), [calls(2, 1, 9), calls(1, 5, 5)]);
    count(&[calls(1, 4, 6), calls(2, 7, 9)], Tally::AtLeast).unwrap();
    count(&[calls(2, 7, 9)], Tally::AtLeast).unwrap();
    assert_eq!(counted(TODAY), [calls(2, 7, 9), calls(1, 5, 6)], "said again is not counted again");
    let elsewhere = Calls { endpoint: CalledEndpoint::Metadata, ..calls(1, 8, 8) };
    count(&[elsewhere.clone(), Calls { day: TODAY.before(1), ..calls(1, 1, 1) }], Tally::More).unwrap();
    assert_eq!(counted(TODAY).last(), Some(&elsewhere));
    assert_eq!(counted(TODAY.before(1)).len(), 4);

    let many: Vec<Calls> = (10..200).map(|number| calls(number, 1, 1)).collect();
    count(&many, Tally::More).unwrap();
    let today: Vec<Calls> =
        counted(TODAY).into_iter().filter(|one| one.endpoint == CalledEndpoint::Extension).collect();
    assert_eq!(today.len(), MAX_CALLERS);
    let others = today.iter().find(|one| one.caller == Caller::others()).unwrap();
    assert_eq!(others.count, 190 + 3 - u64::try_from(MAX_CALLERS).unwrap(), "none of them is lost");
    count(&[calls(1, 1, 7)], Tally::More).unwrap();
    assert!(counted(TODAY).contains(&calls(1, 6, 7)), "who is known stays known");

    assert_eq!(write(store, |tx| tx.prune_calls(TODAY)).unwrap(), 1);
    write(store, |tx| tx.remove_virtual_machine(&vm)).unwrap();
    assert_eq!(counted(Day(0)), []);
}

pub(super) fn cutovers(store: &dyn Store) {
    base(store);
    let missing = write(store, |tx| tx.put_cutover(&cutover(Step::Closed)));
    assert!(matches!(missing, Err(Error::Missing { .. })), "{missing:?}");
    let found = || store.read().unwrap().cutover(&machine(1, &[]).id).unwrap();
    write(store, |tx| {
        tx.put_user_assigned_identity(&identity(1))?;
        tx.put_virtual_machine(&machine(1, &[]))?;
        tx.put_vm_extension(&extension(1))?;
        assert_eq!(tx.put_cutover(&cutover(Step::Forwarding))?, Put::Created);
        assert_eq!(tx.put_cutover(&cutover(Step::Forwarding))?, Put::Unchanged);
        assert_eq!(tx.put_cutover(&cutover(Step::Revoked))?, Put::Updated);
        Ok::<_, Error>(())
    })
    .unwrap();
    assert_eq!(found(), Some(cutover(Step::Revoked)));
    write(store, |tx| tx.remove_vm_extension(&extension(1).id)).unwrap();
    assert_eq!(found(), None, "an extension that comes anew serves");
    write(store, |tx| {
        tx.put_cutover(&cutover(Step::Forwarding))?;
        tx.remove_virtual_machine(&machine(1, &[]).id)
    })
    .unwrap();
    assert_eq!(found(), None);
}
