//! Which machines' goal states something was saved of that they are made of.

use std::collections::HashSet;

use domain::ResourceId;
use store::{Change, Cursor, Error, Noun, ReadTx};

/// How many changes are looked at in one go.
const CHANGES: usize = 1_000;

/// What was saved behind a cursor.
pub(super) struct News {
    /// The machines that it is about; none when that isn't known, so that it may be all.
    pub(super) machines: Option<HashSet<ResourceId>>,
    /// Where to go on.
    pub(super) next: Cursor,
}

impl News {
    /// All of it, up to what `tx` sees.
    pub(super) fn since(tx: &dyn ReadTx, cursor: Option<Cursor>) -> Result<Self, Error> {
        let head = tx.cursor()?;
        let all = Self { machines: None, next: head };
        let Some(mut next) = cursor else { return Ok(all) };
        let mut machines = HashSet::new();
        while !next.has_come_to(&head) {
            match tx.changes(&next, CHANGES) {
                Ok(found) => {
                    // It doesn't say whose it is. One is made and revoked twice a day and machine.
                    if found.changes.iter().any(|change| change.noun == Noun::CertificateCredential) {
                        return Ok(all);
                    }
                    machines.extend(found.changes.iter().filter_map(Change::machine));
                    next = found.next;
                }
                Err(Error::Cursor(_)) => return Ok(all),
                Err(why) => return Err(why),
            }
        }
        Ok(Self { machines: Some(machines), next })
    }
}
