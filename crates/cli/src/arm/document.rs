//! Looks into the control plane's JSON.

use serde_json::{Map, Value, json};

use super::Arm;
use crate::args::arm::PlaceArgs;

/// The text at a JSON pointer.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// What is at a JSON pointer, for people; `-` where there is nothing.
pub(crate) fn word(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The members of a list.
pub(crate) fn items(list: &Value) -> &[Value] {
    list.get("value").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The last segment of a resource id.
pub(crate) fn name_of(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// What a resource's identity is, in a word or more.
pub(crate) fn identity(resource: &Value) -> String {
    let mut names = Vec::new();
    if resource.pointer("/identity/principalId").is_some() {
        names.push("system-assigned");
    }
    let users = resource.pointer("/identity/userAssignedIdentities").and_then(Value::as_object);
    names.extend(users.into_iter().flatten().map(|(id, _)| name_of(id)));
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}

/// The tags of a resource.
pub(crate) fn tags(resource: &Value) -> String {
    let tags = resource.get("tags").and_then(Value::as_object);
    let tags: Vec<_> = tags.into_iter().flatten().map(|(name, value)| format!("{name}={}", bare(value))).collect();
    if tags.is_empty() { "-".to_owned() } else { tags.join(", ") }
}

/// A value without quotes.
pub(crate) fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The power of a machine, from its instance view.
pub(crate) fn power(resource: &Value) -> String {
    let statuses = resource.pointer("/properties/instanceView/statuses").and_then(Value::as_array);
    let codes = statuses.into_iter().flatten().filter_map(|status| text(status, "/code"));
    codes.filter_map(|code| code.strip_prefix("PowerState/")).next().unwrap_or("-").to_owned()
}

/// A new resource's location and tags.
pub(crate) async fn placed(arm: &Arm, place: &PlaceArgs) -> anyhow::Result<Map<String, Value>> {
    let location = match &place.location {
        Some(location) => location.clone(),
        None => word(&arm.get(&arm.group()?).await?, "/location"),
    };
    let mut document = Map::from_iter([("location".to_owned(), location.into())]);
    if !place.tag.is_empty() {
        let tags: Map<_, _> = place.tag.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        document.insert("tags".to_owned(), tags.into());
    }
    Ok(document)
}
