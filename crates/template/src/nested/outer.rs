//! The template of a nested deployment that is evaluated with its parent.

use serde_json::{Map, Value};

use super::Apart;
use crate::error::Fault;
use crate::evaluate::{Evaluator, all};
use crate::expression::{Expression, Form, Text, classify, each_call, escape, parse, print};
use crate::node::{Data, Member, Node};

/// Evaluates a template with what its parent knows; what it becomes is literal.
pub(super) struct Outer<'a, 's> {
    evaluator: &'a Evaluator<'s>,
    /// What stays as it is.
    apart: &'a Apart,
}

impl<'a, 's> Outer<'a, 's> {
    pub(super) fn new(evaluator: &'a Evaluator<'s>, apart: &'a Apart) -> Self {
        Self { evaluator, apart }
    }

    /// Evaluates a part. What is below a copy of its own can't be evaluated before the copy has its turns.
    pub(super) fn node(&self, node: &Node) -> Result<Value, Fault> {
        if self.apart.contain(node) {
            return self.as_it_is(node);
        }
        match &node.data {
            Data::Array(elements) => Ok(Value::Array(all(elements.iter().map(|element| self.node(element)))?)),
            Data::Object(_) if node.given("copy").is_some_and(Node::is_object) => {
                self.below_copy(node, &mut Vec::new())
            }
            Data::Object(members) if !members.iter().any(|member| member.name.eq_ignore_ascii_case("copy")) => {
                let members = members.iter().map(|member| {
                    let (name, value) = (self.name(member), self.node(&member.value));
                    Ok((name?, value?))
                });
                Ok(Value::Object(all(members)?.into_iter().collect()))
            }
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) | Data::Object(_) => {
                Ok(literal(self.evaluator.node(node)?))
            }
        }
    }

    fn as_it_is(&self, node: &Node) -> Result<Value, Fault> {
        let value = node.to_value();
        self.evaluator.session.value(&value)?;
        Ok(value)
    }

    /// A name of a member, evaluated and literal.
    fn name(&self, member: &Member) -> Result<String, Fault> {
        match self.evaluator.text(&member.name).map_err(|fault| fault.at(member.place))? {
            Value::String(name) => Ok(escape(&name)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Err(Fault::invalid("The name of a member is not a string.").at(member.place))
            }
        }
    }

    /// Leaves what names the turn of a copy of the template's own for later, with the values of the parent's parameters
    /// and variables in it. `copies` are the names of the copies around.
    fn below_copy(&self, node: &Node, copies: &mut Vec<String>) -> Result<Value, Fault> {
        self.evaluator.session.steps(1)?;
        if self.apart.contain(node) {
            return self.as_it_is(node);
        }
        match &node.data {
            Data::Array(elements) => {
                let elements = elements.iter().map(|element| self.below_copy(element, copies));
                Ok(Value::Array(all(elements)?))
            }
            Data::Object(members) => {
                let around = copies.len();
                let copy = node.get("copy");
                let named = copy.and_then(Node::elements).unwrap_or_default().iter().chain(copy);
                copies.extend(named.filter_map(|copy| Some(copy.get("name")?.text()?.to_owned())));
                let members = members.iter().map(|member| {
                    let (name, value) = (self.name(member), self.below_copy(&member.value, copies));
                    Ok((name?, value?))
                });
                let members = all(members);
                copies.truncate(around);
                Ok(Value::Object(members?.into_iter().collect()))
            }
            Data::Text(value) => match classify(value) {
                Text::Expression(source) => self.waiting(source, copies).map_err(|fault| fault.at(node.place)),
                Text::Literal(_) => Ok(Value::String(value.clone())),
            },
            Data::Null | Data::Bool(_) | Data::Number(_) => self.evaluator.node(node),
        }
    }

    fn waiting(&self, source: &str, copies: &[String]) -> Result<Value, Fault> {
        let session = self.evaluator.session;
        session.bytes(source.len())?;
        let expression = parse(source)?;
        let mut waits = false;
        each_call(&expression, &mut |_, name, arguments| {
            session.steps(copies.len())?;
            waits |= is_copy_index(name) && !self.is_of_parent(arguments, copies);
            Ok::<_, Fault>(())
        })?;
        if !waits {
            return Ok(literal(self.evaluator.expression(&expression)?.into_owned()));
        }
        let known = |part: &Expression| {
            let Form::Call { name, arguments } = &part.form else { return Ok(None) };
            let named = ["parameters", "variables"].iter().any(|known| known.eq_ignore_ascii_case(name));
            let turn = is_copy_index(name) && self.is_of_parent(arguments, copies);
            if !(named || turn) {
                return Ok(None);
            }
            let value = self.evaluator.expression(part)?;
            session.value(&value)?;
            Ok(Some(value.into_owned()))
        };
        Ok(Value::String(format!("[{}]", print(&expression, &known)?)))
    }

    /// Whether the arguments of a `copyIndex` name a copy of the parent, and none of the template's own.
    fn is_of_parent(&self, arguments: &[Expression], copies: &[String]) -> bool {
        let Some(Expression { form: Form::Text(name), .. }) = arguments.first() else { return false };
        let own = copies.iter().any(|copy| copy.eq_ignore_ascii_case(name));
        !own && self.evaluator.turns.iter().any(|turn| turn.name.eq_ignore_ascii_case(name))
    }
}

fn is_copy_index(name: &str) -> bool {
    name.eq_ignore_ascii_case("copyIndex")
}

/// Escapes every text, so that evaluating it again changes nothing.
fn literal(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(escape(&text)),
        Value::Array(elements) => Value::Array(elements.into_iter().map(literal).collect()),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (escape(&name), literal(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}
