//! A JSON value that knows where it stands.

use serde_json::{Map, Number, Value};

use crate::error::Place;

/// A value as it was read, before any expression in it is evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub data: Data,
}

/// What a [`Node`] is.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string, with its escapes resolved.
    Text(String),
    /// An array.
    Array(Vec<Node>),
    /// An object. When a name is given twice, the last one stands, in the place of the first.
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where its name begins.
    pub place: Place,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// A value that was not read from a text, and has no place.
    pub fn from_value(value: &Value) -> Self {
        let data = match value {
            Value::Null => Data::Null,
            Value::Bool(value) => Data::Bool(*value),
            Value::Number(number) => Data::Number(number.clone()),
            Value::String(text) => Data::Text(text.clone()),
            Value::Array(elements) => Data::Array(elements.iter().map(Self::from_value).collect()),
            Value::Object(members) => {
                let member = |(name, value): (&String, &Value)| Member {
                    name: name.clone(),
                    place: Place::default(),
                    value: Self::from_value(value),
                };
                Data::Object(members.iter().map(member).collect())
            }
        };
        Self { place: Place::default(), data }
    }

    /// The plain value, places left out and expressions as they are.
    pub fn to_value(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(value) => Value::Bool(*value),
            Data::Number(number) => Value::Number(number.clone()),
            Data::Text(text) => Value::String(text.clone()),
            Data::Array(elements) => Value::Array(elements.iter().map(Self::to_value).collect()),
            Data::Object(members) => {
                let pairs = members.iter().map(|member| (member.name.clone(), member.value.to_value()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }

    /// The member of that name, ASCII case ignored as everywhere in templates; none in anything but an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|member| member.name.eq_ignore_ascii_case(name)).map(|member| &member.value)
    }

    /// The same, with `null` as if it were not there.
    pub(crate) fn given(&self, name: &str) -> Option<&Self> {
        self.get(name).filter(|node| !matches!(node.data, Data::Null))
    }

    /// The members of an object; none of anything else.
    pub fn members(&self) -> &[Member] {
        match &self.data {
            Data::Object(members) => members,
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) | Data::Array(_) => &[],
        }
    }

    /// The elements of an array; nothing when it is something else.
    pub fn elements(&self) -> Option<&[Self]> {
        match &self.data {
            Data::Array(elements) => Some(elements),
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) | Data::Object(_) => None,
        }
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::Array(_) | Data::Object(_) => None,
        }
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self.data, Data::Object(_))
    }

    /// Takes a member out of an object.
    pub(crate) fn take(&mut self, name: &str) -> Option<Self> {
        let Data::Object(members) = &mut self.data else { return None };
        let at = members.iter().position(|member| member.name.eq_ignore_ascii_case(name))?;
        Some(members.remove(at).value)
    }
}
