//! Booleans and comparisons.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{Call, Function, MANY, function};
use crate::error::Fault;

pub(super) const TABLE: &[Function] = &[
    function("true", 0, 0, |_| Ok(true.into())),
    function("false", 0, 0, |_| Ok(false.into())),
    function("bool", 1, 1, boolean),
    function("not", 1, 1, |call| Ok((!call.boolean(0)?).into())),
    function("and", 2, MANY, |call| Ok(booleans(call)?.into_iter().all(|value| value).into())),
    function("or", 2, MANY, |call| Ok(booleans(call)?.into_iter().any(|value| value).into())),
    function("equals", 2, 2, |call| Ok(equal(call.value(0), call.value(1)).into())),
    function("less", 2, 2, |call| Ok(order(call)?.is_lt().into())),
    function("lessOrEquals", 2, 2, |call| Ok(order(call)?.is_le().into())),
    function("greater", 2, 2, |call| Ok(order(call)?.is_gt().into())),
    function("greaterOrEquals", 2, 2, |call| Ok(order(call)?.is_ge().into())),
    function("fail", 1, 1, |call| Err(Fault::invalid(call.text(0)?))),
    function("coalesce", 1, MANY, |call| Ok(call.values().find(|value| !value.is_null()).cloned().unwrap_or_default())),
];

fn boolean(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let value = call.value(0);
    let number = |number: i64| number != 0;
    let text =
        |text: &str| [("true", true), ("false", false)].into_iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
    let found = value.as_bool().or_else(|| value.as_i64().map(number));
    let found = found.or_else(|| value.as_str().and_then(text).map(|(_, value)| value));
    found.map(Value::from).ok_or_else(|| call.expected(0, "a boolean, an integer, 'true' or 'false'"))
}

fn booleans(call: &Call<'_, '_>) -> Result<Vec<bool>, Fault> {
    (0..call.arguments.len()).map(|at| call.boolean(at)).collect()
}

/// Strings with regard to case; numbers by value.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => numbers(one, other) == Some(Ordering::Equal),
        (one, other) => one == other,
    }
}

fn order(call: &Call<'_, '_>) -> Result<Ordering, Fault> {
    let ordered = match (call.value(0), call.value(1)) {
        (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
        (Value::Number(one), Value::Number(other)) => numbers(one, other),
        (_, _) => None,
    };
    ordered.ok_or_else(|| call.fail("the arguments must be two numbers or two strings."))
}

/// Exactly: an integer doesn't become a float, which has room for only 53 of its bits.
fn numbers(one: &Number, other: &Number) -> Option<Ordering> {
    match (one.as_i128(), other.as_i128()) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        (Some(one), None) => Some(integer_and_float(one, other.as_f64()?)),
        (None, Some(other)) => Some(integer_and_float(other, one.as_f64()?).reverse()),
        (None, None) => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

fn integer_and_float(integer: i128, float: f64) -> Ordering {
    let below = float.floor();
    // Far beyond what an integer of JSON can be, the cast ends at the bounds of its type.
    integer.cmp(&(below as i128)).then(if float > below { Ordering::Less } else { Ordering::Equal })
}
