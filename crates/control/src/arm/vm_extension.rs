//! `Microsoft.Compute/virtualMachines/extensions`.

mod shown;

use contract::arm::{ArmError, Code};
use contract::extension::Settings;
use domain::{
    ExtensionSpec, PowerState, ProvisioningState, ResourceId, Sealed, VirtualMachine, VmExtension, Wait, names,
};
use serde_json::Value;
use store::{ReadTx, Tx};

use super::authorization::Authorized;
use super::body::{self, Object};
use super::document::{self, normal};
use super::failure::Failure;
use super::reply::Reply;
use super::route::Switch;
use super::seal::{self, Purpose};
use super::work::Work;
use super::{catalogue, identity, members, operation, virtual_machine};

pub(crate) use self::shown::{handler_view, shown, spec_shown, view};

const WRITE: &str = "Microsoft.Compute/virtualMachines/extensions/write";
const DELETE: &str = "Microsoft.Compute/virtualMachines/extensions/delete";

pub(crate) fn put(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    let vm = machine(tx, id)?;
    let before = tx.vm_extension(id)?;
    if before.is_none() {
        names::vm_extension(id.name()).map_err(|invalid| document::invalid_name(&invalid))?;
    }
    let properties = body::member(body, "properties")?.ok_or_else(|| body::wrong("properties", "an object"))?;
    let there = before.as_ref().and_then(|before| before.spec.protected_settings.as_ref());
    let spec = spec(work, id, properties, &vm.location, there)?;
    let tags = document::tags(body)?.unwrap_or_default();
    let wanted = VmExtension {
        id: before.as_ref().map_or_else(|| id.clone(), |before| before.id.clone()),
        vm: vm.id.clone(),
        name: before.as_ref().map_or_else(|| id.name().to_owned(), |before| before.name.clone()),
        location: vm.location.clone(),
        tags,
        spec,
        disabled: false,
        sequence: before.as_ref().map_or(0, |before| before.sequence),
        state: before.as_ref().map_or(ProvisioningState::Creating, |before| before.state),
        status: before.as_ref().and_then(|before| before.status.clone()),
    };
    apply(tx, work, authorized, &vm, before.as_ref(), wanted)
}

pub(crate) fn patch(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    let vm = machine(tx, id)?;
    let before = find(tx, id)?;
    let merged = merged(&before.spec, body)?;
    let there = before.spec.protected_settings.as_ref();
    let mut spec = spec(work, id, &merged, &vm.location, there)?;
    spec.protected_settings = spec.protected_settings.or_else(|| there.cloned());
    let tags = document::tags(body)?.unwrap_or_else(|| before.tags.clone());
    let wanted = VmExtension { tags, spec, disabled: false, ..before.clone() };
    apply(tx, work, authorized, &vm, Some(&before), wanted)
}

pub(crate) fn delete(tx: &mut dyn Tx, work: &Work, authorized: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    let Some(before) = tx.vm_extension(id)? else { return Ok(Reply::empty(204)) };
    let vm = machine(tx, id)?;
    require_running(&vm)?;
    let wait = mark_deleted(tx, &before)?;
    operation::accepted(tx, work, authorized, DELETE, &before.id, &vm.location, &[wait])
}

/// `POST …/extensions/{name}/enable` and `disable`: what is disabled stays on the machine, with its settings, and does
/// nothing. Any other change of it enables it too.
pub(crate) fn switch(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    switch: Switch,
    id: &ResourceId,
) -> Result<Reply, Failure> {
    let vm = machine(tx, id)?;
    let before = find(tx, id)?;
    require_running(&vm)?;
    let wanted = VmExtension { disabled: switch == Switch::Disable, ..before.clone() };
    check(tx, &vm, Some(&before), &wanted)?;
    let waits = Vec::from_iter(bring(tx, Some(&before), wanted)?);
    operation::accepted(tx, work, authorized, WRITE, &before.id, &vm.location, &waits)
}

/// Says to the guest that an extension is to go; what to wait for.
pub(crate) fn mark_deleted(tx: &mut dyn Tx, extension: &VmExtension) -> Result<Wait, Failure> {
    let sequence = match extension.state {
        ProvisioningState::Deleting => extension.sequence,
        ProvisioningState::Creating
        | ProvisioningState::Updating
        | ProvisioningState::Succeeded
        | ProvisioningState::Failed => extension.sequence + 1,
    };
    let going = VmExtension { state: ProvisioningState::Deleting, sequence, ..extension.clone() };
    tx.put_vm_extension(&going)?;
    Ok(Wait { on: going.id, number: sequence })
}

/// Brings an extension to a machine, or to something else there; what to wait for, when there is something.
pub(crate) fn bring(
    tx: &mut dyn Tx,
    before: Option<&VmExtension>,
    mut wanted: VmExtension,
) -> Result<Option<Wait>, Failure> {
    let same = before.is_some_and(|before| match before.state {
        ProvisioningState::Creating | ProvisioningState::Updating | ProvisioningState::Succeeded => {
            before.spec == wanted.spec && before.disabled == wanted.disabled
        }
        // The same again is another try, and what is on its way out is wanted again.
        ProvisioningState::Failed | ProvisioningState::Deleting => false,
    });
    if same {
        // Tags may differ; the handler has nothing to do for them.
        tx.put_vm_extension(&wanted)?;
        return Ok(wanted.state.is_under_way().then_some(Wait { on: wanted.id, number: wanted.sequence }));
    }
    wanted.sequence += 1;
    wanted.state = if before.is_some() { ProvisioningState::Updating } else { ProvisioningState::Creating };
    tx.put_vm_extension(&wanted)?;
    Ok(Some(Wait { on: wanted.id, number: wanted.sequence }))
}

pub(crate) fn get(tx: &dyn ReadTx, work: &Work, id: &ResourceId) -> Result<Value, Failure> {
    find(tx, id).map(|found| shown(&found, work.query.expands("instanceView")))
}

/// All of a machine.
pub(crate) fn list(tx: &dyn ReadTx, work: &Work, vm: &ResourceId) -> Result<Vec<Value>, Failure> {
    let vm = virtual_machine::find(tx, vm)?;
    let expanded = work.query.expands("instanceView");
    Ok(tx.vm_extensions(&vm.id)?.iter().map(|found| shown(found, expanded)).collect())
}

/// What runs, as a PATCH changes it: a body's `properties` once they are whole.
pub(crate) fn merged(before: &ExtensionSpec, body: &Object) -> Result<Object, ArmError> {
    let mut merged = spec_shown(before);
    let properties = body::member(body, "properties")?.cloned().unwrap_or_default();
    // Settings are one value: what is said takes their place.
    if properties.contains_key("settings") {
        merged.shift_remove("settings");
    }
    document::merge(&mut merged, &properties);
    if let Some(protected) = properties.get("protectedSettings") {
        merged.insert("protectedSettings".to_owned(), protected.clone());
    }
    Ok(merged)
}

/// What a body's `properties` say is to run. Protected settings that say what those say that are there are the same.
pub(crate) fn spec(
    work: &Work,
    id: &ResourceId,
    properties: &Object,
    location: &str,
    there: Option<&Sealed>,
) -> Result<ExtensionSpec, Failure> {
    members::EXTENSION.check(properties, "properties")?;
    let required = |name: &'static str| {
        let text = body::text(properties, name)?.filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| {
            let text = format!("Required parameter '{name}' is missing (null).");
            ArmError::parameter(name, text)
        })
    };
    let settings = match properties.get("settings") {
        None | Some(Value::Null) => None,
        Some(settings @ Value::Object(_)) => Some(settings.to_string()),
        Some(_) => return Err(body::wrong("settings", "an object").into()),
    };
    let protected_settings = match properties.get("protectedSettings") {
        None | Some(Value::Null) => None,
        Some(protected @ Value::Object(_)) => match there.filter(|there| says(work, id, there, protected)) {
            Some(there) => Some(there.clone()),
            None => {
                let text = zeroize::Zeroizing::new(protected.to_string());
                Some(seal::seal(&work.kek, Purpose::ProtectedSettings, id, text.as_bytes())?)
            }
        },
        Some(_) => return Err(body::wrong("protectedSettings", "an object").into()),
    };
    let spec = ExtensionSpec {
        publisher: required("publisher")?,
        extension_type: required("type")?,
        type_handler_version: required("typeHandlerVersion")?,
        auto_upgrade_minor_version: body::flag(properties, "autoUpgradeMinorVersion")?.unwrap_or(false),
        enable_automatic_upgrade: body::flag(properties, "enableAutomaticUpgrade")?,
        force_update_tag: body::text(properties, "forceUpdateTag")?.map(str::to_owned),
        settings,
        protected_settings,
    };
    catalogue::require(&spec, location)?;
    if spec.is_managed_identity() {
        Settings::parse(spec.settings.as_deref().unwrap_or_default())
            .map_err(|invalid| ArmError::parameter("settings.port", format!("{invalid}.")))?;
    }
    Ok(spec)
}

/// Whether sealed settings say this. Those that don't open say something else.
fn says(work: &Work, id: &ResourceId, sealed: &Sealed, protected: &Value) -> bool {
    let opened = seal::open(&work.kek, Purpose::ProtectedSettings, id, sealed);
    opened.is_ok_and(|text| serde_json::from_slice::<Value>(&text).is_ok_and(|there| there == *protected))
}

fn apply(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    vm: &VirtualMachine,
    before: Option<&VmExtension>,
    wanted: VmExtension,
) -> Result<Reply, Failure> {
    require_running(vm)?;
    check(tx, vm, before, &wanted)?;
    let id = wanted.id.clone();
    let wait = bring(tx, before, wanted)?;
    let reply = Reply::put(before.is_none(), shown(&find(tx, &id)?, false));
    let Some(wait) = wait else { return Ok(reply) };
    let begun = operation::begin(tx, work, authorized, WRITE, &id, &[wait])?;
    Ok(reply.following(work.status_url(&id, &normal(&vm.location), begun), begun))
}

fn check(
    tx: &dyn ReadTx,
    vm: &VirtualMachine,
    before: Option<&VmExtension>,
    wanted: &VmExtension,
) -> Result<(), Failure> {
    if let Some(before) = before {
        if before.state == ProvisioningState::Deleting {
            let text = format!(
                "VM extension '{}' is marked for deletion. Only Delete operations are permitted on it.",
                before.name
            );
            return Err(ArmError::new(Code::OperationNotAllowed, text).into());
        }
        if !before.spec.same_handler(&wanted.spec) {
            let text = format!(
                "Changing the publisher or type of VM extension '{}' is not allowed; delete it first.",
                before.name
            );
            return Err(ArmError::new(Code::PropertyChangeNotAllowed, text).target("properties.type").into());
        }
    }
    let others = tx.vm_extensions(&vm.id)?;
    if let Some(other) = others.iter().find(|other| other.id != wanted.id && other.spec.same_handler(&wanted.spec)) {
        return Err(second(&wanted.spec, &other.name).into());
    }
    if wanted.is_managed_identity() {
        identity::check_number(vm.user_assigned.len(), true)?;
    }
    Ok(())
}

/// A second instance of one handler.
pub(crate) fn second(spec: &ExtensionSpec, there: &str) -> ArmError {
    let os = if spec.extension_type.to_ascii_lowercase().ends_with("windows") { "Windows" } else { "Linux" };
    ArmError::new(
        Code::BadRequest,
        format!(
            "Multiple VMExtensions per handler not supported for OS type '{os}'. VMExtension '{there}' with handler \
             '{}.{}' already added or specified in input.",
            spec.publisher, spec.extension_type
        ),
    )
}

fn require_running(vm: &VirtualMachine) -> Result<(), ArmError> {
    if vm.power == PowerState::Running {
        return Ok(());
    }
    let text = "Cannot modify extensions in the VM when the VM is not running.";
    Err(ArmError::new(Code::OperationNotAllowed, text))
}

fn machine(tx: &dyn ReadTx, id: &ResourceId) -> Result<VirtualMachine, Failure> {
    let vm = id.parent().unwrap_or_else(|| id.clone());
    tx.virtual_machine(&vm)?.ok_or_else(|| document::parent_not_found(tx, id))
}

fn find(tx: &dyn ReadTx, id: &ResourceId) -> Result<VmExtension, Failure> {
    tx.vm_extension(id)?.ok_or_else(|| document::not_found(tx, id))
}
