//! Objects.

use std::cmp::Reverse;

use serde_json::{Map, Value, json};

use super::{Call, Function, MANY, as_text, function};
use crate::error::Fault;
use crate::evaluate::spelling;
use crate::text::lower;

pub(super) const TABLE: &[Function] = &[
    function("createObject", 0, MANY, create),
    function("items", 1, 1, items),
    function("objectKeys", 1, 1, |call| Ok(call.object(0)?.keys().cloned().map(Value::from).collect())),
    function("null", 0, 0, |_| Ok(Value::Null)),
    function("shallowMerge", 1, 1, shallow_merge),
    function("tryGet", 2, MANY, try_get),
];

fn create(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let mut members = Map::new();
    let mut values = call.values();
    while let Some(name) = values.next() {
        let name = as_text(name).ok_or_else(|| call.fail("each name must be a string."))?;
        let value = values.next().ok_or_else(|| call.fail("names and values must come in pairs."))?;
        members.insert(name.into_owned(), value.clone());
    }
    Ok(Value::Object(members))
}

/// `{key, value}` of each member, in the order of the keys: letters are equal whatever their case, and of two keys that
/// are then equal the one with the small letter is the first.
fn items(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let mut members: Vec<_> = call.object(0)?.iter().collect();
    members.sort_by_cached_key(|(name, _)| (lower(name), Reverse((*name).clone())));
    Ok(members.into_iter().map(|(name, value)| json!({ "key": name, "value": value })).collect())
}

fn shallow_merge(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let mut merged = Map::new();
    for entry in call.array(0)? {
        let entry = entry.as_object().ok_or_else(|| call.expected(0, "an array of objects"))?;
        merged.extend(entry.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    Ok(Value::Object(merged))
}

/// Walks names and indexes; `null` where one isn't there.
fn try_get(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let mut value = call.value(0);
    for step in call.values().skip(1) {
        let next = match (value, step) {
            (Value::Object(members), Value::String(name)) => {
                spelling(call.evaluator.session, members, name)?.and_then(|name| members.get(&name))
            }
            (Value::Array(elements), Value::Number(index)) => {
                index.as_u64().and_then(|index| usize::try_from(index).ok()).and_then(|index| elements.get(index))
            }
            (Value::Null, _) => None,
            (_, _) => return Err(call.fail("an object is read by a string, an array by an integer.")),
        };
        let Some(next) = next else { return Ok(Value::Null) };
        value = next;
    }
    Ok(value.clone())
}
