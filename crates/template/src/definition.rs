//! Types of parameters and outputs: one of the kinds, or a reference to one of the section `definitions`. See Microsoft's
//! "Type definitions in ARM templates"; the templates that Bicep makes of types of its own have them.

use serde_json::{Map, Value};

use crate::error::Fault;
use crate::expression::{Text, classify};
use crate::kind::Kind;
use crate::members::join;
use crate::node::{Data, Node};
use crate::secret::Secrets;
use crate::session::Session;
use crate::text;

/// A type.
#[derive(Clone, Debug)]
pub(crate) struct Definition<'n> {
    pub(crate) kind: Kind,
    /// As it is written where it is used, then what that refers to, and so on: the first that says something holds.
    written: Vec<&'n Node>,
    scope: Definitions<'n>,
}

/// Where types are used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Definitions<'n> {
    /// The section `definitions`.
    pub(crate) all: Option<&'n Node>,
    /// What has them: `parameter` or `output`.
    pub(crate) of: &'static str,
}

/// Why a value is not of a type, and where in it; without the value, which may be a secret.
type Mismatch = Option<String>;

impl<'n> Definition<'n> {
    /// The type that is written somewhere; nothing when it has no kind, or one that is not known.
    pub(crate) fn of(node: &'n Node, scope: Definitions<'n>) -> Option<Self> {
        const LONGEST: usize = 32;
        let mut written = vec![node];
        while let Some(reference) = written.last()?.given("$ref") {
            let name = reference.text()?.strip_prefix("#/definitions/")?;
            written.push(scope.all?.get(name).filter(|_| written.len() < LONGEST)?);
        }
        let kind = written.iter().find_map(|node| Kind::of(node))?;
        Some(Self { kind, written, scope })
    }

    fn get(&self, name: &str) -> Option<&'n Node> {
        self.written.iter().find_map(|node| node.given(name))
    }

    pub(crate) fn is_nullable(&self) -> bool {
        self.get("nullable").is_some_and(|node| matches!(node.data, Data::Bool(true)))
    }

    /// What a value breaks of the type.
    pub(crate) fn mismatch(&self, value: &Value, session: &Session) -> Result<Mismatch, Fault> {
        self.mismatch_at("", value, session)
    }

    fn mismatch_at(&self, path: &str, value: &Value, session: &Session) -> Result<Mismatch, Fault> {
        session.steps(1)?;
        if value.is_null() && self.is_nullable() {
            return Ok(None);
        }
        let at = |why: String| if path.is_empty() { why } else { format!("{why} Path '{path}'.") };
        if !self.kind.fits(value) {
            let page = match self.scope.of {
                "parameter" => " Please see https://aka.ms/arm-create-parameter-file for usage details.",
                _ => "",
            };
            let why = at(format!("Template {} {}", self.scope.of, self.kind.mismatch(value)));
            return Ok(Some(why + page));
        }
        if let Some(why) = self.bounds(value, session)? {
            return Ok(Some(at(why)));
        }
        match value {
            Value::Object(members) => self.members(path, members, session),
            Value::Array(elements) => self.elements(path, elements, session),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(None),
        }
    }

    /// What it breaks of `allowedValues`, `minValue`, `maxValue`, `minLength` and `maxLength`.
    fn bounds(&self, value: &Value, session: &Session) -> Result<Mismatch, Fault> {
        if let Some(allowed) = self.get("allowedValues").and_then(Node::elements) {
            let allowed: Vec<_> = allowed.iter().map(|allowed| unescaped(allowed.to_value())).collect();
            session.steps(allowed.len().saturating_mul(1 + value.as_array().map_or(0, Vec::len)))?;
            let each =
                value.as_array().is_some_and(|elements| elements.iter().all(|element| allowed.contains(element)));
            if !allowed.contains(value) && !each {
                let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let allowed = allowed.iter().map(text).collect::<Vec<_>>().join(",");
                let why = format!("The parameter value is not part of the allowed value(s): '{allowed}'.");
                return Ok(Some(why));
            }
        }
        let bound = |name: &str| self.get(name).and_then(|node| node.to_value().as_i64());
        let length = match value {
            Value::String(text) => Some(text::length(text)),
            Value::Array(elements) => Some(elements.len()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
        };
        let length = length.and_then(|length| i64::try_from(length).ok());
        for (measure, subject, least, most) in [
            (value.as_i64(), "The value", "minValue", "maxValue"),
            (length, "Length of the value", "minLength", "maxLength"),
        ] {
            let Some(measure) = measure else { continue };
            if let Some(least) = bound(least).filter(|least| measure < *least) {
                return Ok(Some(format!("{subject} should be greater than or equal to '{least}'.")));
            }
            if let Some(most) = bound(most).filter(|most| measure > *most) {
                return Ok(Some(format!("{subject} should be less than or equal to '{most}'.")));
            }
        }
        Ok(None)
    }

    /// `properties`, `additionalProperties` and `discriminator`.
    fn members(&self, path: &str, members: &Map<String, Value>, session: &Session) -> Result<Mismatch, Fault> {
        let known = self.get("properties").map(Node::members).unwrap_or_default();
        for property in known {
            session.steps(members.len())?;
            let path = join(path, &property.name);
            let definition = self.inner(&property.value, &path)?;
            let found = members.iter().find(|(name, _)| name.eq_ignore_ascii_case(&property.name));
            let why = match found {
                Some((_, value)) => definition.mismatch_at(&path, value, session)?,
                None if definition.is_nullable() => None,
                None => Some(format!("The property is missing. Path '{path}'.")),
            };
            if why.is_some() {
                return Ok(why);
            }
        }
        if self.get("discriminator").is_some() {
            return match self.variant(members) {
                Ok(variant) => variant.members(path, members, session),
                Err(name) => {
                    let path = join(path, name);
                    Ok(Some(format!("The value names none of the types that there are. Path '{path}'.")))
                }
            };
        }
        let Some(others) = self.get("additionalProperties") else { return Ok(None) };
        session.steps(members.len().saturating_mul(known.len()))?;
        for (name, value) in members {
            if known.iter().any(|property| property.name.eq_ignore_ascii_case(name)) {
                continue;
            }
            let path = join(path, name);
            let why = match others.data {
                Data::Bool(true) => None,
                Data::Bool(false) => Some(format!("The property is not one of the type. Path '{path}'.")),
                Data::Null | Data::Number(_) | Data::Text(_) | Data::Array(_) | Data::Object(_) => {
                    self.inner(others, &path)?.mismatch_at(&path, value, session)?
                }
            };
            if why.is_some() {
                return Ok(why);
            }
        }
        Ok(None)
    }

    /// The type that a member of the value chooses, or the name of that member. A type that is chosen can't leave the choice
    /// to a member again.
    fn variant(&self, members: &Map<String, Value>) -> Result<Self, &'n str> {
        let discriminator = self.get("discriminator");
        let name = discriminator.and_then(|node| node.given("propertyName")?.text()).unwrap_or_default();
        let chosen = members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let chosen = chosen.and_then(|(_, value)| discriminator?.given("mapping")?.get(value.as_str()?));
        let variant = chosen.and_then(|variant| Self::of(variant, self.scope));
        variant.filter(|variant| variant.get("discriminator").is_none()).ok_or(name)
    }

    /// `prefixItems` and `items`.
    fn elements(&self, path: &str, elements: &[Value], session: &Session) -> Result<Mismatch, Fault> {
        let first = self.get("prefixItems").and_then(Node::elements).unwrap_or_default();
        let rest = self.get("items");
        for (at, value) in elements.iter().enumerate() {
            let path = format!("{path}[{at}]");
            let why = match (first.get(at), rest) {
                (Some(definition), _) => self.inner(definition, &path)?.mismatch_at(&path, value, session)?,
                (None, Some(Node { data: Data::Bool(false), .. })) => {
                    Some(format!("The element is not one of the type. Path '{path}'."))
                }
                (None, Some(Node { data: Data::Bool(true), .. }) | None) => None,
                (None, Some(definition)) => self.inner(definition, &path)?.mismatch_at(&path, value, session)?,
            };
            if why.is_some() {
                return Ok(why);
            }
        }
        let missing = elements.len() < first.len();
        Ok(missing.then(|| format!("There should be {} elements. Path '{path}'.", first.len())))
    }

    fn inner(&self, node: &'n Node, path: &str) -> Result<Self, Fault> {
        Self::of(node, self.scope).ok_or_else(|| {
            Fault::invalid(format!("The type of '{path}' is none, or one that is not valid.")).at(node.place)
        })
    }

    /// Adds all that is secret in a value of the type; whether anything is.
    pub(crate) fn secrets(&self, value: &Value, into: &mut Secrets) -> bool {
        if self.kind.is_secure() {
            into.add(value);
            return true;
        }
        let mut found = false;
        match value {
            Value::Object(members) => {
                let properties = self.get("properties").map(Node::members).unwrap_or_default();
                let others = self.get("additionalProperties").filter(|others| others.is_object());
                for (name, value) in members {
                    let property = properties.iter().find(|property| property.name.eq_ignore_ascii_case(name));
                    let definition = property.map(|property| &property.value).or(others);
                    let definition = definition.and_then(|definition| Self::of(definition, self.scope));
                    found |= definition.is_some_and(|definition| definition.secrets(value, into));
                }
                if self.get("discriminator").is_some() {
                    found |= self.variant(members).is_ok_and(|variant| variant.secrets(value, into));
                }
            }
            Value::Array(elements) => {
                let first = self.get("prefixItems").and_then(Node::elements).unwrap_or_default();
                for (at, value) in elements.iter().enumerate() {
                    let definition = first.get(at).or(self.get("items").filter(|items| items.is_object()));
                    let definition = definition.and_then(|definition| Self::of(definition, self.scope));
                    found |= definition.is_some_and(|definition| definition.secrets(value, into));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        found
    }
}

/// A value as it is written, with `[[` for a `[`; nothing in it is an expression.
fn unescaped(value: Value) -> Value {
    let text = |text: String| match classify(&text) {
        Text::Literal(literal) if literal.len() < text.len() => literal.to_owned(),
        Text::Literal(_) | Text::Expression(_) => text,
    };
    match value {
        Value::String(written) => Value::String(text(written)),
        Value::Array(elements) => elements.into_iter().map(unescaped).collect(),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (text(name), unescaped(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}
