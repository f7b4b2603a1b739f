//! Reads a request body as real clients send it, and keeps where each value stands.
//!
//! SDKs send strict JSON. `az deployment` puts the text of the template's file, as it is, behind a key without quotes:
//! `{"properties": {"mode": "Incremental", template:{…}}}`. So keys without quotes, comments, line breaks inside of
//! strings, a comma after the last element and a byte order mark are read here, whoever sends them. Nothing else of
//! JSON5 is: what a client can't have meant to send is refused.
//!
//! The grammar is that of `jsonc-parser`; the bounds and the places are ours.

use std::collections::HashMap;

use jsonc_parser::ast::{Object, ObjectPropName, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::Number;

use crate::error::{Place, TemplateError};
use crate::limits::{BODY_BYTES, DEPTH, STRING_BYTES, VALUES};
use crate::node::{Data, Member, Node};

mod place;
#[cfg(test)]
mod tests;

use place::Cursor;

const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: true,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads a body.
///
/// # Errors
/// `InvalidRequestContent` for text that isn't of this grammar, or beyond [`BODY_BYTES`], [`DEPTH`],
/// [`STRING_BYTES`] or [`VALUES`].
pub fn read(body: &[u8]) -> Result<Node, TemplateError> {
    if body.len() > BODY_BYTES {
        return Err(TemplateError::content(format_args!("The body is longer than {BODY_BYTES} bytes."), None));
    }
    let text = std::str::from_utf8(body)
        .map_err(|error| TemplateError::content(format_args!("The body is not UTF-8: {error}."), None))?;
    let text = &place::without_marks(text);
    let parsed = parse_to_ast(text, &CollectOptions::default(), &OPTIONS).map_err(|error| {
        let place = place::of_error(text, error.range().start);
        let what = format!("{}. Line {}, position {}.", error.kind(), place.line, place.column);
        TemplateError::content(what, Some(place))
    })?;
    let value = parsed.value.ok_or_else(|| TemplateError::content("The body is empty.", None))?;
    Reader { cursor: Cursor::new(text), values: 0 }.node(value, 1, Part::Body)
}

/// Which part of a body a value is, to find its template.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Body,
    Properties,
    Template,
    Other,
}

impl Part {
    fn member(self, name: &str) -> Self {
        match self {
            Self::Body if name.eq_ignore_ascii_case("properties") => Self::Properties,
            Self::Properties if name.eq_ignore_ascii_case("template") => Self::Template,
            Self::Body | Self::Properties | Self::Template | Self::Other => Self::Other,
        }
    }
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    values: usize,
}

impl Reader<'_> {
    fn node(&mut self, value: Value<'_>, depth: usize, part: Part) -> Result<Node, TemplateError> {
        if part == Part::Template {
            self.cursor.start_over(value.start());
        }
        let place = self.cursor.place(value.start());
        if depth > DEPTH {
            return Err(TemplateError::content(format_args!("Values are nested deeper than {DEPTH}."), Some(place)));
        }
        self.values += 1;
        if self.values > VALUES {
            return Err(TemplateError::content(format_args!("The body has more than {VALUES} values."), Some(place)));
        }
        let data = match value {
            Value::NullKeyword(_) => Data::Null,
            Value::BooleanLit(literal) => Data::Bool(literal.value),
            Value::NumberLit(literal) => Data::Number(number(literal.value, place)?),
            Value::StringLit(literal) => Data::Text(text(literal.value.into_owned(), place)?),
            Value::Array(array) => {
                let elements = array.elements.into_iter().map(|element| self.node(element, depth + 1, Part::Other));
                Data::Array(elements.collect::<Result<_, _>>()?)
            }
            Value::Object(object) => Data::Object(self.members(object, depth, part)?),
        };
        Ok(Node { place, data })
    }

    fn members(&mut self, object: Object<'_>, depth: usize, part: Part) -> Result<Vec<Member>, TemplateError> {
        let mut members: Vec<Member> = Vec::with_capacity(object.properties.len());
        let mut known = HashMap::new();
        for property in object.properties {
            let place = self.cursor.place(property.name.start());
            let name = match property.name {
                ObjectPropName::String(literal) => text(literal.value.into_owned(), place)?,
                ObjectPropName::Word(word) => text(word.value.to_owned(), place)?,
            };
            let value = self.node(property.value, depth + 1, part.member(&name))?;
            if let Some(earlier) = known.get(&name).and_then(|&at: &usize| members.get_mut(at)) {
                earlier.value = value;
                continue;
            }
            known.insert(name.clone(), members.len());
            members.push(Member { name, place, value });
        }
        Ok(members)
    }
}

fn number(text: &str, place: Place) -> Result<Number, TemplateError> {
    let wrong = |error| TemplateError::content(format_args!("'{text}' is not a number: {error}."), Some(place));
    text.parse().map_err(wrong)
}

fn text(text: String, place: Place) -> Result<String, TemplateError> {
    if text.len() > STRING_BYTES {
        let what = format_args!("A string is longer than {STRING_BYTES} bytes.");
        return Err(TemplateError::content(what, Some(place)));
    }
    Ok(text)
}
