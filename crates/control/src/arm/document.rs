//! Descriptions that are kept as they were given: merged, and freed of what may not be kept.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use contract::arm::{ArmError, Code};
use domain::{ResourceId, Timestamp, names::InvalidName};
use serde_json::{Map, Value};
use store::ReadTx;

use super::body::{self, Object};
use super::failure::Failure;
use super::{kind, subscription};

/// The most tags of a resource.
const MAX_TAGS: usize = 50;
/// The most bytes of user data.
const MAX_USER_DATA: usize = 64 * 1024;
/// The most characters of custom data.
const MAX_CUSTOM_DATA: usize = 87_380;
/// The member of a stored description that says of a machine, or of a scale set's, that it was handed custom data.
pub(crate) const HAS_CUSTOM_DATA: &str = "hasCustomData";
/// The most characters of a region's name.
const MAX_LOCATION: usize = 64;
/// What stands beside a description: it has a place of its own, or is ours to say.
const OURS: [&str; 9] = ["id", "name", "type", "location", "tags", "identity", "resources", "etag", HAS_CUSTOM_DATA];

/// What a body says beside what has a place of its own.
pub(crate) fn described(body: &Object) -> Object {
    let beside = |name: &str| !OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name));
    body.iter().filter(|(name, _)| beside(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A stored description.
pub(crate) fn parse(text: &str) -> Result<Object, Failure> {
    serde_json::from_str(text).map_err(|why| Failure::Internal { doing: "read a stored description", why: why.into() })
}

/// A description as it is stored.
pub(crate) fn text(document: Object) -> String {
    Value::Object(document).to_string()
}

/// Changes a description as a PATCH says: objects member by member, `null` removes, everything else replaces.
pub(crate) fn merge(target: &mut Object, patch: &Object) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                target.shift_remove(name);
            }
            Value::Object(members) => match target.get_mut(name) {
                Some(Value::Object(there)) => merge(there, members),
                Some(_) | None => {
                    let mut fresh = Map::new();
                    merge(&mut fresh, members);
                    target.insert(name.clone(), Value::Object(fresh));
                }
            },
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                target.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Removes what is told once and nobody may read again, at any depth and in whatever case it is spelt.
pub(crate) fn forget_secrets(object: &mut Object) {
    object.retain(|name, value| !is_secret(name, value));
    object.values_mut().for_each(forget_within);
}

/// What a machine's owner hands it for everybody in it to read, taken out before secrets are forgotten: base64, at most 64
/// kB (MicrosoftDocs/azure-compute-docs `user-data.md`). It is no secret, but told only where it is asked for.
pub(crate) fn take_user_data(profile: &mut Object, place: &str) -> Result<Option<Value>, ArmError> {
    match profile.shift_remove("userData") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            let decoded = BASE64_STANDARD.decode(&text).ok().filter(|bytes| bytes.len() <= MAX_USER_DATA);
            match decoded {
                Some(_) => Ok(Some(text.into())),
                None => Err(body::wrong(&format!("{place}.userData"), "base64 of at most 65536 bytes")),
            }
        }
        Some(_) => Err(body::wrong(&format!("{place}.userData"), "a string")),
    }
}

/// Whether a machine's owner hands it something for its first start, taken out of the `osProfile` of this profile: base64 (refused as by
/// Azure otherwise). It may hold secrets, so it isn't kept, and its machine is told of it but not what it is.
pub(crate) fn take_custom_data(profile: &mut Object) -> Result<bool, ArmError> {
    let mut taken = Vec::new();
    for (_, os_profile) in profile.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case("osProfile")) {
        let Some(os_profile) = os_profile.as_object_mut() else { continue };
        os_profile.retain(|name, value| {
            let is_custom_data = name.eq_ignore_ascii_case("customData");
            if is_custom_data {
                taken.push(value.take());
            }
            !is_custom_data
        });
    }
    let mut given = false;
    for custom_data in taken {
        let sound = match &custom_data {
            Value::Null => true,
            Value::String(text) => text.len() <= MAX_CUSTOM_DATA && BASE64_STANDARD.decode(text).is_ok(),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
        };
        if !sound {
            let text = format!(
                "Custom data in OSProfile must be in Base64 encoding and with a maximum length of {MAX_CUSTOM_DATA} \
                 characters."
            );
            return Err(ArmError::parameter("customData", text));
        }
        given |= custom_data.as_str().is_some_and(|text| !text.is_empty());
    }
    Ok(given)
}

fn forget_within(value: &mut Value) {
    match value {
        Value::Object(members) => forget_secrets(members),
        Value::Array(items) => items.iter_mut().for_each(forget_within),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Members that hold secrets, in lower case.
const SECRETS: [&str; 10] = [
    "additionalunattendcontent",
    "clientsecret",
    "connectionstring",
    "customdata",
    "protectedparameters",
    "protectedsettings",
    "secrets",
    "securevalue",
    "sharedkey",
    "userdata",
];
/// Parts of the names of members that hold secrets, in lower case.
const SECRET_PARTS: [&str; 2] = ["accountkey", "password"];

/// Whether a member is a secret. A flag is none (`disablePasswordAuthentication`), nor is what may be done with `secrets`.
fn is_secret(name: &str, value: &Value) -> bool {
    let name = name.to_ascii_lowercase();
    let plain = match value {
        Value::Null | Value::Bool(_) => true,
        Value::String(text) => ["true", "false"].iter().any(|flag| flag.eq_ignore_ascii_case(text)),
        Value::Array(items) => name == "secrets" && items.iter().all(Value::is_string),
        Value::Number(_) | Value::Object(_) => false,
    };
    !plain && (SECRETS.contains(&name.as_str()) || SECRET_PARTS.iter().any(|part| name.contains(part)))
}

/// The tags of a body, when it says any.
pub(crate) fn tags(body: &Object) -> Result<Option<BTreeMap<String, String>>, ArmError> {
    let Some(tags) = body::member(body, "tags")? else { return Ok(None) };
    if tags.len() > MAX_TAGS {
        let text = format!("A resource has at most {MAX_TAGS} tags; this one would have {}.", tags.len());
        return Err(ArmError::new(Code::TooManyTags, text).target("tags"));
    }
    let mut read = BTreeMap::new();
    for (name, value) in tags {
        let text = value.as_str().ok_or_else(|| body::wrong(&format!("tags.{name}"), "a string"))?;
        if name.is_empty() || name.len() > 512 || text.len() > 256 {
            let rule = "a tag has a name of 1 to 512 and a value of up to 256 characters";
            return Err(ArmError::parameter("tags", format!("The tag '{}' is invalid: {rule}.", shortened(name))));
        }
        read.insert(name.clone(), text.to_owned());
    }
    Ok(Some(read))
}

/// The region that a body says for a resource, as regions are compared: in lower case and without blanks.
pub(crate) fn location(id: &ResourceId, body: &Object) -> Result<Option<String>, ArmError> {
    let Some(said) = body::text(body, "location")? else { return Ok(None) };
    let location = normal(said);
    let could_be = location.len() <= MAX_LOCATION && location.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if could_be {
        return Ok(Some(location).filter(|location| !location.is_empty()));
    }
    let (said, regions) = (shortened(said), subscription::regions().join(","));
    Err(if id.provider().is_none() {
        let text = format!(
            "The provided location '{said}' is not available for resource group. List of available regions is \
             '{regions}'."
        );
        ArmError::new(Code::LocationNotAvailableForResourceGroup, text)
    } else {
        let text = format!(
            "The provided location '{said}' is not available for resource type '{}'. List of available regions for \
             the resource type is '{regions}'.",
            kind::spelt(&id.resource_type())
        );
        ArmError::new(Code::LocationNotAvailableForResourceType, text)
    })
}

/// A region in lower case and without blanks.
pub(crate) fn normal(location: &str) -> String {
    location.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase()
}

/// The region that a resource is to have: what the body says, which must be where it is already.
pub(crate) fn location_of(id: &ResourceId, body: &Object, before: Option<&str>) -> Result<String, ArmError> {
    let wanted = location(id, body)?;
    match (wanted, before) {
        (Some(wanted), Some(before)) if wanted != normal(before) => Err(ArmError::new(
            Code::InvalidResourceLocation,
            format!(
                "The resource '{}' already exists in location '{before}' in resource group '{}'. A resource with the \
                 same name cannot be created in location '{wanted}'. Please select a new resource name.",
                id.name(),
                id.resource_group().unwrap_or_default()
            ),
        )),
        (_, Some(before)) => Ok(before.to_owned()),
        (Some(wanted), None) => Ok(wanted),
        (None, None) => {
            Err(ArmError::new(Code::LocationRequired, "The location property is required for this definition."))
        }
    }
}

/// Tags in an answer.
pub(crate) fn tags_value(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect::<Map<_, _>>().into()
}

/// An instant in an answer.
pub(crate) fn time(at: Timestamp) -> Value {
    contract::arm::time::text(at.unix()).into()
}

/// The resource group of a resource, which must be there.
pub(crate) fn require_group(tx: &dyn ReadTx, id: &ResourceId) -> Result<(), Failure> {
    let Some(group) = id.group() else { return Ok(()) };
    if tx.resource_group(&group)?.is_some() {
        return Ok(());
    }
    Err(ArmError::group_not_found(group.name()).into())
}

/// That a resource isn't there, nor perhaps the group that it would be in.
pub(crate) fn not_found(tx: &dyn ReadTx, id: &ResourceId) -> Failure {
    let group = id.resource_group().unwrap_or_default();
    match require_group(tx, id) {
        Ok(()) => ArmError::resource_not_found(&kind::described(id), group).into(),
        Err(failure) => failure,
    }
}

/// That what a resource is to lie in isn't there, nor perhaps the group.
pub(crate) fn parent_not_found(tx: &dyn ReadTx, id: &ResourceId) -> Failure {
    let parent = id.parent().map(|parent| parent.to_string()).unwrap_or_default();
    match require_group(tx, id) {
        Ok(()) => ArmError::parent_not_found(&kind::spelt(&id.resource_type()), &parent).into(),
        Err(failure) => failure,
    }
}

/// The id of a child.
pub(crate) fn child(of: &ResourceId, type_segment: &str, name: &str) -> Result<ResourceId, ArmError> {
    of.child(type_segment, name).map_err(|invalid| ArmError::new(Code::InvalidResourceName, format!("{invalid}.")))
}

/// A name that breaks the rules of its noun.
pub(crate) fn invalid_name(invalid: &InvalidName) -> ArmError {
    ArmError::new(Code::InvalidResourceName, format!("{invalid}."))
}

/// Enough of a text to know it again.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_patch_merges_members_and_replaces_the_rest() {
        let mut target = object(json!({"a": {"b": 1, "c": 2}, "d": [1], "e": 1}));
        merge(&mut target, &object(json!({"a": {"b": null, "x": {"y": null, "z": 1}}, "d": [2, 3], "e": {"f": 1}})));
        assert_eq!(Value::Object(target), json!({"a": {"c": 2, "x": {"z": 1}}, "d": [2, 3], "e": {"f": 1}}));
    }

    #[test]
    fn secrets_are_forgotten() {
        let mut properties = object(json!({
            "osProfile": {
                "adminUsername": "u", "adminPassword": "p", "customData": "c", "secrets": [{"sourceVault": {}}],
                "linuxConfiguration": {"disablePasswordAuthentication": true},
                "WindowsConfiguration": {"additionalUnattendContent": [{"content": "x"}]},
            },
            "userData": "d",
        }));
        forget_secrets(&mut properties);
        let left = json!({"osProfile": {
            "adminUsername": "u", "linuxConfiguration": {"disablePasswordAuthentication": true},
            "WindowsConfiguration": {},
        }});
        assert_eq!(Value::Object(properties), left);
    }

    #[test]
    fn tags_are_bounded_text() {
        assert!(tags(&object(json!({"tags": {"a": 1}}))).is_err());
        assert!(tags(&object(json!({"tags": []}))).is_err());
        let many: Map<String, Value> = (0..10_000).map(|number| (number.to_string(), "x".into())).collect();
        let error = tags(&object(json!({"tags": many}))).unwrap_err();
        assert!(error.code == Code::TooManyTags && error.message.contains("50"), "{error}");
        assert_eq!(tags(&object(json!({"tags": {"a": "b"}}))).unwrap().unwrap().len(), 1);
    }
}
