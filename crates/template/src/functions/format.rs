//! `format`: the composite formatting of .NET, as far as templates use it.

use serde_json::Value;

use super::{Call, Function, MANY, as_text, function};
use crate::error::Fault;
use crate::session::{Growing, text_fits};
use crate::text::length;

pub(super) const TABLE: &[Function] = &[function("format", 1, MANY, format)];

/// `{0}`, `{0,5}` and `{0,-5}` (padded to a width), `{0:D3}`, `{0:X2}`, `{0:x}` and `{0:N0}` of integers, `{{` and `}}`.
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
    let text = match specifier {
        Some(specifier) if value.is_i64() => number(value.as_i64().unwrap_or_default(), specifier).ok_or_else(wrong)?,
        Some(_) | None => match as_text(value) {
            Some(text) => text.into_owned(),
            None if value.is_null() => String::new(),
            None => value.to_string(),
        },
    };
    let wanted = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
    text_fits(wanted)?;
    let blanks = " ".repeat(wanted.saturating_sub(length(&text)));
    Ok(if width < 0 { text + &blanks } else { blanks + &text })
}

/// An integer in one of .NET's standard forms; at most 99 digits, as .NET once allowed.
fn number(number: i64, specifier: &str) -> Option<String> {
    let mut characters = specifier.chars();
    let kind = characters.next()?;
    let digits = match characters.as_str() {
        "" => None,
        digits => Some(digits.parse::<usize>().ok().filter(|digits| *digits <= 99)?),
    };
    let sign = if number < 0 { "-" } else { "" };
    match kind {
        'D' | 'd' => Some(format!("{sign}{:0>1$}", number.unsigned_abs(), digits.unwrap_or(1))),
        'X' => Some(format!("{number:0>0$X}", digits.unwrap_or(1))),
        'x' => Some(format!("{number:0>0$x}", digits.unwrap_or(1))),
        'N' | 'n' => Some(format!("{sign}{}{}", grouped(number.unsigned_abs()), decimals(digits.unwrap_or(2)))),
        'G' | 'g' => Some(number.to_string()),
        _ => None,
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn decimals(count: usize) -> String {
    if count == 0 { String::new() } else { format!(".{}", "0".repeat(count)) }
}
