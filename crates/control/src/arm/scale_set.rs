//! `Microsoft.Compute/virtualMachineScaleSets`.

use contract::arm::{ArmError, Code};
use domain::{ResourceId, ScaleSet, ScaleSetExtension, Scope, Sku, UpgradeMode, names};
use serde_json::{Map, Value, json};
use store::{Put, ReadTx, Tx};

use super::authorization::Authorized;
use super::body::{self, Object};
use super::document::{self, normal};
use super::failure::Failure;
use super::identity::{self, Identities, Owner};
use super::reply::Reply;
use super::work::Work;
use super::{members, operation, scale_set_machine, virtual_machine, vm_extension};

/// The most machines of one scale set.
const MAX_CAPACITY: u64 = 1_000;
/// What is ours to say of a scale set.
const OURS: [&str; 4] = ["uniqueId", "provisioningState", "timeCreated", "instanceView"];
const WRITE: &str = "Microsoft.Compute/virtualMachineScaleSets/write";
const DELETE: &str = "Microsoft.Compute/virtualMachineScaleSets/delete";

pub(crate) fn put(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    document::require_group(tx, id)?;
    let before = tx.scale_set(id)?;
    if before.is_none() {
        names::virtual_machine(id.name()).map_err(|invalid| document::invalid_name(&invalid))?;
    }
    let tags = document::tags(body)?.unwrap_or_default();
    apply(tx, work, authorized, id, before, document::described(body), body, tags, true)
}

pub(crate) fn patch(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    let before = find(tx, id)?;
    let mut merged = whole(&before)?;
    document::merge(&mut merged, &document::described(body));
    let tags = document::tags(body)?.unwrap_or_else(|| before.tags.clone());
    apply(tx, work, authorized, id, Some(before), merged, body, tags, false)
}

pub(crate) fn delete(tx: &mut dyn Tx, work: &Work, authorized: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    let Some(scale_set) = tx.scale_set(id)? else { return Ok(Reply::empty(204)) };
    remove(tx, &scale_set)?;
    operation::accepted(tx, work, authorized, DELETE, &scale_set.id, &scale_set.location, &[])
}

/// Removes a scale set with its machines; whoever waits for something of them waits no more.
pub(crate) fn remove(tx: &mut dyn Tx, scale_set: &ScaleSet) -> Result<(), Failure> {
    for machine in tx.virtual_machines_of_scale_set(&scale_set.id)? {
        virtual_machine::remove(tx, &machine)?;
    }
    tx.remove_scale_set(&scale_set.id)?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "what PUT and PATCH differ in, and what they have in common")]
fn apply(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    id: &ResourceId,
    before: Option<ScaleSet>,
    described: Object,
    body: &Object,
    tags: std::collections::BTreeMap<String, String>,
    replace: bool,
) -> Result<Reply, Failure> {
    let location = document::location_of(id, body, before.as_ref().map(|before| before.location.as_str()))?;
    let own = before.as_ref().map_or_else(|| id.clone(), |before| before.id.clone());
    let extensions = extensions(work, &own, &described, before.as_ref(), &location)?;
    let with_extension = extensions.iter().any(|extension| extension.spec.is_managed_identity());
    let owner = Owner { id: &own, with_extension, replace };
    let there = Identities {
        system: before.as_ref().and_then(|before| before.system_assigned.clone()),
        user: before.as_ref().map(|before| before.user_assigned.clone()).unwrap_or_default(),
    };
    let identities = identity::change(tx, work, authorized, &owner, there, body)?;
    identity::check_number(identities.user.len(), with_extension)?;
    let sku = sku(&described, before.as_ref())?;
    let upgrade_mode = upgrade_mode(&described)?;
    let document = kept(described, before.as_ref(), replace)?;
    let mut wanted = ScaleSet {
        unique_id: before.as_ref().map_or_else(|| work.scale_set_id(id), |before| before.unique_id),
        tenant: authorized.tenant(),
        name: before.as_ref().map_or_else(|| id.name().to_owned(), |before| before.name.clone()),
        location,
        tags,
        sku,
        upgrade_mode,
        system_assigned: identities.system,
        user_assigned: identities.user,
        extensions,
        document,
        model: before.as_ref().map_or(0, |before| before.model),
        next_instance: before.as_ref().map_or(0, |before| before.next_instance),
        created_at: before.as_ref().map_or(work.now, |before| before.created_at),
        id: own.clone(),
    };
    let same_model = before.as_ref().is_some_and(|before| {
        (&before.extensions, &before.document, &before.sku.name)
            == (&wanted.extensions, &wanted.document, &wanted.sku.name)
    });
    if !same_model {
        wanted.model += 1;
    }
    let created = store(tx, &wanted)?;
    let waits = scale_set_machine::settle(tx, work, &wanted)?;
    let begun = match waits.as_slice() {
        [] => None,
        waits => Some(operation::begin(tx, work, authorized, WRITE, &own, waits)?),
    };
    let shown = get(tx, &own)?;
    Ok(match begun {
        Some(begun) => {
            let status = work.status_url(&own, &normal(&wanted.location), begun);
            Reply::put(created, creating(created, shown)).following(status, begun)
        }
        None => Reply::put(created, shown),
    })
}

/// What is new and still on its way is not being updated.
pub(crate) fn creating(created: bool, mut shown: Value) -> Value {
    if let (true, Some(state)) = (created, shown.pointer_mut("/properties/provisioningState")) {
        *state = "Creating".into();
    }
    shown
}

/// Stores a scale set; whether it is new.
pub(crate) fn store(tx: &mut dyn Tx, wanted: &ScaleSet) -> Result<bool, Failure> {
    Ok(tx.put_scale_set(wanted)? == Put::Created)
}

/// The extensions of a described model. Protected settings that aren't said stay what they are, for they are never
/// shown and a client sends back what it was shown.
fn extensions(
    work: &Work,
    id: &ResourceId,
    described: &Object,
    before: Option<&ScaleSet>,
    location: &str,
) -> Result<Vec<ScaleSetExtension>, Failure> {
    let Some(properties) = body::member(described, "properties")? else {
        return Ok(before.map(|before| before.extensions.clone()).unwrap_or_default());
    };
    members::SCALE_SET.check(properties, "properties")?;
    let Some(profile) = body::member(properties, "virtualMachineProfile")? else { return Ok(Vec::new()) };
    members::SCALE_SET_PROFILE.check(profile, "properties.virtualMachineProfile")?;
    let Some(profile) = body::member(profile, "extensionProfile")? else { return Ok(Vec::new()) };
    members::EXTENSION_PROFILE.check(profile, "properties.virtualMachineProfile.extensionProfile")?;
    let list = match profile.get("extensions") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(body::wrong("extensionProfile.extensions", "a list").into()),
    };
    let mut read: Vec<ScaleSetExtension> = Vec::with_capacity(list.len());
    for entry in list {
        let entry = entry.as_object().ok_or_else(|| body::wrong("extensionProfile.extensions", "a list of objects"))?;
        let name = body::text(entry, "name")?.ok_or_else(|| body::wrong("extensions.name", "a name"))?;
        let extension = read_extension(work, id, name, entry, before, location)?;
        admit(&read, &extension)?;
        read.push(extension);
    }
    Ok(read)
}

/// An extension of a model, from its name and an object with `properties`.
pub(crate) fn read_extension(
    work: &Work,
    id: &ResourceId,
    name: &str,
    entry: &Object,
    before: Option<&ScaleSet>,
    location: &str,
) -> Result<ScaleSetExtension, Failure> {
    names::vm_extension(name).map_err(|invalid| document::invalid_name(&invalid))?;
    let there = before.and_then(|before| before.extension(name));
    let properties = body::member(entry, "properties")?.ok_or_else(|| body::wrong("properties", "an object"))?;
    let of = document::child(id, "extensions", name)?;
    let kept = there.and_then(|there| there.spec.protected_settings.as_ref());
    let mut spec = vm_extension::spec(work, &of, properties, location, kept)?;
    spec.protected_settings = spec.protected_settings.or_else(|| kept.cloned());
    Ok(ScaleSetExtension { name: there.map_or_else(|| name.to_owned(), |there| there.name.clone()), spec })
}

/// That an extension may stand beside these.
pub(crate) fn admit(others: &[ScaleSetExtension], new: &ScaleSetExtension) -> Result<(), ArmError> {
    for other in others {
        if other.name.eq_ignore_ascii_case(&new.name) {
            let text = format!("The extension '{}' is specified more than once.", new.name);
            return Err(ArmError::new(Code::BadRequest, text).target("extensionProfile.extensions"));
        }
        if other.spec.same_handler(&new.spec) {
            return Err(vm_extension::second(&new.spec, &other.name));
        }
    }
    Ok(())
}

pub(crate) fn get(tx: &dyn ReadTx, id: &ResourceId) -> Result<Value, Failure> {
    let found = find(tx, id)?;
    shown(tx, &found)
}

pub(crate) fn list(tx: &dyn ReadTx, work: &Work, scope: &ResourceId) -> Result<Vec<ScaleSet>, Failure> {
    Ok(tx.scale_sets(&Scope::At(scope.clone()), &work.page())?)
}

pub(crate) fn find(tx: &dyn ReadTx, id: &ResourceId) -> Result<ScaleSet, Failure> {
    tx.scale_set(id)?.ok_or_else(|| document::not_found(tx, id))
}

pub(crate) fn shown(tx: &dyn ReadTx, found: &ScaleSet) -> Result<Value, Failure> {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("id", found.id.as_str().into());
    put("name", found.name.as_str().into());
    put("type", "Microsoft.Compute/virtualMachineScaleSets".into());
    put("location", found.location.as_str().into());
    if !found.tags.is_empty() {
        put("tags", document::tags_value(&found.tags));
    }
    put("sku", json!({"name": found.sku.name, "tier": found.sku.tier, "capacity": found.sku.capacity}));
    if let Some(identity) = identity::shown(tx, found.system_assigned.as_ref(), &found.user_assigned)? {
        put("identity", identity);
    }
    let mut described = whole(found)?;
    described.shift_remove("sku");
    described.shift_remove(document::HAS_CUSTOM_DATA);
    if let Some(Value::Object(properties)) = described.get_mut("properties") {
        let under_way = tx.operation_on(&found.id)?.is_some();
        let state = if under_way { "Updating" } else { "Succeeded" };
        properties.insert("provisioningState".to_owned(), state.into());
        if let Some(Value::Object(profile)) = properties.get_mut("virtualMachineProfile") {
            profile.shift_remove("userData");
        }
        properties.insert("uniqueId".to_owned(), found.unique_id.to_string().into());
        properties.insert("timeCreated".to_owned(), document::time(found.created_at));
    }
    shown.extend(described);
    Ok(shown.into())
}

/// What was described, with the parts that are kept apart back in their places: the model's extensions, and a storage
/// profile, without which an older `az` fails.
fn whole(found: &ScaleSet) -> Result<Object, Failure> {
    let mut described = document::parse(&found.document)?;
    let sku = json!({"name": found.sku.name, "tier": found.sku.tier, "capacity": found.sku.capacity});
    described.insert("sku".to_owned(), sku);
    within(&mut described, "properties", |properties| {
        within(properties, "upgradePolicy", |policy| {
            policy.insert("mode".to_owned(), found.upgrade_mode.as_str().into());
        });
        within(properties, "virtualMachineProfile", |profile| {
            within(profile, "storageProfile", |_| {});
            if !found.extensions.is_empty() {
                let list: Vec<Value> = found.extensions.iter().map(extension_shown).collect();
                within(profile, "extensionProfile", |extensions| {
                    extensions.insert("extensions".to_owned(), list.into());
                });
            }
        });
    });
    Ok(described)
}

fn extension_shown(extension: &ScaleSetExtension) -> Value {
    json!({"name": extension.name, "properties": vm_extension::spec_shown(&extension.spec)})
}

/// What is kept of a description: nothing that has a place of its own, nothing of ours, no secrets.
/// Who replaces it and doesn't say its user data, which nobody does who only read it, leaves that as it is.
fn kept(mut described: Object, before: Option<&ScaleSet>, replace: bool) -> Result<String, Failure> {
    described.shift_remove("sku");
    described.shift_remove(document::HAS_CUSTOM_DATA);
    let before = before.map(|before| document::parse(&before.document)).transpose()?.unwrap_or_default();
    let mut has_custom_data = before.contains_key(document::HAS_CUSTOM_DATA);
    let there = before.get("properties").and_then(|properties| properties.get("virtualMachineProfile"));
    let mut user_data = there.and_then(|profile| profile.get("userData")).filter(|_| replace).cloned();
    if let Some(Value::Object(properties)) = described.get_mut("properties")
        && let Some(Value::Object(profile)) = properties.get_mut("virtualMachineProfile")
    {
        user_data = document::take_user_data(profile, "properties.virtualMachineProfile")?.or(user_data);
        has_custom_data |= document::take_custom_data(profile)?;
    }
    document::forget_secrets(&mut described);
    if let Some(Value::Object(properties)) = described.get_mut("properties") {
        for ours in OURS {
            properties.shift_remove(ours);
        }
        if let Some(Value::Object(profile)) = properties.get_mut("virtualMachineProfile")
            && let Some(Value::Object(extensions)) = profile.get_mut("extensionProfile")
        {
            extensions.shift_remove("extensions");
        }
    }
    if let Some(user_data) = user_data {
        within(&mut described, "properties", |properties| {
            within(properties, "virtualMachineProfile", |profile| {
                profile.insert("userData".to_owned(), user_data);
            });
        });
    }
    if has_custom_data {
        described.insert(document::HAS_CUSTOM_DATA.to_owned(), true.into());
    }
    Ok(document::text(described))
}

/// Changes the members of an object in an object, which is made when it isn't there.
fn within(object: &mut Object, name: &str, change: impl FnOnce(&mut Object)) {
    let value = object.entry(name).or_insert_with(|| Map::new().into());
    if !value.is_object() {
        *value = Map::new().into();
    }
    if let Value::Object(members) = value {
        change(members);
    }
}

fn sku(described: &Object, before: Option<&ScaleSet>) -> Result<Sku, Failure> {
    let there = before.map(|before| before.sku.clone());
    let Some(sku) = body::member(described, "sku")? else {
        let missing = || ArmError::parameter("sku", "Required parameter 'sku' is missing (null).");
        return there.ok_or_else(|| missing().into());
    };
    let capacity = match sku.get("capacity") {
        None | Some(Value::Null) => there.as_ref().map_or(0, |there| u64::from(there.capacity)),
        Some(Value::Number(number)) => number.as_u64().unwrap_or(u64::MAX),
        // Templates may give it as text.
        Some(Value::String(text)) => text.parse().unwrap_or(u64::MAX),
        Some(_) => u64::MAX,
    };
    if capacity > MAX_CAPACITY {
        let text = format!("The sku.capacity of a scale set is a whole number from 0 to {MAX_CAPACITY}.");
        return Err(ArmError::parameter("sku.capacity", text).into());
    }
    let name = body::text(sku, "name")?.map(str::to_owned).or_else(|| there.as_ref().map(|there| there.name.clone()));
    let tier = body::text(sku, "tier")?.map(str::to_owned).or_else(|| there.map(|there| there.tier));
    let name =
        name.ok_or_else(|| ArmError::parameter("sku.name", "Required parameter 'sku.name' is missing (null)."))?;
    let capacity = u32::try_from(capacity).unwrap_or(u32::MAX);
    Ok(Sku { name, tier: tier.unwrap_or_else(|| "Standard".to_owned()), capacity })
}

fn upgrade_mode(described: &Object) -> Result<UpgradeMode, Failure> {
    let Some(properties) = body::member(described, "properties")? else { return Ok(UpgradeMode::default()) };
    let Some(policy) = body::member(properties, "upgradePolicy")? else { return Ok(UpgradeMode::default()) };
    let Some(mode) = body::text(policy, "mode")? else { return Ok(UpgradeMode::default()) };
    let known = UpgradeMode::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(mode));
    known.ok_or_else(|| body::wrong("upgradePolicy.mode", "Manual, Automatic or Rolling").into())
}

pub(crate) fn instance_view(tx: &dyn ReadTx, id: &ResourceId) -> Result<Value, Failure> {
    let found = find(tx, id)?;
    let machines = tx.virtual_machines_of_scale_set(&found.id)?;
    let extensions = tx.vm_extensions_of_scale_set(&found.id)?;
    let summary = |name: &str| {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for extension in extensions.iter().filter(|extension| extension.name.eq_ignore_ascii_case(name)) {
            let code = extension.state.as_str();
            match counts.iter_mut().find(|(known, _)| *known == code) {
                Some((_, count)) => *count += 1,
                None => counts.push((code, 1)),
            }
        }
        let list = counts.into_iter().map(
            |(code, count)| json!({"code": format!("ProvisioningState/{}", code.to_ascii_lowercase()), "count": count}),
        );
        json!({"name": name, "statusesSummary": list.collect::<Vec<Value>>()})
    };
    Ok(json!({
        "virtualMachine": {"statusesSummary": [{"code": "ProvisioningState/succeeded", "count": machines.len()}]},
        "extensions": found.extensions.iter().map(|extension| summary(&extension.name)).collect::<Vec<Value>>(),
        "statuses": [{"code": "ProvisioningState/succeeded", "level": "Info",
                      "displayStatus": "Provisioning succeeded", "time": document::time(found.created_at)}],
        "orchestrationServices": [],
    }))
}
