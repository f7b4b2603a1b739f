//! Arrays.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Call, Function, MANY, function};
use crate::error::Fault;
use crate::limits::RANGE;

pub(super) const TABLE: &[Function] = &[
    function("array", 1, 1, |call| {
        let value = call.value(0).clone();
        Ok(if value.is_array() { value } else { Value::Array(vec![value]) })
    }),
    function("createArray", 0, MANY, |call| Ok(call.values().cloned().collect())),
    function("range", 2, 2, range),
    function("flatten", 1, 1, flatten),
    function("indexFromEnd", 2, 2, |call| {
        let outside = || call.fail("the index is outside of the array.");
        from_end(call)?.ok_or_else(outside)
    }),
    function("tryIndexFromEnd", 2, 2, |call| Ok(from_end(call)?.unwrap_or_default())),
    function("union", 2, MANY, union),
    function("intersection", 2, MANY, intersection),
];

fn range(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let (start, count) = (call.integer(0)?, call.integer(1)?);
    if !(0..=RANGE).contains(&count) {
        return Err(call.fail(format_args!("the count must be from 0 to {RANGE}.")));
    }
    let end = start.checked_add(count).filter(|end| *end <= i64::from(i32::MAX));
    let end = end.ok_or_else(|| call.fail("the sum of start and count is beyond 2147483647."))?;
    Ok((start..end).map(Value::from).collect())
}

fn flatten(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let mut flat = Vec::new();
    for element in call.array(0)? {
        let inner = element.as_array().ok_or_else(|| call.expected(0, "an array of arrays"))?;
        flat.extend(inner.iter().cloned());
    }
    Ok(Value::Array(flat))
}

/// The element at a position that is counted from the end, the last one being 1.
fn from_end(call: &Call<'_, '_>) -> Result<Option<Value>, Fault> {
    let (elements, position) = (call.array(0)?, call.integer(1)?);
    let at = usize::try_from(position).ok().filter(|position| *position > 0);
    let at = at.and_then(|position| elements.len().checked_sub(position));
    Ok(at.and_then(|at| elements.get(at)).cloned())
}

/// Of arrays each element once; of objects all members, the last of a name, nested objects member by member.
fn union(call: &Call<'_, '_>) -> Result<Value, Fault> {
    match call.value(0) {
        Value::Array(_) => {
            let (mut known, mut elements) = (HashSet::new(), Vec::new());
            for at in 0..call.arguments.len() {
                let new = call.array(at)?.iter().filter(|element| known.insert(element.to_string()));
                elements.extend(new.cloned());
            }
            Ok(Value::Array(elements))
        }
        Value::Object(_) => {
            let mut merged = Map::new();
            for at in 0..call.arguments.len() {
                merge(&mut merged, call.object(at)?);
            }
            Ok(Value::Object(merged))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(call.expected(0, "an array or an object"))
        }
    }
}

fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (name, value) in from {
        match (into.get_mut(name), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (_, _) => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}

/// What all have in common, as it stands in the first.
fn intersection(call: &Call<'_, '_>) -> Result<Value, Fault> {
    match call.value(0) {
        Value::Array(elements) => {
            let (mut seen, mut elements) = (HashSet::new(), elements.clone());
            elements.retain(|element| seen.insert(element.to_string()));
            for at in 1..call.arguments.len() {
                let other: HashSet<_> = call.array(at)?.iter().map(Value::to_string).collect();
                elements.retain(|element| other.contains(&element.to_string()));
            }
            Ok(Value::Array(elements))
        }
        Value::Object(members) => {
            let mut members = members.clone();
            for at in 1..call.arguments.len() {
                common(&mut members, call.object(at)?);
            }
            Ok(Value::Object(members))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(call.expected(0, "an array or an object"))
        }
    }
}

fn common(members: &mut Map<String, Value>, other: &Map<String, Value>) {
    members.retain(|name, value| match (value, other.get(name)) {
        (Value::Object(value), Some(Value::Object(other))) => {
            common(value, other);
            true
        }
        (value, other) => other == Some(value),
    });
}
