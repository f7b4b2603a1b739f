//! `copy`: how often, and the elements that it makes. See Microsoft's "Resource iteration in ARM templates" and its
//! sisters on properties, variables and outputs.

use std::sync::Arc;

use serde_json::Value;

use crate::error::{Fault, Place};
use crate::evaluate::{Evaluator, Turn, all};
use crate::limits::COPIES;
use crate::node::{Member, Node};

/// `{name, count, input}`: a member that is an array.
pub(crate) struct PropertyCopy<'n> {
    pub(crate) name: &'n Node,
    count: &'n Node,
    input: &'n Node,
}

/// The copies of a member `copy` that holds an array of them; nothing of any other member.
pub(crate) fn property_copies(member: &Member) -> Option<Vec<PropertyCopy<'_>>> {
    if !member.name.eq_ignore_ascii_case("copy") {
        return None;
    }
    member.value.elements().filter(|elements| !elements.is_empty())?.iter().map(property_copy).collect()
}

fn property_copy(node: &Node) -> Option<PropertyCopy<'_>> {
    Some(PropertyCopy { name: node.get("name")?, count: node.get("count")?, input: node.get("input")? })
}

impl PropertyCopy<'_> {
    /// The member's name and its value.
    pub(crate) fn evaluate(&self, evaluator: &Evaluator<'_>) -> Result<(String, Value), Fault> {
        let Value::String(name) = evaluator.node(self.name)? else {
            return Err(Fault::invalid("The name of a copy is not a string.").at(self.name.place));
        };
        let value = elements(evaluator, &name, true, self.count, self.input)?;
        Ok((name, value))
    }
}

/// The elements that a copy makes of its input.
pub(crate) fn elements(
    evaluator: &Evaluator<'_>,
    name: &str,
    of_property: bool,
    count: &Node,
    input: &Node,
) -> Result<Value, Fault> {
    let name: Arc<str> = name.into();
    let turns = 0..self::count(evaluator, count)?;
    let turns =
        turns.map(|index| evaluator.with_turn(Turn { name: Arc::clone(&name), of_property, index }).node(input));
    Ok(Value::Array(all(turns)?))
}

/// How many turns a copy has.
pub(crate) fn count(evaluator: &Evaluator<'_>, node: &Node) -> Result<usize, Fault> {
    let value = evaluator.node(node)?;
    let count = value.as_u64().and_then(|count| usize::try_from(count).ok()).filter(|count| *count <= COPIES);
    count.ok_or_else(|| {
        let Place { line, column } = node.place;
        let what = format!(
            "The template 'copy' definition at line '{line}' and column '{column}' has an invalid copy count. The value \
             must be a positive integer value or 0 and cannot exceed '{COPIES}'. Please see https://aka.ms/arm-copy for \
             usage details."
        );
        Fault::Invalid(what, Some(node.place))
    })
}
