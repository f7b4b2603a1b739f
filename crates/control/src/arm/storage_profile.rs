//! `properties.storageProfile` of a machine that is made from an image: what Azure adds where its owner says nothing.
//!
//! The disk's name, its caching and its kind of storage: MicrosoftDocs/azure-compute-docs
//! `using-managed-disks-template-deployments.md`, "Default managed disk settings". What becomes of it when its machine goes,
//! and the image's exact version: Azure/azure-rest-api-specs, `OSDisk.deleteOption` and `ImageReference.exactVersion`. The
//! disk is no resource of its own here, so its `managedDisk` names none.

use domain::{VirtualMachine, VmId};
use serde_json::{Map, Value, json};

use super::body::Object;
use super::catalogue::IMAGE_VERSION;
use super::document;
use super::failure::Failure;

/// Adds it to a description. What was there before of the machine's disk stays where nothing else is said.
pub(crate) fn complete(
    described: &mut Object,
    before: Option<&VirtualMachine>,
    name: &str,
    vm_id: VmId,
) -> Result<(), Failure> {
    let Some(properties) = described.get_mut("properties").and_then(Value::as_object_mut) else { return Ok(()) };
    let os = os(properties);
    let Some(storage) = properties.get_mut("storageProfile").and_then(Value::as_object_mut) else { return Ok(()) };
    let Some(image) = storage.get_mut("imageReference").and_then(Value::as_object_mut) else { return Ok(()) };
    let text = |name: &str| image.get(name).and_then(Value::as_str).map(str::to_owned);
    let (publisher, version) = (text("publisher"), text("version"));
    if publisher.is_some() {
        let exact = version.filter(|version| !version.eq_ignore_ascii_case("latest"));
        image.insert("exactVersion".to_owned(), exact.unwrap_or_else(|| IMAGE_VERSION.to_owned()).into());
    }
    let document = before.map(|before| document::parse(&before.document)).transpose()?.map(Value::from);
    let there = document.as_ref().and_then(|document| document.pointer("/properties/storageProfile/osDisk"));
    add_disks(storage, there, os, name, vm_id);
    Ok(())
}

/// Adds to the properties of a machine as it is shown the disk that it must have: whoever made it has said nothing of one,
/// and there are clients that can't read a machine without.
pub(crate) fn show(properties: &mut Object, name: &str, vm_id: VmId) {
    let os = os(properties);
    if let Some(storage) = object(properties, "storageProfile")
        && !is_said(storage, "osDisk")
    {
        add_disks(storage, None, os, name, vm_id);
    }
}

fn add_disks(storage: &mut Object, there: Option<&Value>, os: &str, name: &str, vm_id: VmId) {
    if let Some(disk) = object(storage, "osDisk") {
        keep(disk, there);
        let ephemeral = is_said(disk, "diffDiskSettings");
        let mut default = |name: &str, value: Value| {
            if !is_said(disk, name) {
                disk.insert(name.to_owned(), value);
            }
        };
        default("osType", os.into());
        default("name", format!("{name}_OsDisk_1_{}", vm_id.as_uuid().simple()).into());
        default("createOption", "FromImage".into());
        default("caching", "ReadWrite".into());
        default("deleteOption", if ephemeral { "Delete" } else { "Detach" }.into());
        if !is_said(disk, "vhd")
            && let Some(managed) = object(disk, "managedDisk")
            // A disk that is there has its own.
            && !["id", "storageAccountType"].iter().any(|name| is_said(managed, name))
        {
            managed.insert("storageAccountType".to_owned(), "Standard_LRS".into());
        }
    }
    if !is_said(storage, "dataDisks") {
        storage.insert("dataDisks".to_owned(), json!([]));
    }
}

/// What is there and isn't said, also within what is said.
fn keep(said: &mut Object, there: Option<&Value>) {
    for (name, value) in there.and_then(Value::as_object).into_iter().flatten() {
        if !is_said(said, name) {
            said.insert(name.clone(), value.clone());
        } else if let Some(Value::Object(within)) = said.get_mut(name) {
            keep(within, Some(value));
        }
    }
}

/// The operating system of a machine with these properties.
fn os(properties: &Object) -> &'static str {
    if properties.get("osProfile").and_then(Value::as_object).is_some_and(|os| is_said(os, "windowsConfiguration")) {
        return "Windows";
    }
    let publisher = properties.get("storageProfile").and_then(|storage| storage.pointer("/imageReference/publisher"));
    image_os(publisher.and_then(Value::as_str).unwrap_or_default())
}

/// The operating system of a publisher's images.
pub(crate) fn image_os(publisher: &str) -> &'static str {
    let windows = ["MicrosoftWindowsServer", "MicrosoftWindowsDesktop"];
    if windows.iter().any(|windows| windows.eq_ignore_ascii_case(publisher)) { "Windows" } else { "Linux" }
}

fn is_said(object: &Object, name: &str) -> bool {
    object.get(name).is_some_and(|value| !value.is_null())
}

/// An object in an object, made where none is said; nothing where something else is.
fn object<'o>(of: &'o mut Object, name: &str) -> Option<&'o mut Object> {
    if !is_said(of, name) {
        of.insert(name.to_owned(), Map::new().into());
    }
    of.get_mut(name).and_then(Value::as_object_mut)
}
