//! `Symbolon.Migration/machines`: the machines with the extension, and who calls it.

use domain::{
    CalledEndpoint, Calls, Cutover, Day, ExtensionSpec, ManagedIdentity, ResourceId, ScaleSet, ScaleSetExtension,
    Scope, Timestamp, VirtualMachine, VmExtension,
};
use serde_json::{Value, json};
use store::{Page, ReadTx};

use super::super::authorization::Authorized;
use super::super::failure::Failure;
use super::super::reply::Reply;
use super::super::work::Work;
use super::super::{body, document};
use super::{MACHINES, steps_shown};

/// For how many days calls are shown when nobody says.
const DAYS: i64 = 7;

/// `GET {scope}/providers/Symbolon.Migration/machines[?days=N]`: the machines with the extension, and each scale set whose
/// model has it while no machine of it has: the next one will.
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
    let mut listed = Vec::new();
    let mut list = |machine: &VirtualMachine| {
        let extensions = tx.vm_extensions(&machine.id)?;
        let Some(extension) = extensions.iter().find(|extension| extension.is_managed_identity()) else {
            return Ok::<_, Failure>(false);
        };
        if authorized.may_see(&machine.id) {
            listed.push(machine_shown(tx, machine, extension, from, work.now)?);
        }
        Ok(true)
    };
    for machine in tx.virtual_machines(&at, &Page::ALL)? {
        list(&machine)?;
    }
    let mut models = Vec::new();
    for scale_set in tx.scale_sets(&at, &Page::ALL)? {
        let mut has_any = false;
        for machine in tx.virtual_machines_of_scale_set(&scale_set.id)? {
            has_any |= list(&machine)?;
        }
        let extension = scale_set.extensions.iter().find(|extension| extension.spec.is_managed_identity());
        if let Some(extension) = extension.filter(|_| !has_any && authorized.may_see(&scale_set.id)) {
            models.push(model_shown(tx, &scale_set, extension)?);
        }
    }
    listed.extend(models);
    Ok(Reply::ok(json!({"value": listed})))
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
            "extension": extension_shown(&extension.name, &extension.spec, extension.state.as_str()),
            "identities": identities.iter().map(|identity| identity_shown(identity)).collect::<Value>(),
            "usableCredentials": usable,
            "extensionCalls": calls_shown(&at_extension, from),
            "imdsCalls": calls_shown(&at_imds, from),
            "cutover": steps_shown(&cutover),
        },
    }))
}

/// A scale set in the place of its machines: it has no power, and nothing of it can be called.
fn model_shown(tx: &dyn ReadTx, scale_set: &ScaleSet, extension: &ScaleSetExtension) -> Result<Value, Failure> {
    let mut identities: Vec<Value> = scale_set.system_assigned.iter().map(identity_shown).collect();
    for id in &scale_set.user_assigned {
        identities.extend(tx.user_assigned_identity(id)?.map(|found| identity_shown(&found.identity)));
    }
    Ok(json!({
        "id": scale_set.id.as_str(),
        "name": scale_set.name,
        "type": MACHINES,
        "properties": {
            "scaleSet": scale_set.id.as_str(),
            "power": null,
            "extension": extension_shown(&extension.name, &extension.spec, "Succeeded"),
            "identities": identities,
            "usableCredentials": 0,
            "extensionCalls": {"lastCall": null, "callers": []},
            "imdsCalls": {"lastCall": null, "callers": []},
            "cutover": steps_shown(&Cutover::none(scale_set.id.clone())),
        },
    }))
}

fn extension_shown(name: &str, spec: &ExtensionSpec, state: &str) -> Value {
    let settings = contract::extension::Settings::parse(spec.settings.as_deref().unwrap_or_default());
    let port = settings.ok().map(|settings| settings.port);
    json!({"name": name, "type": spec.extension_type, "state": state, "port": port})
}

fn identity_shown(identity: &ManagedIdentity) -> Value {
    json!({"clientId": identity.client_id.to_string(), "resourceId": identity.id.as_str()})
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
