//! `Symbolon.Migration`: which machines still have the extension for managed identities and who calls it, and how far each
//! of them is on its way to the metadata service. A provider of this program's own; no other control plane has it.

use std::time::Duration;

use contract::arm::{ArmError, Code};
use domain::{
    CalledEndpoint, Calls, Cutover, CutoverRefusal, Day, PowerState, ProvisioningState, ResourceId, Scope, Step,
    Timestamp, VirtualMachine, VmExtension,
};
use serde_json::{Map, Value, json};
use store::{Page, ReadTx, Tx};

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
/// For how many days calls are shown when nobody says.
const DAYS: i64 = 7;

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
pub(crate) fn get(tx: &dyn ReadTx, id: &ResourceId) -> Result<Reply, Failure> {
    let machine = machine(tx, id)?;
    let found = tx.cutover(&machine.id)?.unwrap_or_else(|| Cutover::none(machine.id));
    Ok(Reply::ok(shown(&found)))
}

/// `GET {scope}/providers/Symbolon.Migration/machines[?days=N]`: the machines with the extension.
pub(crate) fn machines(
    tx: &dyn ReadTx,
    work: &Work,
    authorized: &Authorized,
    scope: &ResourceId,
) -> Result<Reply, Failure> {
    let days = match work.query.get("days") {
        None => DAYS,
        Some(days) => {
            let days = days.parse().ok().filter(|days| (1..=domain::caller::REMEMBERED_DAYS).contains(days));
            days.ok_or_else(|| body::wrong("days", "a number of days from 1 to 90"))?
        }
    };
    // Today is one of them.
    let from = Day::of(work.now).before(days - 1);
    let at = Scope::At(scope.clone());
    let mut found = tx.virtual_machines(&at, &Page::ALL)?;
    for scale_set in tx.scale_sets(&at, &Page::ALL)? {
        found.extend(tx.virtual_machines_of_scale_set(&scale_set.id)?);
    }
    let mut listed = Vec::new();
    for machine in found.iter().filter(|machine| authorized.may_see(&machine.id)) {
        let extensions = tx.vm_extensions(&machine.id)?;
        if let Some(extension) = extensions.iter().find(|extension| extension.is_managed_identity()) {
            listed.push(machine_shown(tx, machine, extension, from, work.now)?);
        }
    }
    Ok(Reply::ok(json!({"value": listed})))
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

fn machine_shown(
    tx: &dyn ReadTx,
    machine: &VirtualMachine,
    extension: &VmExtension,
    from: Day,
    now: Timestamp,
) -> Result<Value, Failure> {
    let calls = tx.calls(&machine.id, Day(0))?;
    let (at_extension, at_imds): (Vec<_>, Vec<_>) =
        calls.into_iter().partition(|one| one.endpoint == CalledEndpoint::Extension);
    let identities = tx.vm_snapshot(&machine.id)?.map(|found| found.identities).unwrap_or_default();
    let usable = tx.certificate_credentials_of_vm(&machine.id)?.iter().filter(|one| one.is_valid_at(now)).count();
    let settings = contract::extension::Settings::parse(extension.spec.settings.as_deref().unwrap_or_default());
    let cutover = tx.cutover(&machine.id)?.unwrap_or_else(|| Cutover::none(machine.id.clone()));
    let scale_set = machine.instance.as_ref().map(|instance| instance.scale_set.as_str());
    let name = match &machine.instance {
        Some(instance) => format!("{}_{}", instance.scale_set.name(), instance.number),
        None => machine.name.clone(),
    };
    Ok(json!({
        "id": machine.id.as_str(),
        "name": name,
        "type": MACHINES,
        "properties": {
            "scaleSet": scale_set,
            "power": machine.power.as_str(),
            "extension": {
                "name": extension.name,
                "type": extension.spec.extension_type,
                "state": extension.state.as_str(),
                "port": settings.ok().map(|settings| settings.port),
            },
            "identities": identities.iter().map(|identity| json!({
                "clientId": identity.client_id.to_string(),
                "resourceId": identity.id.as_str(),
            })).collect::<Vec<_>>(),
            "usableCredentials": usable,
            "extensionCalls": calls_shown(&at_extension, from),
            "imdsCalls": calls_shown(&at_imds, from),
            "cutover": steps_shown(&cutover),
        },
    }))
}

/// The last call of all, and the callers since a day.
fn calls_shown(calls: &[Calls], from: Day) -> Value {
    let last = calls.iter().map(|one| one.last_at).max().map(document::time);
    let mut callers: Vec<&domain::Caller> = calls.iter().filter(|one| one.day >= from).map(|one| &one.caller).collect();
    callers.sort();
    callers.dedup();
    let callers = callers.into_iter().map(|caller| {
        let of = || calls.iter().filter(|one| one.day >= from && one.caller == *caller);
        let days = of().map(|one| {
            let day = jiff::Timestamp::from_second(one.day.start().unix()).unwrap_or_default();
            json!({"day": day.strftime("%Y-%m-%d").to_string(), "calls": one.count})
        });
        json!({
            "clientId": caller.identity.map(|id| id.to_string()),
            "client": caller.client,
            "process": caller.process,
            "uid": caller.uid,
            "calls": of().fold(0_u64, |sum, one| sum.saturating_add(one.count)),
            "lastCall": of().map(|one| one.last_at).max().map(document::time),
            "days": days.collect::<Vec<_>>(),
        })
    });
    json!({"lastCall": last, "callers": callers.collect::<Vec<_>>()})
}
