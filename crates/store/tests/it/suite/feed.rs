use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use store::{Cursor, CursorExpired, Noun};

use super::*;

const WRITERS: usize = 8;
const CHANGES: usize = 40;

pub(super) fn every_change(store: &dyn Store) {
    base(store);
    let start = store.read().unwrap().cursor().unwrap();
    write(store, everything).unwrap();
    let changes = store.read().unwrap().changes(&start, 100).unwrap();
    let nouns: Vec<Noun> = changes.changes.iter().map(|change| change.noun).collect();
    for noun in Noun::ALL {
        let before = matches!(noun, Noun::Tenant | Noun::Subscription | Noun::ResourceGroup);
        assert_eq!(nouns.contains(&noun), !before, "{noun:?}");
    }
    let rest = store.read().unwrap().changes(&changes.next, 100).unwrap();
    assert_eq!((rest.changes.len(), rest.next), (0, changes.next));
    let again: Cursor = changes.next.to_string().parse().unwrap();
    assert_eq!(again, changes.next);
}

/// Who saves is told where the feed is then, whatever was saved.
pub(super) fn saved(store: &dyn Store) {
    base(store);
    let saves: [fn(&mut dyn Tx); 4] = [
        |tx| everything(tx).unwrap(),
        |tx| tx.record(),
        |_| (),
        |tx| assert!(tx.prune_changes(Timestamp::from_unix(i64::MAX), 0).unwrap() > 0),
    ];
    for save in saves {
        let mut tx = store.begin(act("test")).unwrap();
        save(&mut *tx);
        let told = tx.save().unwrap();
        assert_eq!(told, store.read().unwrap().cursor().unwrap());
    }
}

/// Writers and a reader at the same time: every committed change is seen exactly once.
pub(super) fn loses_nothing(store: &dyn Store) {
    let start = store.read().unwrap().cursor().unwrap();
    let ended = AtomicUsize::new(0);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let ended = &ended;
            scope.spawn(move || {
                for number in 0..CHANGES {
                    write(store, |tx| tx.put_value(&format!("{writer}-{number}"), "x")).unwrap();
                }
                ended.fetch_add(1, Ordering::SeqCst);
            });
        }
        let mut cursor = start;
        loop {
            // Asked before the reading: what was saved by then is in it.
            let last = ended.load(Ordering::SeqCst) == WRITERS;
            let changes = store.read().unwrap().changes(&cursor, 7).unwrap();
            for change in &changes.changes {
                *seen.entry(change.key.clone()).or_default() += 1;
            }
            cursor = changes.next;
            if last && changes.changes.is_empty() {
                break;
            }
        }
    });
    assert_eq!(seen.len(), WRITERS * CHANGES);
    assert!(seen.values().all(|count| *count == 1));
}

pub(super) fn other_history(store: &dyn Store) {
    let own = store.read().unwrap().cursor().unwrap();
    let text = own.to_string();
    let (_, position) = text.split_once('.').unwrap();
    let other: Cursor = format!("{}.{position}", Uuid::from_u128(7).simple()).parse().unwrap();
    let refused = |cursor: &Cursor| match store.read().unwrap().changes(cursor, 1) {
        Err(Error::Cursor(why)) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&other), CursorExpired::OtherEpoch);
    let ahead: Cursor = text.replace(&format!(".{position}"), ".999999").parse().unwrap();
    assert_eq!(refused(&ahead), CursorExpired::Ahead);
}

pub(super) fn too_old(store: &dyn Store) {
    let start = store.read().unwrap().cursor().unwrap();
    for number in 0..3 {
        write(store, |tx| tx.put_value("name", &number.to_string())).unwrap();
    }
    let mut tx = store.begin(Act::new("test", "prune", "", Timestamp::from_unix(NOW + 10))).unwrap();
    assert!(tx.prune_changes(Timestamp::from_unix(NOW + 1), 100).unwrap() > 0);
    tx.save().unwrap();
    let refused = store.read().unwrap().changes(&start, 10);
    assert!(matches!(refused, Err(Error::Cursor(CursorExpired::TooOld))), "{refused:?}");
    let now = store.read().unwrap().cursor().unwrap();
    store.read().unwrap().changes(&now, 10).unwrap();
}

pub(super) fn pruned(store: &dyn Store) {
    let put = |at: i64, numbers: std::ops::Range<u32>| {
        for number in numbers {
            let mut tx = store.begin(Act::new("test", "put", "", Timestamp::from_unix(NOW + at))).unwrap();
            tx.put_value(&number.to_string(), "x").unwrap();
            tx.save().unwrap();
        }
        store.read().unwrap().cursor().unwrap()
    };
    let prune = |at: i64, most: u64| write(store, |tx| tx.prune_changes(Timestamp::from_unix(NOW + at), most)).unwrap();
    let keys = |after: &Cursor| {
        let changes = store.read().unwrap().changes(after, 100)?;
        Ok::<_, Error>(changes.changes.into_iter().map(|change| change.key).collect::<Vec<_>>())
    };
    let (start, old) = (store.read().unwrap().cursor().unwrap(), put(0, 0..3));
    let young = put(100, 3..8);
    assert_eq!(prune(0, 100), 0, "nothing is older, and there are no more");
    assert_eq!((prune(100, 100), prune(100, 100)), (3, 0), "those that are older");
    assert_eq!(keys(&old).unwrap(), ["3", "4", "5", "6", "7"]);
    assert_eq!(prune(0, 2), 3, "all but the last two");
    for gone in [&start, &old] {
        assert!(matches!(keys(gone), Err(Error::Cursor(CursorExpired::TooOld))));
    }
    assert_eq!(keys(&young).unwrap(), Vec::<String>::new(), "who has seen everything goes on");
    assert_eq!(prune(1_000, 100), 2);
    assert_eq!(keys(&young).unwrap(), Vec::<String>::new());
    put(100, 8..9);
    assert_eq!(keys(&young).unwrap(), ["8"]);
}
