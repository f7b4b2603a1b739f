//! Functions that a template defines. See Microsoft's "User-defined functions in ARM template"; Bicep writes its own
//! functions so.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::check::Checker;
use crate::definition::{Definition, Definitions};
use crate::error::{Fault, Place, TemplateError};
use crate::evaluate::{Evaluator, Outcome, Scope, Values, all};
use crate::expression::Expression;
use crate::limits::PARAMETERS;
use crate::nested::Apart;
use crate::node::Node;
use crate::session::Session;

/// The section `functions`.
#[derive(Debug, Default)]
pub(crate) struct UserFunctions {
    /// By `namespace.name` in lower case.
    functions: HashMap<String, UserFunction>,
    /// The section `definitions`, which their types may refer to.
    definitions: Option<Node>,
}

/// A function of the template's own. It knows its arguments, and nothing else of the template but its functions.
#[derive(Debug)]
pub(crate) struct UserFunction {
    name: String,
    parameters: Vec<Node>,
    output: Node,
    value: Node,
}

impl UserFunctions {
    /// Reads the functions of a template.
    pub(crate) fn of(template: &Node) -> Result<Self, TemplateError> {
        let Some(section) = template.given("functions") else { return Ok(Self::default()) };
        let mut functions = HashMap::new();
        let refuse = |what: &str, node: &Node| Err(TemplateError::invalid(what, Some(node.place)));
        let Some(namespaces) = section.elements() else { return refuse("'functions' is not an array.", section) };
        for namespace in namespaces {
            let Some(prefix) = namespace.given("namespace").and_then(Node::text) else {
                return refuse("A namespace of functions has no name.", namespace);
            };
            for member in namespace.given("members").map(Node::members).unwrap_or_default() {
                let name = format!("{prefix}.{}", member.name);
                let function = UserFunction::of(&name, &member.value)?;
                functions.insert(name.to_ascii_lowercase(), function);
            }
        }
        Ok(Self { functions, definitions: template.given("definitions").cloned() })
    }

    /// The function of a name, and that it takes so many arguments.
    pub(crate) fn find(&self, name: &str, arguments: usize) -> Result<Option<&UserFunction>, Fault> {
        let Some(function) = name.contains('.').then(|| self.functions.get(&name.to_ascii_lowercase())).flatten()
        else {
            return Ok(None);
        };
        let expected = function.parameters.len();
        if arguments == expected {
            return Ok(Some(function));
        }
        Err(Fault::invalid(format!(
            "Unable to evaluate template function '{name}': it takes {expected} argument(s), and gets {arguments}. Please \
             see https://aka.ms/arm-syntax-functions for usage details."
        )))
    }

    /// Checks the values of all before any is called.
    pub(crate) fn check(scope: &Scope, session: &Session) -> Result<(), TemplateError> {
        let mut functions: Vec<_> = scope.functions.functions.values().collect();
        functions.sort_by_key(|function| function.value.place);
        let apart = Apart::default();
        functions.into_iter().try_for_each(|function| {
            Checker { apart: &apart, scope, session, function: Some(function) }.node(&function.value)
        })
    }
}

impl UserFunction {
    fn of(name: &str, node: &Node) -> Result<Self, TemplateError> {
        let Place { line, column } = node.place;
        let refuse = |why: &str| {
            let what = format!("The template function '{name}' at line '{line}' and column '{column}' {why}");
            Err(TemplateError::invalid(what, Some(node.place)))
        };
        let parameters = node.given("parameters").and_then(Node::elements).unwrap_or_default();
        if parameters.len() > PARAMETERS {
            return refuse(&format!("has more than {PARAMETERS} parameters."));
        }
        if parameters.iter().any(|parameter| parameter.given("name").and_then(Node::text).is_none()) {
            return refuse("has a parameter without a name.");
        }
        let Some(output) = node.given("output") else { return refuse("has no output.") };
        let Some(value) = output.get("value") else { return refuse("has no value.") };
        let (parameters, output, value) = (parameters.to_vec(), output.clone(), value.clone());
        Ok(Self { name: name.to_owned(), parameters, output, value })
    }

    /// Whether it has a parameter.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.parameters.iter().any(|parameter| name_of(parameter).eq_ignore_ascii_case(name))
    }

    /// Calls it.
    pub(crate) fn call<'s>(&self, evaluator: &Evaluator<'s>, arguments: &[Expression]) -> Outcome<'s> {
        let all_definitions = evaluator.scope.functions.definitions.as_ref();
        let scope = |of| Definitions { all: all_definitions, of };
        let arguments = all(arguments.iter().map(|argument| evaluator.expression(argument)))?;
        let mut own = Values::default();
        for (parameter, value) in self.parameters.iter().zip(arguments) {
            evaluator.session.value(&value)?;
            let name = name_of(parameter);
            self.fits(parameter, scope("parameter"), &value, &format!("the parameter '{name}'"), evaluator.session)?;
            own.set(name, value.into_owned());
        }
        let (turns, locals, arguments) = (Vec::new(), Vec::new(), Some(Arc::new(own)));
        let inner = Evaluator { turns, locals, arguments, fresh: None, ..evaluator.clone() };
        let value = inner.node(&self.value)?;
        self.fits(&self.output, scope("output"), &value, "the output", evaluator.session)?;
        Ok(Cow::Owned(value))
    }

    fn fits(
        &self,
        node: &Node,
        scope: Definitions<'_>,
        value: &serde_json::Value,
        what: &str,
        session: &Session,
    ) -> Result<(), Fault> {
        let definition = Definition::of(node, scope);
        let why = match &definition {
            Some(definition) => definition.mismatch(value, session)?,
            None => Some("It has no type, or one that is not valid.".to_owned()),
        };
        why.map_or(Ok(()), |why| {
            Err(Fault::invalid(format!(
                "Unable to evaluate template function '{}': {what} is not valid. {why}",
                self.name
            )))
        })
    }
}

fn name_of(parameter: &Node) -> &str {
    parameter.given("name").and_then(Node::text).unwrap_or_default()
}
