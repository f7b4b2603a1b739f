//! Values of secure parameters, which nobody is shown.

use serde_json::{Map, Value};

use crate::error::Fault;
use crate::session::Session;

/// What stands in the place of a secret.
const MASK: &str = "*******";
/// Where there are more secrets, all is one.
const MOST: usize = 256;
/// A shorter text is a secret only when it is the whole of a string: it stands in too many others by chance.
const INSIDE: usize = 4;

/// All that is not an object, an array or `null` in the values of secure parameters.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<Secret>);

#[derive(Clone)]
struct Secret {
    value: Value,
    /// How it stands in a string.
    text: String,
}

impl Secrets {
    /// Adds what is in a value.
    pub(crate) fn add(&mut self, value: &Value) {
        let text = match value {
            Value::Null => return,
            Value::Array(elements) => return elements.iter().for_each(|element| self.add(element)),
            Value::Object(members) => return members.values().for_each(|member| self.add(member)),
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
        };
        if !text.is_empty() && !self.are_many() && self.0.iter().all(|known| known.value != *value) {
            self.0.push(Secret { value: value.clone(), text });
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds those of another scope.
    pub(crate) fn extend(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }

    /// Forgets those that were added last.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// A value with `*******` in the place of each string, number and boolean that is a secret, and of each string that
    /// has one of at least four characters in it. Names of members stay.
    pub(crate) fn masked(&self, value: Value, session: &Session) -> Result<Value, Fault> {
        if self.0.is_empty() {
            return Ok(value);
        }
        Ok(match value {
            Value::Null => Value::Null,
            Value::Array(elements) => {
                let elements = elements.into_iter().map(|element| self.masked(element, session));
                Value::Array(elements.collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, value)| Ok((name, self.masked(value, session)?)));
                Value::Object(members.collect::<Result<Map<_, _>, Fault>>()?)
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                if self.hide(&value, session)? {
                    MASK.into()
                } else {
                    value
                }
            }
        })
    }

    fn hide(&self, value: &Value, session: &Session) -> Result<bool, Fault> {
        if self.are_many() {
            return Ok(true);
        }
        session.searched(value.as_str().map_or(1, str::len).saturating_mul(self.0.len()))?;
        Ok(self.0.iter().any(|secret| secret.is(value)))
    }

    fn are_many(&self) -> bool {
        self.0.len() > MOST
    }
}

impl Secret {
    fn is(&self, value: &Value) -> bool {
        let Some(text) = value.as_str() else { return self.value == *value };
        // A boolean is a word of everybody's, and is written in two ways.
        let inside = self.text.len() >= INSIDE && !self.value.is_boolean();
        text.eq_ignore_ascii_case(&self.text) && self.value.is_boolean()
            || text == self.text
            || inside && text.contains(&self.text)
    }
}
