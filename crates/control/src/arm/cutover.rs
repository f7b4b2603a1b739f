//! `Symbolon.Migration`: which machines still have the extension for managed identities and who calls it, and how far each
//! of them is on its way to the metadata service. A provider of this program's own; no other control plane has it.

mod machines;

use std::time::Duration;

use contract::arm::{ArmError, Code};
use domain::{
    CalledEndpoint, Calls, Cutover, CutoverRefusal, Day, PowerState, ProvisioningState, ResourceId, Step, Timestamp,
    VirtualMachine, VmExtension,
};
use serde_json::{Map, Value, json};
use store::{ReadTx, Tx};

pub(crate) use self::machines::machines;
use super::authorization::Authorized;
use super::body::{self, Object};
use super::document;
use super::failure::Failure;
use super::reply::Reply;
use super::work::Work;

/// The type of a machine's cutover: `{machine}/providers/Symbolon.Migration/cutovers/default`.
pub(crate) const TYPE: &str = "Symbolon.Migration/cutovers";
/// The type of what a list of machines shows.
pub(crate) const MACHINES: &str = "Symbolon.Migration/machines";
/// The only one of a machine.
const NAME: &str = "default";
/// For how long nobody must have called before the port is closed, when the request doesn't say.
const QUIET: Duration = Duration::from_secs(7 * 86_400);

/// `PUT {machine}/providers/Symbolon.Migration/cutovers/default`: the step that is wanted. The same again changes nothing.
pub(crate) fn put(
    tx: &mut dyn Tx,
    work: &Work,
    _: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    let machine = machine(tx, id)?;
    let properties = body::member(body, "properties")?.ok_or_else(|| body::wrong("properties", "an object"))?;
    let to = body::text(properties, "step")?.and_then(Step::of).ok_or_else(|| {
        let steps: Vec<&str> = Step::ALL.into_iter().map(Step::as_str).collect();
        body::wrong("properties.step", &format!("one of {}", steps.join(", ")))
    })?;
    let quiet = match properties.get("quietSeconds") {
        None | Some(Value::Null) => QUIET,
        Some(quiet) => {
            let seconds =
                quiet.as_u64().ok_or_else(|| body::wrong("properties.quietSeconds", "a number of seconds"))?;
            Duration::from_secs(seconds)
        }
    };
    let extensions = tx.vm_extensions(&machine.id)?;
    let before = tx.cutover(&machine.id)?;
    let created = before.is_none();
    let before = before.unwrap_or_else(|| Cutover::none(machine.id.clone()));
    let calls = tx.calls(&machine.id, Day(0))?;
    before.check(to, last_call(&calls, CalledEndpoint::Extension), quiet, work.now).map_err(refused)?;
    if to > before.wanted {
        can_begin(&machine, &extensions)?;
    }
    let wanted = before.towards(to, work.now);
    tx.put_cutover(&wanted)?;
    if wanted.wanted >= Step::Revoked {
        // Whoever copied the disk has nothing from now on.
        for credential in tx.certificate_credentials_of_vm(&machine.id)? {
            tx.revoke_certificate_credential(credential.thumbprint_sha256)?;
        }
    }
    Ok(Reply::put(created, shown(&wanted)))
}

/// Has a machine that a scale set has just got begin where its others are.
pub(crate) fn join(tx: &mut dyn Tx, work: &Work, new: &ResourceId, others: &[VirtualMachine]) -> Result<(), Failure> {
    if !has_extension(tx, new)? {
        return Ok(());
    }
    let mut steps = Vec::new();
    for other in others {
        if has_extension(tx, &other.id)? {
            steps.push(tx.cutover(&other.id)?.map_or(Step::Serving, |cutover| cutover.wanted));
        }
    }
    if let Some(cutover) = Cutover::beside(new.clone(), steps, work.now) {
        tx.put_cutover(&cutover)?;
    }
    Ok(())
}

/// Whether it has the extension for managed identities, enabled or not, and not on its way off.
fn has_extension(tx: &dyn ReadTx, machine: &ResourceId) -> Result<bool, store::Error> {
    let there = |one: &VmExtension| one.is_managed_identity() && one.state != ProvisioningState::Deleting;
    Ok(tx.vm_extensions(machine)?.iter().any(there))
}

/// `GET` of the same: where no cutover was begun, that the extension serves.
pub(crate) fn get(tx: &dyn ReadTx, _: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    let machine = machine(tx, id)?;
    let found = tx.cutover(&machine.id)?.unwrap_or_else(|| Cutover::none(machine.id));
    Ok(Reply::ok(shown(&found)))
}

fn machine(tx: &dyn ReadTx, id: &ResourceId) -> Result<VirtualMachine, Failure> {
    if !id.name().eq_ignore_ascii_case(NAME) {
        let text = format!("The cutover of a machine is called '{NAME}'.");
        return Err(ArmError::new(Code::InvalidResourceName, text).into());
    }
    let of = id.parent().unwrap_or_else(|| id.clone());
    tx.virtual_machine(&of)?.ok_or_else(|| document::not_found(tx, &of))
}

/// Only a guest that is there does what is wanted.
fn can_begin(machine: &VirtualMachine, extensions: &[VmExtension]) -> Result<(), ArmError> {
    let there =
        |one: &VmExtension| one.is_managed_identity() && one.state != ProvisioningState::Deleting && !one.disabled;
    if !extensions.iter().any(there) {
        let text = "The machine has no extension for managed identities that is enabled; there is nothing to cut over.";
        return Err(ArmError::new(Code::OperationNotAllowed, text));
    }
    if machine.power != PowerState::Running {
        let text = "The machine is not running; start it, so that its guest can do what is wanted.";
        return Err(ArmError::new(Code::OperationNotAllowed, text));
    }
    Ok(())
}

fn refused(refusal: CutoverRefusal) -> ArmError {
    let text = match &refusal {
        CutoverRefusal::NotQuiet { until } => {
            let until = document::time(*until);
            format!(
                "Somebody called the extension too short a while ago: not before {}.",
                until.as_str().unwrap_or("?")
            )
        }
        CutoverRefusal::Skips { .. } | CutoverRefusal::NotReached { .. } => {
            format!("The step is not possible now: {refusal}.")
        }
    };
    ArmError::new(Code::OperationNotAllowed, text)
}

/// When somebody called last.
fn last_call(calls: &[Calls], endpoint: CalledEndpoint) -> Option<Timestamp> {
    calls.iter().filter(|one| one.endpoint == endpoint).map(|one| one.last_at).max()
}

fn shown(cutover: &Cutover) -> Value {
    let id = format!("{}/providers/{TYPE}/{NAME}", cutover.vm);
    json!({"id": id, "name": NAME, "type": TYPE, "properties": steps_shown(cutover)})
}

fn steps_shown(cutover: &Cutover) -> Value {
    let mut shown = Map::new();
    shown.insert("step".to_owned(), cutover.wanted.as_str().into());
    shown.insert("reached".to_owned(), cutover.reached.as_str().into());
    let mut put = |name: &str, at: Timestamp| {
        if at.unix() > 0 {
            shown.insert(name.to_owned(), document::time(at));
        }
    };
    put("since", cutover.since);
    put("reachedAt", cutover.reached_at);
    if let Some(why) = &cutover.failed {
        shown.insert("failed".to_owned(), why.as_str().into());
    }
    shown.into()
}
