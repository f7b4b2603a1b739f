//! The account of one planning or one evaluation: what it has used, and what it has asked for.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::Fault;
use crate::limits::{DEPTH, EVALUATED_BYTES, EVALUATION_DEPTH, STEPS, STRING_BYTES};

/// Bytes that a value costs beside its text.
const VALUE: usize = 32;
/// Steps that it costs to ask for the state of a resource.
const READ: usize = 100;
/// Bytes of a text that are searched in a step.
const SEARCHED: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct Session {
    steps: Cell<u64>,
    bytes: Cell<u64>,
    depth: Cell<usize>,
    references: RefCell<BTreeSet<String>>,
}

impl Session {
    /// Counts some steps.
    pub(crate) fn steps(&self, count: usize) -> Result<(), Fault> {
        let used = self.steps.get().saturating_add(count as u64);
        self.steps.set(used);
        if used > STEPS {
            return Err(Fault::invalid(format!("The template takes more than {STEPS} steps to evaluate.")));
        }
        Ok(())
    }

    /// Evaluates something within what is being evaluated.
    pub(crate) fn deeper<T>(&self, evaluate: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        let depth = self.depth.get();
        if depth >= EVALUATION_DEPTH {
            return Err(Fault::invalid(format!("What is evaluated is nested deeper than {EVALUATION_DEPTH}.")));
        }
        self.depth.set(depth + 1);
        let result = evaluate();
        self.depth.set(depth);
        result
    }

    /// Counts asking for the state of a resource.
    pub(crate) fn read(&self) -> Result<(), Fault> {
        self.steps(READ)
    }

    /// Counts looking through some bytes of a text.
    pub(crate) fn searched(&self, bytes: usize) -> Result<(), Fault> {
        self.steps(1 + bytes / SEARCHED)
    }

    /// Counts bytes before they are made.
    pub(crate) fn bytes(&self, count: usize) -> Result<(), Fault> {
        let used = self.bytes.get().saturating_add(count as u64);
        self.bytes.set(used);
        if used > EVALUATED_BYTES {
            return Err(Fault::invalid(format!("The template evaluates to more than {EVALUATED_BYTES} bytes.")));
        }
        Ok(())
    }

    /// Counts a value that is shown. It may be one that is there, however deep.
    pub(crate) fn shown(&self, value: &Value) -> Result<(), Fault> {
        self.bytes(VALUE)?;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
            Value::String(text) => self.bytes(text.len()),
            Value::Array(elements) => elements.iter().try_for_each(|element| self.shown(element)),
            Value::Object(members) => members.iter().try_for_each(|(name, member)| {
                self.bytes(name.len())?;
                self.shown(member)
            }),
        }
    }

    /// Counts a value that is made or copied.
    pub(crate) fn value(&self, value: &Value) -> Result<(), Fault> {
        self.nested(value, 1)
    }

    fn nested(&self, value: &Value, depth: usize) -> Result<(), Fault> {
        if depth > DEPTH {
            return Err(Fault::invalid(format!("A value is nested deeper than {DEPTH}.")));
        }
        self.bytes(VALUE)?;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
            Value::String(text) => self.text(text),
            Value::Array(elements) => elements.iter().try_for_each(|element| self.nested(element, depth + 1)),
            Value::Object(members) => members.iter().try_for_each(|(name, member)| {
                self.text(name)?;
                self.nested(member, depth + 1)
            }),
        }
    }

    fn text(&self, text: &str) -> Result<(), Fault> {
        self.bytes(text.len())?;
        text_fits(text.len())
    }

    /// Remembers that a resource was referred to.
    pub(crate) fn refer(&self, id: &str) {
        self.references.borrow_mut().insert(id.to_ascii_lowercase());
    }

    /// The ids, in lower case, that were referred to since the last time.
    pub(crate) fn take_references(&self) -> BTreeSet<String> {
        self.references.take()
    }
}

/// Refuses a string that would be too long.
pub(crate) fn text_fits(length: usize) -> Result<(), Fault> {
    if length > STRING_BYTES {
        return Err(Fault::invalid(format!("A string is longer than {STRING_BYTES} bytes.")));
    }
    Ok(())
}

/// A string that grows only as far as strings may.
#[derive(Default)]
pub(crate) struct Growing(String);

impl Growing {
    pub(crate) fn push(&mut self, text: &str) -> Result<(), Fault> {
        text_fits(self.0.len().saturating_add(text.len()))?;
        self.0.push_str(text);
        Ok(())
    }

    pub(crate) fn finish(self) -> Value {
        Value::String(self.0)
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}
