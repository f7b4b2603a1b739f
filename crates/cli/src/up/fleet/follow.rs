//! How the fleet follows the store.

use std::sync::Arc;
use std::time::Duration;

use domain::ResourceId;
use listen::Ending;
use tokio::task::JoinError;
use tokio::time::MissedTickBehavior;

use super::super::calls::Pace;
use super::super::news::News;
use super::{Attached, Fleet, Stage};

/// How soon it is tried again what could not be done.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// How often it is looked whether anybody called.
const COUNT_EVERY: Duration = Duration::from_secs(5);

impl Fleet {
    /// Follows the store until the end is asked for; what is in flight then is finished.
    pub(crate) async fn run(mut self, mut ending: Ending) {
        let mut saved = self.setting.common.store.saved();
        let mut guests = Stage::default();
        let common = Arc::clone(&self.setting.common);
        let mut teller = common.moves.teller();
        let mut again = tokio::time::interval(TRY_AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut count = tokio::time::interval(COUNT_EVERY);
        count.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pace = Pace::new();
        loop {
            saved.borrow_and_update();
            let caught_up = self.catch_up(&mut guests).await;
            if let Err(error) = &caught_up {
                tracing::error!(error = error as &dyn std::error::Error, "the VMs could not be brought up to date");
            }
            teller.tell(|| self.describe_again());
            tokio::select! {
                biased;
                () = ending.asked() => break,
                changed = saved.changed() => if changed.is_err() { break },
                () = teller.moved() => {}
                joined = common.outside.joined() => {
                    for id in joined {
                        tracing::info!(vm = %id, "the VM has an agent of its own");
                        self.bring(id, false, &mut guests).await;
                    }
                }
                _ = count.tick() => if pace.is_due() { pace.wrote(self.counted().write().await) },
                _ = again.tick(), if caught_up.is_err() || self.enrolled || !self.behind.is_empty() => {
                    for id in std::mem::take(&mut self.behind) {
                        self.bring(id, true, &mut guests).await;
                    }
                }
            }
        }
        drop(teller);
        let counted = self.counted();
        for running in std::mem::take(&mut self.running).into_values() {
            self.closing.extend(running.imds.map(Attached::end));
        }
        self.closing.spawn(guests.end());
        while let Some(ended) = self.closing.join_next().await {
            told(ended);
        }
        counted.write().await;
    }

    /// Does what the store says since the last time. What can't be done for one machine keeps nothing else back.
    async fn catch_up(&mut self, guests: &mut Stage) -> Result<(), store::Error> {
        loop {
            let cursor = self.cursor;
            let mut news = self.setting.common.store.read(move |tx| News::since(tx, &cursor)).await?;
            if news.all {
                news.machines.extend(self.running.keys().cloned());
            }
            let leaning = self.running.iter().filter(|(_, running)| !running.leans_on.is_disjoint(&news.resources));
            news.machines.extend(leaning.map(|(id, _)| id.clone()).collect::<Vec<_>>());
            for id in news.machines {
                let again = self.behind.remove(&id);
                self.bring(id, again, guests).await;
            }
            self.write_roster();
            let done = news.next == cursor;
            self.cursor = news.next;
            self.describe_again();
            self.setting.seen.send_replace(Some(self.cursor));
            if done {
                return Ok(());
            }
        }
    }

    /// Brings one machine to what the store says, now or later; `again` when it could not be done before.
    async fn bring(&mut self, id: ResourceId, again: bool, guests: &mut Stage) {
        match self.refresh(&id, guests).await {
            Ok(()) if again => tracing::info!(vm = %id, "the VM is up to date again"),
            Ok(()) => {}
            Err(error) => {
                if !again {
                    tracing::error!(vm = %id, error = format!("{error:#}"), "the VM can't be as it should; trying again");
                }
                self.behind.insert(id);
            }
        }
    }

    fn write_roster(&mut self) {
        if self.enrolled {
            match self.roster.write(&self.setting.data) {
                Ok(()) => self.enrolled = false,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the VMs' order could not be kept; trying again"
                    );
                }
            }
        }
    }
}

/// Logs what came of something that was asked to end.
pub(super) fn told(ended: Result<Result<(), JoinError>, JoinError>) {
    if let Err(error) = ended.flatten() {
        tracing::error!(%error, "a listener ended badly");
    }
}
