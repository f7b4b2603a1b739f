//! What works on strings, arrays and objects alike.

use serde_json::Value;

use super::{Call, Function, as_text, function};
use crate::error::Fault;
use crate::evaluate::spelling;
use crate::text;

pub(super) const TABLE: &[Function] = &[
    function("length", 1, 1, length),
    function("empty", 1, 1, empty),
    function("contains", 2, 2, contains),
    function("first", 1, 1, |call| end(call, End::First)),
    function("last", 1, 1, |call| end(call, End::Last)),
    function("skip", 2, 2, |call| part(call, Part::Rest)),
    function("take", 2, 2, |call| part(call, Part::Start)),
    function("indexOf", 2, 2, |call| position(call, End::First)),
    function("lastIndexOf", 2, 2, |call| position(call, End::Last)),
];

#[derive(Clone, Copy)]
enum End {
    First,
    Last,
}

#[derive(Clone, Copy)]
enum Part {
    Start,
    Rest,
}

fn length(call: &Call<'_, '_>) -> Result<Value, Fault> {
    match call.value(0) {
        Value::String(text) => Ok(text::length(text).into()),
        Value::Array(elements) => Ok(elements.len().into()),
        Value::Object(members) => Ok(members.len().into()),
        Value::Null | Value::Bool(_) | Value::Number(_) => Err(call.expected(0, "a string, an array or an object")),
    }
}

fn empty(call: &Call<'_, '_>) -> Result<Value, Fault> {
    match call.value(0) {
        Value::Null => Ok(true.into()),
        Value::Bool(_) | Value::Number(_) => Err(call.expected(0, "a string, an array or an object")),
        Value::String(text) => Ok(text.is_empty().into()),
        Value::Array(elements) => Ok(elements.is_empty().into()),
        Value::Object(members) => Ok(members.is_empty().into()),
    }
}

/// Members of objects are found in any case; parts of strings and elements only as they are.
fn contains(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let wanted = call.value(1);
    match call.value(0) {
        Value::String(text) => {
            let wanted = as_text(wanted).ok_or_else(|| call.expected(1, "a string or an integer"))?;
            Ok(text.contains(wanted.as_ref()).into())
        }
        Value::Array(elements) => Ok(elements.contains(wanted).into()),
        Value::Object(members) => Ok(spelling(call.evaluator.session, members, call.text(1)?)?.is_some().into()),
        Value::Null | Value::Bool(_) | Value::Number(_) => Err(call.expected(0, "a string, an array or an object")),
    }
}

fn end(call: &Call<'_, '_>, end: End) -> Result<Value, Fault> {
    match call.value(0) {
        Value::String(text) => {
            let start = match end {
                End::First => 0,
                End::Last => text::length(text).saturating_sub(1),
            };
            Ok(text::part(text, start, 1).into())
        }
        Value::Array(elements) => {
            let element = match end {
                End::First => elements.first(),
                End::Last => elements.last(),
            };
            Ok(element.cloned().unwrap_or(Value::Null))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            Err(call.expected(0, "a string or an array"))
        }
    }
}

/// A negative count is none, one that is too large is all.
fn part(call: &Call<'_, '_>, part: Part) -> Result<Value, Fault> {
    let count = usize::try_from(call.integer(1)?.max(0)).unwrap_or(usize::MAX);
    match (call.value(0), part) {
        (Value::String(text), Part::Rest) => Ok(text::part(text, count, usize::MAX).into()),
        (Value::String(text), Part::Start) => Ok(text::part(text, 0, count).into()),
        (Value::Array(elements), Part::Rest) => Ok(elements.iter().skip(count).cloned().collect()),
        (Value::Array(elements), Part::Start) => Ok(elements.iter().take(count).cloned().collect()),
        (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_), _) => {
            Err(call.expected(0, "a string or an array"))
        }
    }
}

/// From 0; -1 when it isn't there. Strings are searched without regard to case.
fn position(call: &Call<'_, '_>, end: End) -> Result<Value, Fault> {
    let found = match call.value(0) {
        Value::String(text) => {
            let (text, wanted) = (text::upper(text), text::upper(call.text(1)?));
            let at = match end {
                End::First => text.find(&wanted),
                End::Last => text.rfind(&wanted),
            };
            at.map(|at| text.get(..at).map_or(0, text::length))
        }
        Value::Array(elements) => {
            let wanted = call.value(1);
            match end {
                End::First => elements.iter().position(|element| element == wanted),
                End::Last => elements.iter().rposition(|element| element == wanted),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            return Err(call.expected(0, "a string or an array"));
        }
    };
    Ok(found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1).into())
}
