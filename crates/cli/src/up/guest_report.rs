//! What is said to the control plane for the guests of an `up`.

use control::arm::guest::{Report, report};
use domain::{
    HandlerOutcome, HandlerStatus, OperationError, PowerState, ProvisioningState, VirtualMachine, VmExtension, VmId,
};
use store::{Act, Tx};

use super::guest_process::Common;
use super::wanted::Stored;

/// The handler's full version.
const VERSION: &str = "1.0.0.0";
/// The handler's code for a VM that has no identity.
pub(crate) const NO_IDENTITY: i32 = 1009;
/// The handler's code for everything else that fails.
pub(crate) const FAILED: i32 = 1;

/// Says something of the machine with this unique id. What can't be taken is logged.
pub(crate) async fn say(common: &Common, of: VmId, what: Report) {
    if let Err(error) = report(&common.store, common.clock.now(), of, what).await {
        tracing::error!(error = &error as &dyn std::error::Error, "a guest's report could not be taken");
    }
}

/// Says what came of an extension.
pub(crate) async fn handled(
    common: &Common,
    of: VmId,
    extension: &VmExtension,
    outcome: HandlerOutcome,
    message: String,
) {
    let (sequence, at) = (extension.sequence, common.clock.now());
    let status = HandlerStatus { sequence, outcome, version: VERSION.to_owned(), message, at };
    say(common, of, Report::Handler { extension: extension.id.clone(), status }).await;
}

/// Answers for a machine that there can't be whoever waits for something of it.
pub(crate) async fn absent(common: &Common, stored: &Stored, why: &str) {
    let Stored { vm, extensions, .. } = stored;
    for extension in extensions {
        if extension.state == ProvisioningState::Deleting {
            say(common, vm.vm_id, Report::Gone { extension: extension.id.clone() }).await;
        } else if extension.state.is_under_way() {
            handled(common, vm.vm_id, extension, HandlerOutcome::Error(FAILED), why.to_owned()).await;
        }
    }
    if vm.power == PowerState::Running {
        not_started(common, vm, why).await;
    } else {
        say(common, vm.vm_id, Report::Power { vm: vm.id.clone(), generation: vm.generation }).await;
    }
}

/// Tells whoever asked for a machine to be started why it isn't.
pub(crate) async fn not_started(common: &Common, vm: &VirtualMachine, why: &str) {
    let (id, vm_id, generation) = (vm.id.clone(), vm.vm_id, vm.generation);
    let failed = OperationError { code: "AllocationFailed".to_owned(), message: why.to_owned() };
    let act = Act::new("guest", "guest.report", id.to_string(), common.clock.now());
    let tell = move |tx: &mut dyn Tx| match tx.virtual_machine(&id)? {
        Some(there) if there.vm_id == vm_id => tx.reach(&id, generation, Some(&failed)).map(drop),
        // It was made anew meanwhile, or is gone.
        Some(_) | None => Ok(()),
    };
    if let Err(error) = common.store.write(act, tell).await {
        tracing::error!(error = &error as &dyn std::error::Error, "a failed start could not be told");
    }
}
