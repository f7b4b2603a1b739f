//! Carries out the deployments that were accepted, whichever process took them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::caller::REMEMBERED_DAYS;
use domain::{Day, Deployment, Monotonic, OperationId, ResourceId, Timestamp};
use store::{Act, ReadTx};

use super::super::failure::Failure;
use super::super::guest;
use super::run::advance;
use crate::App;

/// How long until it is tried again when the store could not be used.
const AGAIN: Duration = Duration::from_secs(1);
/// How long an operation that has ended can still be asked for, and a change is told to who follows them.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a certificate of a machine is kept after its end, for whoever wonders why it is refused.
const CERTIFICATES_KEPT: Duration = Duration::from_secs(24 * 3600);
/// How many changes are kept at most.
const CHANGES_KEPT: u64 = 10_000;
/// How often those that have been kept long enough are looked for.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);
/// How often guests are looked for that say nothing.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Carries out every deployment that was accepted, for ever; those that a process before this one began first. Ends what
/// nobody else ends, and forgets what is old.
pub(crate) async fn keep_running(app: Arc<App>) {
    let mut saved = app.store.saved();
    let mut waiting = Waiting::default();
    let (mut prune_due, mut look_due) = (Due::every(PRUNE_EVERY), Due::every(LOOK_EVERY));
    loop {
        saved.borrow_and_update();
        let (now, monotonic) = (app.authority.clock().now(), app.authority.clock().monotonic());
        if prune_due.is_come(monotonic)
            && let Err(failure) = prune(&app, now).await
        {
            drop(failure.told());
        }
        if look_due.is_come(monotonic)
            && let Err(error) = guest::give_up(&app, now).await
        {
            drop(Failure::from(error).told());
        }
        let again = match advance_all(&app, &mut waiting).await {
            Ok(true) => continue,
            Ok(false) => LOOK_EVERY,
            Err(failure) => {
                drop(failure.told());
                AGAIN
            }
        };
        // Nobody may save anything for long, and time passes all the same.
        if let Ok(Err(_)) = tokio::time::timeout(again, saved.changed()).await {
            return;
        }
    }
}

/// What is done at once and then from time to time.
struct Due {
    every: Duration,
    last: Option<Monotonic>,
}

impl Due {
    fn every(every: Duration) -> Self {
        Self { every, last: None }
    }

    /// Whether it is to be done; then the next time is counted from now.
    fn is_come(&mut self, now: Monotonic) -> bool {
        let come = self.last.is_none_or(|last| now.since(last) >= self.every);
        if come {
            self.last = Some(now);
        }
        come
    }
}

/// Forgets operations and certificates of machines that ended long ago, and changes that everybody has long seen.
pub(crate) async fn prune(app: &App, now: Timestamp) -> Result<(), Failure> {
    let (before, certificates_before) = (now.minus(KEPT), now.minus(CERTIFICATES_KEPT));
    let act = Act::new("symbolon", "prune", "/", now);
    let pruned = app.store.write(act, move |tx| {
        tx.prune_operations(before)?;
        tx.prune_certificate_credentials(certificates_before)?;
        tx.prune_calls(Day::of(now).before(REMEMBERED_DAYS))?;
        tx.prune_changes(before, CHANGES_KEPT)
    });
    pruned.await?;
    Ok(())
}

/// The deployments whose next step waits for one that is on its way. To look at what a step waits for is little; to
/// find the next step takes the whole template.
#[derive(Debug, Default)]
pub(crate) struct Waiting(HashSet<OperationId>);

/// Takes one step of every deployment that can take one; whether there was any.
pub(crate) async fn advance_all(app: &App, waiting: &mut Waiting) -> Result<bool, Failure> {
    let under_way = app.store.read(|tx| tx.deployments_under_way()).await?;
    waiting.0.retain(|known| under_way.iter().any(|found| found.operation == *known));
    let mut advanced = false;
    for Deployment { id, operation, .. } in under_way {
        if waiting.0.contains(&operation) {
            let of = id.clone();
            if !app.store.read(move |tx| something_ended(tx, &of)).await? {
                continue;
            }
            waiting.0.remove(&operation);
        }
        if advance(app, &id).await? {
            advanced = true;
        } else {
            waiting.0.insert(operation);
        }
    }
    Ok(advanced)
}

/// Whether a step that was on its way has ended, and wasn't looked after yet.
fn something_ended(tx: &dyn ReadTx, id: &ResourceId) -> Result<bool, store::Error> {
    for step in tx.deployment_operations(id)?.iter().filter(|step| !step.ended) {
        let operation = step.operation.map(|id| tx.operation(id)).transpose()?.flatten();
        if operation.is_none_or(|operation| operation.ended_at.is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}
