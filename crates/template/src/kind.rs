//! The types of parameters and outputs.

use serde_json::Value;

use crate::node::Node;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    SecureString,
    Int,
    Bool,
    Object,
    SecureObject,
    Array,
}

const KINDS: [Kind; 7] =
    [Kind::String, Kind::SecureString, Kind::Int, Kind::Bool, Kind::Object, Kind::SecureObject, Kind::Array];

impl Kind {
    /// The member `type` of a definition.
    pub(crate) fn of(definition: &Node) -> Option<Self> {
        let name = definition.get("type")?.text()?;
        KINDS.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(name))
    }

    /// As answers spell it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::SecureString => "secureString",
            Self::Int => "int",
            Self::Bool => "bool",
            Self::Object => "object",
            Self::SecureObject => "secureObject",
            Self::Array => "array",
        }
    }

    pub(crate) fn is_secure(self) -> bool {
        matches!(self, Self::SecureString | Self::SecureObject)
    }

    pub(crate) fn fits(self, value: &Value) -> bool {
        match self {
            Self::String | Self::SecureString => value.is_string(),
            Self::Int => value.is_i64(),
            Self::Bool => value.is_boolean(),
            Self::Object | Self::SecureObject => value.is_object(),
            Self::Array => value.is_array(),
        }
    }

    /// `Expected '…'. Actual '…'.`, in the names of the library that Azure reads JSON with.
    pub(crate) fn mismatch(self, value: &Value) -> String {
        let expected = match self {
            Self::String | Self::SecureString => "String, Uri",
            Self::Int => "Integer",
            Self::Bool => "Boolean",
            Self::Object | Self::SecureObject => "Object",
            Self::Array => "Array",
        };
        let actual = match value {
            Value::Null => "Null",
            Value::Bool(_) => "Boolean",
            Value::Number(number) if number.is_f64() => "Float",
            Value::Number(_) => "Integer",
            Value::String(_) => "String",
            Value::Array(_) => "Array",
            Value::Object(_) => "Object",
        };
        format!("JTokenType is not valid. Expected '{expected}'. Actual '{actual}'.")
    }
}
