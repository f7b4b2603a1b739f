//! The goal state of a VM: what its guest agent is to bring about, and what it says came of that.
//!
//! What is wanted stands in the store as the control plane wrote it. An agent acts only when the number of the goal state
//! changes, so that number is counted up here whenever anything changes that the agent has to do with: an extension, an
//! identity while the extension for managed identities is there, or a credential that is due for renewal. An extension's
//! own sequence number changes with its settings alone; an agent runs its handler again for either.

mod given;
mod news;
mod protection;
mod status;
mod wanted;

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::guest_agent::{self as wire, protected, status_blob::StatusBlob};
use domain::{GoalState, PowerState, ResourceId, Timestamp, VirtualMachine};
use store::{Act, Cursor, ReadTx};

use self::news::News;
use self::wanted::Wanted;
use crate::App;
use crate::arm::guest::{is_known, report};

/// How long what failed isn't tried again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which versions there are of the software of an extension.
pub trait Versions: Send + Sync {
    /// The versions of a handler, `Publisher.Type`, in any order; empty when it isn't known.
    ///
    /// # Errors
    /// When they can't be listed now.
    fn of(&self, handler: &str) -> io::Result<Vec<String>>;
}

/// Why there is no goal state.
#[derive(Debug, thiserror::Error)]
pub enum GoalStateError {
    /// There is no such machine any more.
    #[error("the virtual machine is gone")]
    Gone,
    /// The machine is off: nobody in it can ask, and nobody else is told what is its own.
    #[error("the virtual machine isn't running")]
    Off,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A credential couldn't be issued.
    #[error(transparent)]
    Credential(#[from] crate::vm_credential::IssueError),
    /// The certificate that an agent shows isn't one that something can be sealed for.
    #[error("the agent's certificate can't be used")]
    Certificate,
    /// It failed a moment ago, and isn't tried again at each question: much is made for nothing then.
    #[error("it failed a moment ago")]
    Again,
    /// Something couldn't be sealed, opened or listed.
    #[error("{doing} failed")]
    Failed {
        /// What was tried.
        doing: &'static str,
        /// Why not.
        #[source]
        why: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The goal states of all VMs whose agents ask this process.
pub struct GoalStates {
    app: Arc<App>,
    authority: protected::Authority,
    versions: Arc<dyn Versions>,
    machines: Mutex<HashMap<ResourceId, Arc<Watched>>>,
    seen: tokio::sync::Mutex<Seen>,
}

/// How far the change feed was followed, for all machines together: an agent asks every few seconds, and with many of
/// them something is saved of another machine between any two questions.
#[derive(Default)]
struct Seen {
    /// The store's count of saved transactions before the feed was read.
    saved: Option<u64>,
    next: Option<Cursor>,
}

/// A machine whose agent asks here.
#[derive(Default)]
struct Watched {
    /// Whether something was saved of it since what is known was read.
    changed: AtomicBool,
    machine: tokio::sync::Mutex<Machine>,
}

/// What is known of a machine's goal state.
#[derive(Default)]
struct Machine {
    known: Option<Known>,
    /// Until when it isn't tried again.
    again: Option<Timestamp>,
}

/// A goal state that holds as long as nothing of the machine is saved and nothing has to be renewed. Which packages there
/// are is looked at anew with every report of the agent.
struct Known {
    renew_at: Option<Timestamp>,
    given: Arc<wire::GoalState>,
}

impl GoalStates {
    /// For machines that reach the authority at `authority`.
    #[must_use]
    pub fn new(app: Arc<App>, authority: protected::Authority, versions: Arc<dyn Versions>) -> Self {
        Self { app, authority, versions, machines: Mutex::default(), seen: tokio::sync::Mutex::default() }
    }

    /// The goal state of a machine whose agent reaches this host at `base_url`.
    ///
    /// # Errors
    /// [`GoalStateError::Gone`] when there is no such machine, [`GoalStateError::Off`] when it doesn't run; otherwise when the store fails or a credential can't be
    /// made.
    pub async fn current(&self, vm: &ResourceId, base_url: &str) -> Result<Arc<wire::GoalState>, GoalStateError> {
        // It is there before the feed is read: whatever is read of it from now on is newer than what isn't noted.
        let watched = self.watched(vm);
        self.follow().await?;
        let mut machine = watched.machine.lock().await;
        if watched.changed.swap(false, Ordering::AcqRel) {
            machine.known = None;
        }
        let now = self.app.authority.clock().now();
        if let Some(known) = &machine.known
            && known.renew_at.is_none_or(|renew_at| now < renew_at)
            && known.given.base_url == base_url
        {
            return Ok(Arc::clone(&known.given));
        }
        let (wanted, goal_state) = self.bring(vm, &mut machine, now).await?;
        let given = Arc::new(self.given(&wanted, &goal_state, base_url)?);
        let renew_at = goal_state.protection.and_then(|protection| protection.renew_at);
        machine.known = Some(Known { renew_at, given: Arc::clone(&given) });
        Ok(given)
    }

    /// The certificate of a machine with its private key, sealed for the certificate that its agent shows: what stands in
    /// `CertificateFile/Data`. None while nothing is protected.
    ///
    /// # Errors
    /// As [`current`](Self::current); [`GoalStateError::Certificate`] when the agent's own can't be used.
    pub async fn certificates(&self, vm: &ResourceId, transport: &[u8]) -> Result<Option<String>, GoalStateError> {
        let of = vm.clone();
        let read = move |tx: &dyn ReadTx| Ok::<_, store::Error>((tx.virtual_machine(&of)?, tx.goal_state(&of)?));
        let (machine, found) = self.app.store.read(read).await?;
        require_running(&machine.ok_or(GoalStateError::Gone)?)?;
        let Some(protection) = found.and_then(|found| found.protection) else { return Ok(None) };
        let (kek, vm, transport) = (Arc::clone(&self.app.kek), vm.clone(), transport.to_owned());
        let sealed = move || protection::for_agent(&kek, &vm, &protection, &transport);
        tokio::task::spawn_blocking(sealed).await.map_err(failed("the sealing for an agent"))?.map(Some)
    }

    /// Takes what a machine's agent says.
    ///
    /// # Errors
    /// When the store fails; the agent says it again.
    pub async fn status(&self, vm: &ResourceId, blob: &StatusBlob) -> Result<(), GoalStateError> {
        let watched = self.watched(vm);
        let mut machine = watched.machine.lock().await;
        let now = self.app.authority.clock().now();
        // What was changed since the agent asked has a number of its own, so that it isn't taken for done.
        let (wanted, goal_state) = self.bring(vm, &mut machine, now).await?;
        self.app.agents.note(&wanted.machine, status::of_agent(blob), now);
        for said in status::reports(&wanted.extensions, wanted.step(), goal_state.incarnation, blob, now) {
            let asked = said.clone();
            if !self.app.store.read(move |tx| is_known(tx, &asked)).await? {
                report(&self.app.store, now, wanted.machine.vm_id, said).await?;
            }
        }
        Ok(())
    }

    /// Notes which machines something was saved of.
    async fn follow(&self) -> Result<(), GoalStateError> {
        let mut seen = self.seen.lock().await;
        let saved = *self.app.store.saved().borrow();
        if seen.saved == Some(saved) {
            return Ok(());
        }
        let from = seen.next;
        let News { machines: about, next } = self.app.store.read(move |tx| News::since(tx, from)).await?;
        let machines = self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        match about {
            Some(about) => {
                for watched in about.iter().filter_map(|vm| machines.get(vm)) {
                    watched.changed.store(true, Ordering::Release);
                }
            }
            None => machines.values().for_each(|watched| watched.changed.store(true, Ordering::Release)),
        }
        *seen = Seen { saved: Some(saved), next: Some(next) };
        Ok(())
    }

    fn watched(&self, vm: &ResourceId) -> Arc<Watched> {
        let mut machines = self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(machines.entry(vm.clone()).or_default())
    }

    /// What is wanted now and the goal state for it, counted up and kept when anything has changed.
    async fn bring(
        &self,
        vm: &ResourceId,
        machine: &mut Machine,
        now: Timestamp,
    ) -> Result<(Wanted, GoalState), GoalStateError> {
        if machine.again.is_some_and(|again| now < again && again.since(now) <= PATIENCE) {
            return Err(GoalStateError::Again);
        }
        let mut brought = self.try_to_bring(vm, now).await;
        // What was saved while a key was made is read, once.
        if matches!(&brought, Err(GoalStateError::Credential(why)) if why.is_overtaken()) {
            brought = self.try_to_bring(vm, now).await;
        }
        machine.again = match &brought {
            Ok(_) | Err(GoalStateError::Gone | GoalStateError::Off) => None,
            Err(_) => Some(now.plus(PATIENCE)),
        };
        brought
    }

    async fn try_to_bring(&self, vm: &ResourceId, now: Timestamp) -> Result<(Wanted, GoalState), GoalStateError> {
        let of = vm.clone();
        let Some(wanted) = self.app.store.read(move |tx| Wanted::read(tx, &of)).await? else {
            self.machines.lock().unwrap_or_else(PoisonError::into_inner).remove(vm);
            self.app.agents.forget(vm);
            return Err(GoalStateError::Gone);
        };
        require_running(&wanted.machine)?;
        let digest = wanted.digest(&self.authority, &*self.versions).map_err(failed("the listing of packages"))?;
        if let Some(last) = &wanted.last {
            let renew_at = last.protection.as_ref().and_then(|protection| protection.renew_at);
            if last.wanted == digest && renew_at.is_none_or(|renew_at| now < renew_at) {
                let last = last.clone();
                return Ok((wanted, last));
            }
        }
        let protection = protection::make(&self.app, &self.authority, &wanted, now).await?;
        let goal_state = GoalState {
            vm: vm.clone(),
            incarnation: wanted.last.as_ref().map_or(0, |last| last.incarnation) + 1,
            // An agent takes the later of two, also where a clock was set back.
            changed_at: wanted.last.as_ref().map_or(now, |last| last.changed_at.max(now)),
            wanted: digest,
            protection,
        };
        let (act, new) = (Act::new("symbolon", "goalState.change", vm.to_string(), now), goal_state.clone());
        let vm_id = wanted.machine.vm_id;
        let written = self.app.store.write(act, move |tx| {
            // One that was made anew meanwhile under this name is another one.
            let same = tx.virtual_machine(&new.vm)?.is_some_and(|there| there.vm_id == vm_id);
            if same {
                tx.put_goal_state(&new)?;
            }
            Ok::<_, store::Error>(same)
        });
        if written.await? { Ok((wanted, goal_state)) } else { Err(GoalStateError::Gone) }
    }
}

fn require_running(machine: &VirtualMachine) -> Result<(), GoalStateError> {
    if machine.power == PowerState::Running { Ok(()) } else { Err(GoalStateError::Off) }
}

fn failed<E>(doing: &'static str) -> impl Fn(E) -> GoalStateError
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    move |why| GoalStateError::Failed { doing, why: why.into() }
}
