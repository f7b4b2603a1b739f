//! Carries out the deployments that were accepted, whichever process took them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::{Deployment, OperationId, ResourceId, Timestamp};
use store::{Act, ReadTx};

use super::super::failure::Failure;
use super::run::advance;
use crate::App;

/// How long until it is tried again when the store could not be used.
const AGAIN: Duration = Duration::from_secs(1);
/// How long an operation that has ended can still be asked for, and a change is told to who follows them.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// How many changes are kept at most.
const CHANGES_KEPT: u64 = 10_000;
/// How often those that have been kept long enough are looked for.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);

/// Carries out every deployment that was accepted, for ever; those that a process before this one began first.
pub(crate) async fn keep_running(app: Arc<App>) {
    let mut saved = app.store.saved();
    let mut waiting = Waiting::default();
    let mut pruned = None;
    loop {
        saved.borrow_and_update();
        let now = app.authority.clock().now();
        if pruned.is_none_or(|at| now.since(at) >= PRUNE_EVERY) {
            pruned = Some(now);
            if let Err(failure) = prune(&app, now).await {
                drop(failure.told());
            }
        }
        match advance_all(&app, &mut waiting).await {
            Ok(true) => continue,
            Ok(false) => {
                if saved.changed().await.is_err() {
                    return;
                }
            }
            Err(failure) => {
                drop(failure.told());
                // Nobody may save anything for long, and what failed may be done by then.
                drop(tokio::time::timeout(AGAIN, saved.changed()).await);
            }
        }
    }
}

/// Forgets operations that ended long ago, and changes that everybody has long seen.
pub(crate) async fn prune(app: &App, now: Timestamp) -> Result<(), Failure> {
    let before = now.minus(KEPT);
    let act = Act::new("symbolon", "prune", "/", now);
    let pruned = app.store.write(act, move |tx| {
        tx.prune_operations(before)?;
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
