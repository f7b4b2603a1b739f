//! Ids in bodies become expressions.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::names::{Exportable, Names, is_in_group};
use crate::expression::{escape, quoted};
use crate::resource_id::member;

/// Longest text that is looked at as an id, in bytes and in segments.
const LONGEST_ID: usize = 2_048;
const MOST_SEGMENTS: usize = 64;

/// Rewrites one resource, and notes which others it refers to.
pub(super) struct Rewriter<'n, 'o> {
    names: &'n mut Names<'o>,
    pub(super) before: BTreeSet<usize>,
}

impl<'n, 'o> Rewriter<'n, 'o> {
    pub(super) fn new(names: &'n mut Names<'o>) -> Self {
        Self { names, before: BTreeSet::new() }
    }

    /// The `scope` of an extension resource, none of what is in the group itself. What it extends and its parent are
    /// there before it.
    pub(super) fn scope(&mut self, resource: &Exportable<'_>) -> Option<String> {
        if resource.name.contains('/') {
            let parent = resource.id.rsplitn(3, '/').nth(2);
            self.before.extend(parent.and_then(|parent| self.names.position(parent)));
        }
        (!is_in_group(resource.scope)).then(|| self.text(resource.scope))
    }

    pub(super) fn value(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(elements) => elements.into_iter().map(|element| self.value(element)).collect(),
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, value)| (self.text(&name), self.value(value)));
                Value::Object(members.collect::<Map<_, _>>())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }

    /// A string: the id of an exported resource, with what may follow it; the id of another one; anything else.
    fn text(&mut self, text: &str) -> String {
        if text.len() > LONGEST_ID || !text.starts_with('/') {
            return escape(text);
        }
        if text.split('/').nth(MOST_SEGMENTS).is_some() {
            return escape(text);
        }
        let ends = text.match_indices('/').map(|(at, _)| at).skip(1).chain([text.len()]);
        let mut parts: Vec<_> = ends.filter_map(|end| text.split_at_checked(end)).collect();
        while let Some((id, rest)) = parts.pop() {
            let Some(at) = self.names.position(id) else { continue };
            self.before.insert(at);
            let Some(call) = self.names.call_of(at) else { continue };
            return if rest.is_empty() { format!("[{call}]") } else { format!("[concat({call}, {})]", quoted(rest)) };
        }
        let other = member(text, "resourceGroups").and_then(|_| self.names.other(text));
        other.unwrap_or_else(|| escape(text))
    }
}
