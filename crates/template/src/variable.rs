//! The variables of a template.

use serde_json::Value;

use crate::check::check;
use crate::copy::{PropertyCopy, property_copies};
use crate::error::{Fault, Place, TemplateError};
use crate::evaluate::{Evaluator, Scope};
use crate::limits::VARIABLES;
use crate::nested::Apart;
use crate::node::Node;
use crate::session::Session;
use crate::settle::settle;

struct Variable<'n> {
    name: &'n str,
    place: Place,
    value: Source<'n>,
}

enum Source<'n> {
    Plain(&'n Node),
    Copy(PropertyCopy<'n>),
}

/// Evaluates the variables into the scope.
pub(crate) fn evaluate(template: &Node, scope: &mut Scope, session: &Session) -> Result<(), TemplateError> {
    let Some(section) = template.given("variables") else { return Ok(()) };
    let variables = variables(section);
    if variables.len() > VARIABLES {
        return Err(TemplateError::too_many("variables", VARIABLES, section));
    }
    for variable in &variables {
        scope.variables.define(variable.name);
    }
    check(section, &Apart::default(), scope, session)?;
    settle(
        &variables,
        scope,
        |variable| variable.name,
        |scope, variable| value(scope, variable, session),
        |scope, variable, value| scope.variables.set(variable.name, value),
    )
}

fn variables(section: &Node) -> Vec<Variable<'_>> {
    let mut variables = Vec::new();
    for member in section.members() {
        match property_copies(member) {
            Some(copies) => variables.extend(copies.into_iter().map(|copy| Variable {
                name: copy.name.text().unwrap_or_default(),
                place: copy.name.place,
                value: Source::Copy(copy),
            })),
            None => {
                let (name, value) = (&member.name, Source::Plain(&member.value));
                variables.push(Variable { name, place: member.place, value });
            }
        }
    }
    variables
}

fn value(scope: &Scope, variable: &Variable<'_>, session: &Session) -> Result<Value, Fault> {
    let evaluator = Evaluator::planning(scope, session);
    let value = match &variable.value {
        Source::Plain(node) => evaluator.node(node),
        Source::Copy(copy) => copy.evaluate(&evaluator).map(|(_, value)| value),
    };
    match value {
        Err(Fault::Invalid(what, place)) => {
            let what = format!("The template variable '{}' is not valid: {what}", variable.name);
            Err(Fault::Invalid(what, Some(place.unwrap_or(variable.place))))
        }
        Err(Fault::NeedsRuntime) => {
            let what = format!(
                "The template variable '{}' is not valid: The template function 'reference' is not expected at this \
                 location. Please see https://aka.ms/arm-functions for usage details.",
                variable.name
            );
            Err(Fault::Invalid(what, Some(variable.place)))
        }
        Ok(_) | Err(Fault::Missing(_) | Fault::Pending(_)) => value,
    }
}
