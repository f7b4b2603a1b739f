//! Integers of 64 bits. What overflows is refused.

use serde_json::{Number, Value};

use super::{Call, Function, MANY, function};
use crate::error::Fault;

pub(super) const TABLE: &[Function] = &[
    function("int", 1, 1, int),
    function("float", 1, 1, float),
    function("add", 2, 2, |call| two(call, i64::checked_add)),
    function("sub", 2, 2, |call| two(call, i64::checked_sub)),
    function("mul", 2, 2, |call| two(call, i64::checked_mul)),
    function("div", 2, 2, |call| two(call, i64::checked_div)),
    function("mod", 2, 2, |call| two(call, i64::checked_rem)),
    function("min", 1, MANY, |call| extreme(call, i64::min)),
    function("max", 1, MANY, |call| extreme(call, i64::max)),
];

fn int(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let value = call.value(0);
    let integer = value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    integer.map(Value::from).ok_or_else(|| call.expected(0, "an integer or the digits of one"))
}

fn float(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let value = call.value(0);
    let float = value.as_f64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    let float = float.and_then(Number::from_f64).map(Value::Number);
    float.ok_or_else(|| call.expected(0, "a number or the digits of one"))
}

fn two(call: &Call<'_, '_>, operation: fn(i64, i64) -> Option<i64>) -> Result<Value, Fault> {
    let result = operation(call.integer(0)?, call.integer(1)?);
    result.map(Value::from).ok_or_else(|| call.fail("the result is not an integer of 64 bits."))
}

/// Of integers, or of one array of integers.
fn extreme(call: &Call<'_, '_>, better: fn(i64, i64) -> i64) -> Result<Value, Fault> {
    let integers: Option<Vec<i64>> = match call.value(0) {
        Value::Array(elements) if call.arguments.len() == 1 => elements.iter().map(Value::as_i64).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            call.values().map(Value::as_i64).collect()
        }
    };
    let found = integers.and_then(|integers| integers.into_iter().reduce(better));
    found.map(Value::from).ok_or_else(|| call.fail("the arguments must be integers, or an array of them."))
}
