//! The extension's resources in a template, and how others name them.

use std::ops::Range;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;

/// A resource of the extension.
pub(super) struct Resource {
    pub(super) range: Range<usize>,
    /// Its name as it is written.
    name: String,
    /// What of its name others have to write: its last part, or the variable that holds it.
    word: String,
    /// Its symbolic name, in templates whose resources have one.
    symbol: Option<String>,
}

impl Resource {
    fn new(range: Range<usize>, object: &Object<'_>, symbol: Option<&str>) -> Self {
        let name = string(object, "name").unwrap_or_default();
        Self { range, word: word(&name), name, symbol: symbol.map(str::to_owned) }
    }

    /// Whether an element of an order is this resource and nothing else.
    pub(super) fn is_named(&self, element: &str) -> bool {
        let is = |name: &str| !name.is_empty() && element.eq_ignore_ascii_case(name);
        let last = || contains(element, "extensions") && word(element).eq_ignore_ascii_case(&self.word);
        match &self.symbol {
            Some(symbol) => is(symbol) || (!self.word.is_empty() && last()),
            None => is(&self.name) || is(&self.word) || (!self.word.is_empty() && last()),
        }
    }

    /// Whether a text may be about this resource: by its symbolic name in an expression, or by its word beside what is
    /// said of extensions or read from resources.
    pub(super) fn is_meant(&self, text: &str) -> bool {
        let expression = text.starts_with('[');
        let symbol = |symbol: &String| {
            expression && (contains(text, &format!("'{symbol}'")) || contains(text, &format!("'{symbol}[")))
        };
        let about = contains(text, "extensions") || (expression && contains(text, "reference("));
        self.symbol.as_ref().is_some_and(symbol) || (about && stands_in(text, &self.word))
    }
}

/// Whether a text has a part, in whatever case.
fn contains(text: &str, part: &str) -> bool {
    text.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
}

/// Whether a word stands in a text as a whole literal or part of a name, not within a longer one.
fn stands_in(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    let ends = |next: Option<char>| next.is_none_or(|next| "'/()[], ".contains(next));
    !word.is_empty()
        && text.match_indices(&word).any(|(at, _)| {
            let (before, after) = (text.get(..at), text.get(at + word.len()..));
            ends(before.and_then(|before| before.chars().next_back()))
                && ends(after.and_then(|after| after.chars().next()))
        })
}

/// Finds the resources.
pub(super) fn collect(value: &Value<'_>, key: &str, resources: &mut Vec<Resource>) {
    match value {
        Value::Object(object) => {
            for property in &object.properties {
                let name = property.name.as_str();
                // Resources with symbolic names.
                if let (true, Value::Object(inner)) = (is_list(key), &property.value)
                    && is_extension(inner)
                {
                    resources.push(Resource::new(range(property), inner, Some(name)));
                    continue;
                }
                collect(&property.value, name, resources);
            }
        }
        Value::Array(array) => {
            for element in &array.elements {
                if let Value::Object(object) = element
                    && is_list(key)
                    && is_extension(object)
                {
                    resources.push(Resource::new(range(object), object, None));
                } else {
                    collect(element, key, resources);
                }
            }
        }
        Value::StringLit(_) | Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {}
    }
}

pub(super) fn is_list(key: &str) -> bool {
    key.eq_ignore_ascii_case("resources") || key.eq_ignore_ascii_case("extensions")
}

/// Whether an object is the extension by its publisher or its type.
fn is_extension(object: &Object<'_>) -> bool {
    let Some(Value::Object(properties)) = member(object, "properties") else { return false };
    let is = |name: &str, values: &[&str]| {
        string(properties, name).is_some_and(|value| values.iter().any(|known| value.eq_ignore_ascii_case(known)))
    };
    is("publisher", &["Microsoft.ManagedIdentity"])
        || is("type", &["ManagedIdentityExtensionForLinux", "ManagedIdentityExtensionForWindows"])
}

fn member<'a, 'b>(object: &'a Object<'b>, name: &str) -> Option<&'a Value<'b>> {
    let found = object.properties.iter().find(|property| property.name.as_str().eq_ignore_ascii_case(name))?;
    Some(&found.value)
}

fn string(object: &Object<'_>, name: &str) -> Option<String> {
    match member(object, name)? {
        Value::StringLit(literal) => Some(literal.value.to_string()),
        Value::Object(_) | Value::Array(_) | Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => None,
    }
}

/// The last part of a name, or the call that gives it.
pub(super) fn word(name: &str) -> String {
    let Some(expression) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) else {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    };
    let literal = expression.trim_end_matches([')', ' ']).strip_suffix('\'');
    let Some((before, literal)) = literal.and_then(|literal| literal.rsplit_once('\'')) else {
        return expression.to_owned();
    };
    for call in ["variables(", "parameters("] {
        if before.trim_end().ends_with(call) {
            return format!("{call}'{literal}')");
        }
    }
    literal.rsplit('/').next().unwrap_or_default().to_owned()
}

pub(super) fn range(value: &impl Ranged) -> Range<usize> {
    let range = value.range();
    range.start..range.end
}
