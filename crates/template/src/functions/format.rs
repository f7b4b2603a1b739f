//! `format`: the composite formatting of .NET, as far as templates use it.

use serde_json::Value;

use super::{Call, Function, MANY, as_text, function, number};
use crate::error::Fault;
use crate::session::{Growing, text_fits};
use crate::text::length;

pub(super) const TABLE: &[Function] = &[function("format", 1, MANY, format)];

/// `{0}`, `{0,5}` and `{0,-5}` (padded to a width), `{0:D3}` and the like of numbers, `{{` and `}}`. Arrays and objects are
/// written as JSON with single quotes.
fn format(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let mut result = Growing::default();
    let mut rest = call.text(0)?;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(at);
        result.push(before)?;
        let doubled =
            after.strip_prefix("{{").map(|rest| ("{", rest)).or(after.strip_prefix("}}").map(|rest| ("}", rest)));
        rest = match doubled {
            Some((brace, after)) => {
                result.push(brace)?;
                after
            }
            None => {
                let item = after.strip_prefix('{').and_then(|after| after.split_once('}'));
                let (item, after) = item.ok_or_else(|| call.fail("the format string has a brace too many."))?;
                result.push(&placeholder(call, item)?)?;
                after
            }
        };
    }
    result.push(rest)?;
    Ok(result.finish())
}

/// `index[,width][:specifier]`
fn placeholder(call: &Call<'_, '_>, item: &str) -> Result<String, Fault> {
    let wrong = || call.fail(format_args!("the placeholder '{{{item}}}' is not valid."));
    let (place, specifier) = item.split_once(':').map_or((item, None), |(place, rest)| (place, Some(rest)));
    let (index, width) = place.split_once(',').map_or((place, "0"), |(index, width)| (index, width.trim()));
    let index: usize = index.trim().parse().map_err(|_| wrong())?;
    let width: i64 = width.parse().map_err(|_| wrong())?;
    let value = call.given(index.saturating_add(1)).ok_or_else(wrong)?;
    let text = match (specifier, value) {
        (Some(specifier), Value::Number(number)) => number::write(number, specifier).ok_or_else(wrong)?,
        (Some(_) | None, Value::Null) => String::new(),
        (Some(_) | None, value) => match as_text(value) {
            Some(text) => text.into_owned(),
            None => {
                let mut text = Growing::default();
                single_quoted(value, &mut text)?;
                text.into_text()
            }
        },
    };
    let wanted = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
    text_fits(wanted)?;
    let blanks = " ".repeat(wanted.saturating_sub(length(&text)));
    Ok(if width < 0 { text + &blanks } else { blanks + &text })
}

/// JSON with single quotes around strings and names.
fn single_quoted(value: &Value, into: &mut Growing) -> Result<(), Fault> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => into.push(&value.to_string()),
        Value::String(text) => quoted(text, into),
        Value::Array(elements) => {
            into.push("[")?;
            for (at, element) in elements.iter().enumerate() {
                into.push(if at > 0 { "," } else { "" })?;
                single_quoted(element, into)?;
            }
            into.push("]")
        }
        Value::Object(members) => {
            into.push("{")?;
            for (at, (name, member)) in members.iter().enumerate() {
                into.push(if at > 0 { "," } else { "" })?;
                quoted(name, into)?;
                into.push(":")?;
                single_quoted(member, into)?;
            }
            into.push("}")
        }
    }
}

fn quoted(text: &str, into: &mut Growing) -> Result<(), Fault> {
    let json = Value::from(text).to_string();
    let inside = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
    into.push("'")?;
    let mut escaped = false;
    for character in inside.chars() {
        match character {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            '"' => {}
            '\'' => into.push("\\")?,
            _ if escaped => into.push("\\")?,
            _ => {}
        }
        escaped = false;
        into.push(character.encode_utf8(&mut [0; 4]))?;
    }
    into.push("'")
}
