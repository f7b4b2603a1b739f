//! Strings. Positions and lengths count units of UTF-16.

use serde_json::Value;

use super::{Call, Function, MANY, as_text, function};
use crate::error::Fault;
use crate::session::{Growing, text_fits};
use crate::text;

pub(super) const TABLE: &[Function] = &[
    function("toLower", 1, 1, |call| Ok(text::lower(call.text(0)?).into())),
    function("toUpper", 1, 1, |call| Ok(text::upper(call.text(0)?).into())),
    function("trim", 1, 1, |call| Ok(call.text(0)?.trim().into())),
    function("split", 2, 2, split),
    function("join", 2, 2, join),
    function("replace", 3, 3, replace),
    function("substring", 2, 3, substring),
    function("startsWith", 2, 2, |call| Ok(begins(call.text(0)?, call.text(1)?).into())),
    function("endsWith", 2, 2, |call| Ok(ends(call.text(0)?, call.text(1)?).into())),
    function("padLeft", 2, 3, pad_left),
    function("string", 1, 1, string),
    function("concat", 1, MANY, concat),
];

fn begins(text: &str, start: &str) -> bool {
    text::upper(text).starts_with(&text::upper(start))
}

fn ends(text: &str, end: &str) -> bool {
    text::upper(text).ends_with(&text::upper(end))
}

fn split(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let (text, session) = (call.text(0)?, call.evaluator.session);
    let delimiters: Vec<&str> = match call.value(1) {
        Value::Array(delimiters) => delimiters.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => vec![call.text(1)?],
    };
    let search = |delimiter: &str, start: usize| {
        let found = text.get(start..).and_then(|rest| rest.find(delimiter)).map(|at| start + at);
        session.searched(found.map_or(text.len(), |at| at + delimiter.len()) - start)?;
        Ok(found)
    };
    let delimiters = delimiters.into_iter().filter(|delimiter| !delimiter.is_empty());
    let found = delimiters.map(|delimiter| Ok((delimiter, search(delimiter, 0)?)));
    // Where each stands next.
    let mut found = found.collect::<Result<Vec<_>, Fault>>()?;
    let (mut pieces, mut start) = (Vec::new(), 0);
    // The first place divides; where several stand there, the first of them.
    while let Some((delimiter, at)) =
        found.iter().filter_map(|(delimiter, at)| Some((*delimiter, (*at)?))).min_by_key(|(_, at)| *at)
    {
        session.bytes(64)?;
        pieces.push(Value::from(text.get(start..at).unwrap_or_default()));
        start = at + delimiter.len();
        for (delimiter, at) in &mut found {
            session.steps(1)?;
            if at.is_some_and(|at| at < start) {
                *at = search(delimiter, start)?;
            }
        }
    }
    pieces.push(Value::from(text.get(start..).unwrap_or_default()));
    Ok(Value::Array(pieces))
}

fn join(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let (elements, delimiter) = (call.array(0)?, call.text(1)?);
    let mut joined = Growing::default();
    for (at, element) in elements.iter().enumerate() {
        if at > 0 {
            joined.push(delimiter)?;
        }
        joined.push(&as_text(element).ok_or_else(|| call.fail("the array must hold strings or integers."))?)?;
    }
    Ok(joined.finish())
}

fn replace(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let (text, old, new) = (call.text(0)?, call.text(1)?, call.text(2)?);
    if old.is_empty() {
        return Err(call.fail("the string to replace is empty."));
    }
    let found = text.matches(old).count();
    text_fits(text.len().saturating_add(found.saturating_mul(new.len())))?;
    Ok(text.replace(old, new).into())
}

fn substring(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let (text, start) = (call.text(0)?, call.integer(1)?);
    let all = text::length(text);
    let outside = || call.fail("the start and the length must name a place inside of the string.");
    let start = usize::try_from(start).ok().filter(|start| *start <= all).ok_or_else(outside)?;
    let length = match call.given(2) {
        Some(_) => {
            usize::try_from(call.integer(2)?).ok().filter(|length| *length <= all - start).ok_or_else(outside)?
        }
        None => all - start,
    };
    Ok(text::part(text, start, length).into())
}

fn pad_left(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let text = as_text(call.value(0)).ok_or_else(|| call.expected(0, "a string or an integer"))?;
    let wanted = usize::try_from(call.integer(1)?).map_err(|_| call.expected(1, "a positive integer"))?;
    let with = call.given(2).map_or(Ok(" "), |_| call.text(2))?;
    let mut characters = with.chars();
    let (Some(with), None) = (characters.next(), characters.next()) else {
        return Err(call.expected(2, "one character"));
    };
    let missing = wanted.saturating_sub(text::length(&text));
    text_fits(text.len().saturating_add(missing.saturating_mul(with.len_utf8())))?;
    let mut padded: String = std::iter::repeat_n(with, missing).collect();
    padded.push_str(&text);
    Ok(padded.into())
}

/// Objects and arrays as JSON without blanks.
fn string(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let value = call.value(0);
    let text = match as_text(value) {
        Some(text) => text.into_owned(),
        None if value.is_null() => String::new(),
        None => value.to_string(),
    };
    text_fits(text.len())?;
    Ok(text.into())
}

/// Arrays, when the first argument is one; else strings.
fn concat(call: &Call<'_, '_>) -> Result<Value, Fault> {
    if call.value(0).is_array() {
        let mut elements = Vec::new();
        for at in 0..call.arguments.len() {
            elements.extend(call.array(at)?.iter().cloned());
        }
        return Ok(Value::Array(elements));
    }
    let mut text = Growing::default();
    for value in call.values() {
        text.push(&as_text(value).ok_or_else(|| call.fail("the arguments must be all strings or all arrays."))?)?;
    }
    Ok(text.finish())
}
