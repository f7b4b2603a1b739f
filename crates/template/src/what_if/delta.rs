//! How two states of a resource differ.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::error::Fault;
use crate::members::join;
use crate::secret::Secrets;
use crate::session::Session;

/// How a property changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyChangeType {
    /// It isn't there, and will be.
    Create,
    /// It is there, and won't be.
    Delete,
    /// It will be another.
    Modify,
    /// It is an array of which elements change; they are its children, with their positions as paths.
    Array,
    /// It is written without effect. Never given here: what has no effect is not compared.
    NoEffect,
}

impl PropertyChangeType {
    /// As Azure spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Delete => "Delete",
            Self::Modify => "Modify",
            Self::Array => "Array",
            Self::NoEffect => "NoEffect",
        }
    }
}

/// A change of a property.
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyChange {
    /// Names joined by dots; of an element its position.
    pub path: String,
    /// How it changes.
    pub change_type: PropertyChangeType,
    /// Its value as it is.
    pub before: Option<Value>,
    /// Its value as it will be.
    pub after: Option<Value>,
    /// The changes inside of an array, or of an object in an array.
    pub children: Vec<PropertyChange>,
}

impl PropertyChange {
    /// The change without secrets.
    pub(super) fn masked(self, secrets: &Secrets, session: &Session) -> Result<Self, Fault> {
        let mask = |state: Option<Value>| state.map(|state| secrets.masked(state, session)).transpose();
        let children = self.children.into_iter().map(|child| child.masked(secrets, session));
        let (children, before, after) = (children.collect::<Result<_, _>>()?, mask(self.before)?, mask(self.after)?);
        Ok(Self { before, after, children, ..self })
    }

    /// The change as an element of `delta`.
    pub fn to_value(&self) -> Value {
        let mut change = Map::new();
        change.insert("path".to_owned(), self.path.as_str().into());
        change.insert("propertyChangeType".to_owned(), self.change_type.as_str().into());
        let states = [("before", &self.before), ("after", &self.after)];
        change.extend(states.into_iter().filter_map(|(name, state)| Some((name.to_owned(), state.clone()?))));
        if !self.children.is_empty() {
            change.insert("children".to_owned(), self.children.iter().map(Self::to_value).collect());
        }
        Value::Object(change)
    }
}

/// Members that name a resource, or that are resources of their own.
const NAMING: [&str; 5] = ["id", "name", "type", "apiVersion", "resources"];

/// How a resource that is there differs from a body. A body without `identity` leaves the identity as it is.
pub(super) fn of_resources(before: &Value, after: &Value, session: &Session) -> Result<Vec<PropertyChange>, Fault> {
    let mut before = before.clone();
    if let Some(members) = before.as_object_mut() {
        members.retain(|name, _| {
            let kept = name == "identity" && after.get("identity").is_none();
            !kept && !NAMING.iter().any(|naming| naming.eq_ignore_ascii_case(name))
        });
    }
    let mut changes = Changes { session, found: Vec::new() };
    changes.values("", &before, after)?;
    Ok(changes.found)
}

/// The changes at one level.
struct Changes<'s> {
    session: &'s Session,
    found: Vec<PropertyChange>,
}

impl Changes<'_> {
    /// Each array tells all that is in it, and so do those around it.
    fn add(
        &mut self,
        path: String,
        change_type: PropertyChangeType,
        before: Option<&Value>,
        after: Option<&Value>,
        children: Vec<PropertyChange>,
    ) -> Result<(), Fault> {
        before.into_iter().chain(after).try_for_each(|state| self.session.shown(state))?;
        let (before, after) = (before.cloned(), after.cloned());
        self.found.push(PropertyChange { path, change_type, before, after, children });
        Ok(())
    }

    fn values(&mut self, path: &str, before: &Value, after: &Value) -> Result<(), Fault> {
        self.session.steps(1)?;
        match (before, after) {
            (Value::Object(before), Value::Object(after)) => self.objects(path, before, after),
            (Value::Array(before_elements), Value::Array(after_elements)) => {
                let children = elements(path, before_elements, after_elements, self.session)?;
                if children.is_empty() {
                    return Ok(());
                }
                self.add(path.to_owned(), PropertyChangeType::Array, Some(before), Some(after), children)
            }
            (before, after) if same(path, before, after) => Ok(()),
            (before, after) => {
                self.add(path.to_owned(), PropertyChangeType::Modify, Some(before), Some(after), Vec::new())
            }
        }
    }

    fn objects(&mut self, path: &str, before: &Map<String, Value>, after: &Map<String, Value>) -> Result<(), Fault> {
        // Names are matched without regard to case: the ids in a map of identities come in any.
        let known: HashSet<String> = before.keys().map(|name| name.to_ascii_lowercase()).collect();
        let new: HashMap<String, &Value> =
            after.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        for (name, old) in before {
            match after.get(name).or_else(|| new.get(&name.to_ascii_lowercase()).copied()) {
                Some(new) => self.values(&join(path, name), old, new)?,
                // What is empty is as if it were not there.
                None if old.as_object().is_some_and(Map::is_empty) => {}
                None => self.add(join(path, name), PropertyChangeType::Delete, Some(old), None, Vec::new())?,
            }
        }
        for (name, new) in after.iter().filter(|(name, _)| !known.contains(&name.to_ascii_lowercase())) {
            self.add(join(path, name), PropertyChangeType::Create, None, Some(new), Vec::new())?;
        }
        Ok(())
    }
}

fn elements(path: &str, before: &[Value], after: &[Value], session: &Session) -> Result<Vec<PropertyChange>, Fault> {
    let mut changes = Changes { session, found: Vec::new() };
    for at in 0..before.len().max(after.len()) {
        let (name, old, new) = (at.to_string(), before.get(at), after.get(at));
        match (old, new) {
            (Some(old), Some(new)) => {
                let mut inside = Changes { session, found: Vec::new() };
                inside.values(path, old, new)?;
                let mut children = inside.found;
                if children.is_empty() {
                    continue;
                }
                // Paths inside of an element begin at the element.
                for child in &mut children {
                    let inner = child.path.strip_prefix(path).unwrap_or(&child.path);
                    child.path = inner.trim_start_matches('.').to_owned();
                }
                // A plain element has nothing inside.
                children.retain(|child| !child.path.is_empty());
                changes.add(name, PropertyChangeType::Modify, Some(old), Some(new), children)?;
            }
            (Some(old), None) => changes.add(name, PropertyChangeType::Delete, Some(old), None, Vec::new())?,
            (None, new) => changes.add(name, PropertyChangeType::Create, None, new, Vec::new())?,
        }
    }
    Ok(changes.found)
}

/// Whether two plain values mean the same: ids in any case; locations and kinds of identity without blanks too.
fn same(path: &str, before: &Value, after: &Value) -> bool {
    let (Value::String(one), Value::String(other)) = (before, after) else { return before == after };
    let loose = matches!(path, "location" | "identity.type");
    let id = one.starts_with('/') && other.starts_with('/');
    one == other || (id && one.eq_ignore_ascii_case(other)) || (loose && tight(one) == tight(other))
}

fn tight(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect::<String>().to_ascii_lowercase()
}
