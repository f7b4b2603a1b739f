//! What guests say: the other end of extensions and power. Whatever acts for a machine, an agent in it or something in
//! this process, reads what is wanted from the store and reports here.

use std::sync::Arc;
use std::time::Duration;

use authority::kek::{FileKek, KekError};
use domain::{
    Calls, Cutover, HandlerOutcome, HandlerStatus, OperationError, PowerState, ProvisioningState, ResourceId, Step,
    Timestamp, VirtualMachine, VmExtension, VmId, Wait,
};
use store::{Act, Handle, ReadTx, Tally, Tx};
use zeroize::Zeroizing;

use super::seal::{self, Purpose};
use crate::{Agents, App, agents};

/// How long a guest may take to say what came of an extension, from the request on (MicrosoftDocs/SupportArticles-docs: "VM
/// extensions have a 90-minute provisioning timeout").
const PATIENCE: Duration = Duration::from_secs(90 * 60);

/// The settings of an extension that only its guest may read, as JSON; none when there are none.
///
/// # Errors
/// When they don't open: another key sealed them, or they belong to another extension.
pub fn protected_settings(kek: &FileKek, extension: &VmExtension) -> Result<Option<Zeroizing<Vec<u8>>>, KekError> {
    let sealed = extension.spec.protected_settings.as_ref();
    sealed.map(|sealed| seal::open(kek, Purpose::ProtectedSettings, &extension.id, sealed)).transpose()
}

/// Something that a guest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// How a handler fares.
    Handler {
        /// The extension.
        extension: ResourceId,
        /// What it says.
        status: HandlerStatus,
    },
    /// An extension that was to go is gone.
    Gone {
        /// The extension.
        extension: ResourceId,
    },
    /// The machine has come to this change of its power.
    Power {
        /// The machine.
        vm: ResourceId,
        /// Which change.
        generation: u64,
    },
    /// How far the machine has come on its way to the metadata service.
    Cutover {
        /// The machine.
        vm: ResourceId,
        /// The step that it was to come to.
        wanted: Step,
        /// Where it is.
        reached: Step,
        /// Why it hasn't come to that.
        failed: Option<String>,
    },
    /// Who asked for tokens at its endpoints.
    Calls {
        /// The machine.
        vm: ResourceId,
        /// All calls of their days, as far as the guest knows.
        calls: Vec<Calls>,
    },
}

impl Report {
    /// The machine whose guest says it.
    fn machine(&self) -> Option<ResourceId> {
        match self {
            Self::Handler { extension, .. } | Self::Gone { extension } => extension.parent(),
            Self::Power { vm, .. } | Self::Cutover { vm, .. } | Self::Calls { vm, .. } => Some(vm.clone()),
        }
    }
}

/// Takes a report of the guest of the machine with this unique id: what it says and whatever ends with it are written
/// together. One that comes too late, about something that is wanted otherwise by now, changes nothing but what was said
/// last; one of a machine that is no more changes nothing.
///
/// # Errors
/// When the store fails; the guest says it again.
pub async fn report(store: &Handle, now: Timestamp, of: VmId, report: Report) -> Result<(), store::Error> {
    let target = match &report {
        Report::Handler { extension, .. } | Report::Gone { extension } => extension.to_string(),
        Report::Power { vm, .. } | Report::Cutover { vm, .. } | Report::Calls { vm, .. } => vm.to_string(),
    };
    let act = Act::new("guest", "guest.report", target, now);
    let take = move |tx: &mut dyn Tx| {
        // One that was made anew under this name is another machine, though all that is counted of it begins as that did.
        let machine = report.machine().map(|id| tx.virtual_machine(&id)).transpose()?.flatten();
        if machine.is_none_or(|machine| machine.vm_id != of) {
            return Ok(());
        }
        match report {
            Report::Handler { extension, status } => handler(tx, &extension, status),
            Report::Gone { extension } => gone(tx, &extension),
            Report::Power { vm, generation } => tx.reach(&vm, generation, None).map(drop),
            Report::Cutover { vm, wanted, reached, failed } => cut_over(tx, &vm, (wanted, reached, failed), now),
            Report::Calls { vm, calls } => tx.count_calls(&vm, &calls, Tally::AtLeast),
        }
    };
    store.write(act, take).await
}

/// Whether a report says nothing that isn't known. Agents say the same every few seconds.
///
/// # Errors
/// When the store fails.
pub(crate) fn is_known(tx: &dyn ReadTx, report: &Report) -> Result<bool, store::Error> {
    Ok(match report {
        Report::Cutover { vm, wanted, reached, failed } => tx
            .cutover(vm)?
            .is_none_or(|known| known.reached == *reached && (known.wanted != *wanted || known.failed == *failed)),
        Report::Calls { vm, calls } => {
            let Some(from) = calls.iter().map(|one| one.day).min() else { return Ok(true) };
            let known = tx.calls(vm, from)?;
            let is = |new: &Calls| {
                let mut same = known
                    .iter()
                    .filter(|one| (one.endpoint, one.day, &one.caller) == (new.endpoint, new.day, &new.caller));
                same.any(|one| one.count >= new.count && one.last_at >= new.last_at)
            };
            calls.iter().all(is)
        }
        Report::Handler { .. } | Report::Gone { .. } | Report::Power { .. } => false,
    })
}

fn handler(tx: &mut dyn Tx, id: &ResourceId, status: HandlerStatus) -> Result<(), store::Error> {
    let Some(extension) = tx.vm_extension(id)? else { return Ok(()) };
    let current = status.sequence == extension.sequence && extension.state != ProvisioningState::Deleting;
    let (sequence, outcome) = (status.sequence, status.outcome);
    let failed = failure(&extension, &status);
    let state = match outcome {
        HandlerOutcome::Success if current => ProvisioningState::Succeeded,
        HandlerOutcome::Error(_) | HandlerOutcome::Terminal(_) if current => ProvisioningState::Failed,
        HandlerOutcome::Success
        | HandlerOutcome::Error(_)
        | HandlerOutcome::Terminal(_)
        | HandlerOutcome::Transitioning => extension.state,
    };
    tx.put_vm_extension(&VmExtension { state, status: Some(status), ..extension })?;
    match outcome {
        HandlerOutcome::Transitioning => {}
        HandlerOutcome::Success | HandlerOutcome::Error(_) | HandlerOutcome::Terminal(_) => {
            tx.reach(id, sequence, failed.as_ref())?;
        }
    }
    Ok(())
}

/// Where a machine without a cutover is needs no note: its extension serves. Why it didn't come to a step that isn't wanted
/// any more doesn't count.
fn cut_over(
    tx: &mut dyn Tx,
    vm: &ResourceId,
    (wanted, reached, failed): (Step, Step, Option<String>),
    now: Timestamp,
) -> Result<(), store::Error> {
    let Some(before) = tx.cutover(vm)? else { return Ok(()) };
    let reached_at = if before.reached == reached { before.reached_at } else { now };
    let failed = if wanted == before.wanted { failed } else { before.failed.clone() };
    tx.put_cutover(&Cutover { reached, reached_at, failed, ..before })?;
    Ok(())
}

fn gone(tx: &mut dyn Tx, id: &ResourceId) -> Result<(), store::Error> {
    let Some(extension) = tx.vm_extension(id)? else { return Ok(()) };
    // It may be wanted again by now.
    if extension.state == ProvisioningState::Deleting {
        tx.remove_vm_extension(id)?;
        tx.reach(id, extension.sequence, None)?;
    }
    Ok(())
}

/// Something that a guest should have said of by now, and what is said in its place.
struct Overdue {
    extension: VmExtension,
    wait: Wait,
    failed: OperationError,
}

/// What guests should have said of by now. A machine whose agent is silent isn't waited for as long as one whose handler
/// takes its time.
fn overdue(tx: &dyn ReadTx, agents: &Agents, now: Timestamp) -> Result<Vec<Overdue>, store::Error> {
    let late = tx.overdue_waits(now.minus(PATIENCE))?;
    let mut overdue = Vec::new();
    for wait in tx.overdue_waits(now.minus(agents::PATIENCE))? {
        // What waits for a machine waits for its power.
        let Some(extension) = tx.vm_extension(&wait.on)? else { continue };
        let failed = match silent(tx, agents, &extension, now)? {
            Some(vm) => no_word(&vm),
            None if late.contains(&wait) => timed_out(&extension),
            None => continue,
        };
        overdue.push(Overdue { extension, wait, failed });
    }
    Ok(overdue)
}

/// Waits no more for guests that have said nothing for too long: what waits for them fails. What such a guest says later
/// is taken all the same. The certificates of an extension that one was to remove are revoked: it may never do it.
///
/// # Errors
/// When the store fails.
pub(crate) async fn give_up(app: &App, now: Timestamp) -> Result<(), store::Error> {
    let (store, agents) = (&app.store, Arc::clone(&app.agents));
    if store.read(move |tx| overdue(tx, &agents, now)).await?.is_empty() {
        return Ok(());
    }
    let act = Act::new("symbolon", "guest.timeout", "/", now);
    let agents = Arc::clone(&app.agents);
    let given_up = store.write(act, move |tx| {
        for Overdue { extension, wait, failed } in overdue(tx, &agents, now)? {
            match extension.state {
                ProvisioningState::Creating | ProvisioningState::Updating if extension.sequence == wait.number => {
                    tx.put_vm_extension(&VmExtension { state: ProvisioningState::Failed, ..extension })?;
                }
                // It goes when the guest comes to it. What it had on the disk is worth nothing from now on.
                ProvisioningState::Deleting if extension.sequence == wait.number => revoke(tx, &extension)?,
                // Something else is wanted by now.
                ProvisioningState::Creating
                | ProvisioningState::Updating
                | ProvisioningState::Deleting
                | ProvisioningState::Succeeded
                | ProvisioningState::Failed => {}
            }
            tx.reach(&wait.on, wait.number, Some(&failed))?;
        }
        Ok(())
    });
    given_up.await
}

/// Revokes the certificates that an extension has on a machine's disk, but for those that another one which stays signs
/// with too.
fn revoke(tx: &mut dyn Tx, gone: &VmExtension) -> Result<(), store::Error> {
    if !gone.is_managed_identity() {
        return Ok(());
    }
    let stays = |one: &VmExtension| one.is_managed_identity() && one.state != ProvisioningState::Deleting;
    let another = tx.vm_extensions(&gone.vm)?.iter().any(stays);
    for credential in tx.certificate_credentials_of_vm(&gone.vm)? {
        if !another || credential.extension.as_ref() == Some(&gone.id) {
            tx.revoke_certificate_credential(credential.thumbprint_sha256)?;
        }
    }
    Ok(())
}

/// The machine of an extension, if it runs and its agent says nothing any more.
fn silent(
    tx: &dyn ReadTx,
    agents: &Agents,
    extension: &VmExtension,
    now: Timestamp,
) -> Result<Option<VirtualMachine>, store::Error> {
    let Some(vm) = tx.virtual_machine(&extension.vm)?.filter(|vm| vm.power == PowerState::Running) else {
        return Ok(None);
    };
    // A handler is heard through the agent.
    let handler = extension.status.as_ref().map(|status| status.at);
    Ok(agents.is_silent(&vm, handler, now).then_some(vm))
}

/// What an operation ends with when the machine's agent says nothing.
fn no_word(vm: &VirtualMachine) -> OperationError {
    OperationError {
        code: "VMAgentStatusCommunicationError".to_owned(),
        message: format!(
            "VM '{}' has not reported status for VM agent or extensions. Please verify the VM has a running VM agent, \
             and can establish outbound connections to Azure storage.",
            vm.name
        ),
    }
}

/// What an operation ends with when the agent speaks and no handler has said anything in time.
fn timed_out(extension: &VmExtension) -> OperationError {
    OperationError {
        code: "VMExtensionProvisioningTimeout".to_owned(),
        message: format!(
            "Provisioning of VM extension '{}' has timed out. Extension installation may be taking too long, or \
             extension status could not be obtained.",
            extension.name
        ),
    }
}

/// What an operation ends with when a handler has failed.
fn failure(extension: &VmExtension, status: &HandlerStatus) -> Option<OperationError> {
    let (name, message) = (&extension.name, &status.message);
    let (publisher, kind) = (&extension.spec.publisher, &extension.spec.extension_type);
    match status.outcome {
        HandlerOutcome::Transitioning | HandlerOutcome::Success => None,
        HandlerOutcome::Error(_) => Some(OperationError {
            code: "VMExtensionProvisioningError".to_owned(),
            message: format!(
                "VM has reported a failure when processing extension '{name}' (publisher '{publisher}' and type \
                 '{kind}'). Error message: \"{message}\"."
            ),
        }),
        HandlerOutcome::Terminal(code) => Some(OperationError {
            code: "VMExtensionHandlerNonTransientError".to_owned(),
            message: format!(
                "Handler '{publisher}.{kind}' has reported failure for VM Extension '{name}' with terminal error \
                 code '{code}' and error message: \"{message}\"."
            ),
        }),
    }
}
