//! What is checked of every expression before any is evaluated, so that a mistake in a branch that isn't taken, or in
//! what waits for the state of resources, is found as well.

use crate::error::{Fault, TemplateError};
use crate::evaluate::Scope;
use crate::expression::{Expression, Form, Text, classify, each_call, parse};
use crate::functions;
use crate::limits::PARAMETERS;
use crate::nested::Apart;
use crate::node::{Data, Node};
use crate::session::Session;
use crate::user_function::UserFunction;

/// Checks all strings and names of members: syntax, functions, numbers of arguments, parameters and variables that are
/// named by a literal. What is evaluated apart is left out.
pub(crate) fn check(node: &Node, apart: &Apart, scope: &Scope, session: &Session) -> Result<(), TemplateError> {
    Checker { apart, scope, session, function: None }.node(node)
}

pub(crate) struct Checker<'a> {
    pub(crate) apart: &'a Apart,
    pub(crate) scope: &'a Scope,
    pub(crate) session: &'a Session,
    /// The function of the template's own whose value is checked.
    pub(crate) function: Option<&'a UserFunction>,
}

impl Checker<'_> {
    pub(crate) fn node(&self, node: &Node) -> Result<(), TemplateError> {
        if self.apart.contain(node) {
            return Ok(());
        }
        match &node.data {
            Data::Null | Data::Bool(_) | Data::Number(_) => Ok(()),
            Data::Text(value) => self.text(value).map_err(|fault| fault.into_error(node.place, str::to_owned)),
            Data::Array(elements) => elements.iter().try_for_each(|element| self.node(element)),
            Data::Object(members) => members.iter().try_for_each(|member| {
                self.text(&member.name).map_err(|fault| fault.into_error(member.place, str::to_owned))?;
                self.node(&member.value)
            }),
        }
    }

    fn text(&self, text: &str) -> Result<(), Fault> {
        self.session.steps(1)?;
        match classify(text) {
            Text::Literal(_) => Ok(()),
            Text::Expression(source) => self.expression(&parse(source)?),
        }
    }

    fn expression(&self, expression: &Expression) -> Result<(), Fault> {
        each_call(expression, &mut |_, name, arguments| {
            self.session.steps(1)?;
            if self.scope.functions.find(name, arguments.len())?.is_none() {
                functions::find(name, arguments.len())?;
            }
            let [Expression { form: Form::Text(named), .. }] = arguments else { return Ok(()) };
            let (known, what) = if name.eq_ignore_ascii_case("parameters") {
                (self.has_parameter(named)?, "parameter")
            } else if name.eq_ignore_ascii_case("variables") {
                (self.function.is_none() && self.scope.variables.get(named).is_some(), "variable")
            } else {
                return Ok(());
            };
            if known { Ok(()) } else { Err(functions::not_found(named, what)) }
        })
    }

    fn has_parameter(&self, name: &str) -> Result<bool, Fault> {
        match self.function {
            Some(function) => {
                self.session.steps(PARAMETERS)?;
                Ok(function.has(name))
            }
            None => Ok(self.scope.parameters.get(name).is_some()),
        }
    }
}
