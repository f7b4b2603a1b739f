//! What is checked of every expression before any is evaluated, so that a mistake in a branch that isn't taken, or in
//! what waits for the state of resources, is found as well.

use crate::error::{Fault, TemplateError};
use crate::evaluate::{Scope, Values};
use crate::expression::{Expression, Form, Text, classify, each_call, parse};
use crate::functions;
use crate::nested::Apart;
use crate::node::{Data, Node};
use crate::session::Session;

/// Checks all strings and names of members: syntax, functions, numbers of arguments, parameters and variables that are
/// named by a literal. What is evaluated apart is left out.
pub(crate) fn check(node: &Node, apart: &Apart, scope: &Scope, session: &Session) -> Result<(), TemplateError> {
    if apart.contain(node) {
        return Ok(());
    }
    let text = |text: &str| {
        session.steps(1)?;
        match classify(text) {
            Text::Literal(_) => Ok(()),
            Text::Expression(source) => expression(&parse(source)?, scope, session),
        }
    };
    let placed = |fault: Fault| fault.into_error(node.place, str::to_owned);
    match &node.data {
        Data::Null | Data::Bool(_) | Data::Number(_) => Ok(()),
        Data::Text(value) => text(value).map_err(placed),
        Data::Array(elements) => elements.iter().try_for_each(|element| check(element, apart, scope, session)),
        Data::Object(members) => members.iter().try_for_each(|member| {
            text(&member.name).map_err(|fault| fault.into_error(member.place, str::to_owned))?;
            check(&member.value, apart, scope, session)
        }),
    }
}

fn expression(expression: &Expression, scope: &Scope, session: &Session) -> Result<(), Fault> {
    each_call(expression, &mut |_, name, arguments| {
        session.steps(1)?;
        functions::find(name, arguments.len())?;
        let [Expression { form: Form::Text(named), .. }] = arguments else { return Ok(()) };
        if name.eq_ignore_ascii_case("parameters") {
            defined(&scope.parameters, named, "parameter")
        } else if name.eq_ignore_ascii_case("variables") {
            defined(&scope.variables, named, "variable")
        } else {
            Ok(())
        }
    })
}

fn defined(values: &Values, name: &str, what: &str) -> Result<(), Fault> {
    match values.get(name) {
        Some(_) => Ok(()),
        None => Err(functions::not_found(name, what)),
    }
}
