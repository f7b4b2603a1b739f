//! The guest agent: does what the host says is wanted of this VM's extensions, and tells what came of it.
//!
//! It keeps the files of Azure's agent (Azure/WALinuxAgent), in the same places and with the same meaning, so that a
//! package is the same for both; it runs a handler's commands in the same order, with the same limits and the same
//! environment. What is wanted it reads in the form of the HostGAPlugin alone. What is at work is told while it is: an
//! `enable` that waits for something doesn't keep the host from hearing what it waits for.

pub mod command;
pub mod exchange;
pub mod folder;
pub mod heartbeat;
pub mod host;
pub mod keys;
pub mod outcome;
pub mod package;
pub mod report;
mod running;
pub mod wire;
pub mod work;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use contract::guest_agent::vm_settings::VmSettings;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::heartbeat::Heartbeats;
use self::host::{Host, HostError, Wanted};
use self::outcome::Outcomes;
use self::work::Work;
use crate::disk::{DiskError, require_ours};
use crate::time::Time;

/// What the host calls a goal state that is for agents to carry out.
const SOURCE: &str = "FastTrack";

/// The longest pause before a package is tried again, in periods.
const LONGEST_PAUSE: u32 = 20;

/// An agent of one machine, and the only one.
pub struct Agent {
    root: PathBuf,
    /// Held while there is this agent.
    _lock: File,
    host: Arc<Host>,
    period: Duration,
    time: Time,
}

/// Why there is no agent.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is one already.
    #[error("another agent is at work in {}", folder.display())]
    Another {
        /// The agents' folder.
        folder: PathBuf,
    },
    /// The disk refuses, or others may change what is in that folder.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Something that is wanted, with the agent's own count of it.
#[derive(Clone, Debug)]
pub struct Goal {
    /// Another one for each.
    pub number: u64,
    /// What is wanted.
    pub settings: Arc<VmSettings>,
}

/// What the two halves of an agent share: the one that listens and tells, and the one that works.
#[derive(Default)]
struct Shared {
    outcomes: Arc<Outcomes>,
    heartbeats: Heartbeats,
    /// What was gone through last.
    done: watch::Sender<Option<Goal>>,
}

impl Agent {
    /// An agent of the machine whose files are below `root`, that asks `host` every `period`.
    ///
    /// # Errors
    /// When another one is at work there, or the disk refuses.
    pub fn new(root: PathBuf, host: Host, period: Duration, time: Time) -> Result<Self, StartError> {
        let lock = lock(&root.join("var/lib/waagent"))?;
        Ok(Self { root, _lock: lock, host: Arc::new(host), period, time })
    }

    /// Runs until `end` is there. What a command has begun it finishes by itself.
    pub async fn run(self, end: impl Future<Output = ()>) {
        let shared = Arc::new(Shared::default());
        let (goals, wanted) = watch::channel(None);
        let outcomes = Arc::clone(&shared.outcomes);
        let work = Work::new(self.root.clone(), Arc::clone(&self.host), outcomes, self.time.clone());
        // Ended with the agent, however that ends.
        let mut working = JoinSet::new();
        working.spawn(work_off(work, wanted, Arc::clone(&shared), self.period, self.time.clone()));
        let mut done = shared.done.subscribe();
        let mut end = std::pin::pin!(end);
        let mut etag = None;
        let (mut listening, mut telling) = (Reach::default(), Reach::default());
        loop {
            let heard = self.listen(&mut etag, &goals).await;
            listening.note(heard, "the host doesn't say what is wanted", "the host says again what is wanted");
            let goal = goals.borrow().clone();
            if let Some(goal) = goal {
                let told = self.tell(&goal, &shared).await;
                telling.note(told, "the host doesn't take the status", "the host takes the status again");
            }
            tokio::select! {
                biased;
                () = &mut end => break,
                // Told at once.
                _ = done.changed() => {}
                () = self.time.pause(self.period) => {}
            }
        }
        // Whoever comes next finds nobody at work.
        working.shutdown().await;
    }

    /// Asks what is wanted.
    async fn listen(&self, etag: &mut Option<String>, goals: &watch::Sender<Option<Goal>>) -> Result<(), HostError> {
        match self.host.wanted(etag.as_deref()).await? {
            Wanted::Unchanged => {}
            Wanted::Changed { etag: new, settings } => {
                *etag = Some(new);
                let (source, number) = (&settings.extension_goal_states_source, settings.in_svd_seq_no);
                if source != SOURCE {
                    tracing::info!(source, "what is wanted isn't for this agent");
                } else if settings.on_hold {
                    tracing::info!(number, "what is wanted is on hold");
                } else {
                    goals.send_if_modified(|goal| take(goal, settings));
                }
            }
        }
        Ok(())
    }

    /// Tells how everything fares.
    async fn tell(&self, goal: &Goal, shared: &Shared) -> Result<(), HostError> {
        let done = shared.done.borrow().clone();
        let blob =
            report::blob(&self.root, goal, &shared.outcomes, &shared.heartbeats, done.as_ref(), self.time.clock());
        self.host.report(&blob, &goal.settings.status_upload_blob.value).await
    }
}

/// Takes what is wanted, and says whether it is something else than before. What has the number of before isn't, whatever
/// its mark; only where the status goes may have changed.
fn take(goal: &mut Option<Goal>, settings: VmSettings) -> bool {
    let number = settings.in_svd_seq_no;
    match goal {
        Some(goal) if goal.settings.in_svd_seq_no == number => {
            tracing::info!(number, "what is wanted has another mark and the number of before");
            let status_upload_blob = settings.status_upload_blob;
            goal.settings = Arc::new(VmSettings { status_upload_blob, ..VmSettings::clone(&goal.settings) });
            false
        }
        Some(_) | None => {
            tracing::info!(number, activity = settings.activity_id, "something else is wanted");
            let number = goal.as_ref().map_or(0, |goal| goal.number) + 1;
            *goal = Some(Goal { number, settings: Arc::new(settings) });
            true
        }
    }
}

/// Whether the host does what is asked of it. It is asked again and again, and each turn is logged once.
#[derive(Default)]
struct Reach {
    is_away: bool,
}

impl Reach {
    fn note(&mut self, done: Result<(), HostError>, lost: &str, back: &str) {
        match (self.turns(done.is_err()), done) {
            (true, Err(error)) => tracing::warn!(error = &error as &dyn std::error::Error, "{lost}"),
            (true, Ok(())) => tracing::info!("{back}"),
            (false, Ok(()) | Err(_)) => {}
        }
    }

    /// Whether that is otherwise than before.
    fn turns(&mut self, is_away: bool) -> bool {
        std::mem::replace(&mut self.is_away, is_away) != is_away
    }
}

/// Takes the agents' folder for oneself, if nobody else can change what is in it: programs are run from there. The system
/// gives it back however the process ends.
fn lock(folder: &Path) -> Result<File, StartError> {
    folder::make(folder)?;
    require_ours(folder)?;
    let failed = |why| DiskError::Io { doing: "locked", path: folder.to_owned(), why };
    let lock = File::open(folder).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StartError::Another { folder: folder.to_owned() }),
        Err(TryLockError::Error(why)) => Err(failed(why).into()),
    }
}

/// Carries out one goal state after the other; of several that came meanwhile, the last. Until another one comes, packages
/// that couldn't be had are tried again, ever more seldom.
async fn work_off(
    work: Work,
    mut wanted: watch::Receiver<Option<Goal>>,
    shared: Arc<Shared>,
    period: Duration,
    time: Time,
) {
    let mut is_wanted = wanted.changed().await.is_ok();
    while is_wanted {
        let Some(goal) = wanted.borrow_and_update().clone() else { return };
        work.carry_out(goal.number, &goal.settings).await;
        shared.done.send_replace(Some(goal.clone()));
        let mut pause = period;
        is_wanted = loop {
            let lacks = work.lacks_packages(goal.number, &goal.settings);
            tokio::select! {
                biased;
                changed = wanted.changed() => break changed.is_ok(),
                () = time.pause(pause), if lacks => {}
            }
            work.try_again(goal.number, &goal.settings).await;
            shared.done.send_replace(Some(goal.clone()));
            pause = longer(pause, period);
        };
    }
}

/// The pause after this one.
fn longer(pause: Duration, period: Duration) -> Duration {
    pause.saturating_mul(2).min(period.saturating_mul(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit() {
        let period = Duration::from_secs(3);
        let pauses = std::iter::successors(Some(period), |pause| Some(longer(*pause, period))).take(7);
        assert_eq!(pauses.map(|pause| pause.as_secs()).collect::<Vec<_>>(), [3, 6, 12, 24, 48, 60, 60]);
    }

    #[test]
    fn a_host_that_is_away_is_told_once_and_once_when_it_is_back() {
        let mut reach = Reach::default();
        let turns = [false, true, true, true, false, false, true].map(|is_away| reach.turns(is_away));
        assert_eq!(turns, [false, true, false, false, true, false, true]);
    }
}
