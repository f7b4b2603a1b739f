//! Deployments in deployments. See Microsoft's "Using linked and nested templates when deploying Azure resources".

use std::collections::HashSet;

use serde_json::Value;

use crate::error::Fault;
use crate::evaluate::{Evaluator, all};
use crate::node::{Member, Node};
use crate::request::Mode;
use crate::resource::{DEPLOYMENTS, Source};
use crate::session::Session;

mod outer;

/// Templates within a resource that are evaluated on their own, and are nothing to whoever evaluates the resource.
#[derive(Debug, Default)]
pub(crate) struct Apart(HashSet<*const Node>);

impl Apart {
    /// Those of a resource: its own template, or those within it when that is evaluated here.
    pub(crate) fn of(source: &Source, session: &Session) -> Result<Self, Fault> {
        let mut apart = Self::default();
        apart.resource(source.own.get("type"), source.body.get("properties"), session)?;
        Ok(apart)
    }

    pub(crate) fn contain(&self, node: &Node) -> bool {
        self.0.contains(&std::ptr::from_ref(node))
    }

    fn resource(
        &mut self,
        resource_type: Option<&Node>,
        properties: Option<&Node>,
        session: &Session,
    ) -> Result<(), Fault> {
        match nested(resource_type, properties) {
            Some((template, true)) => {
                self.0.insert(template);
                Ok(())
            }
            Some((template, false)) => {
                // Its functions know their arguments alone, wherever they are called.
                self.0.extend(template.get("functions").map(std::ptr::from_ref));
                self.within(template, session)
            }
            None => Ok(()),
        }
    }

    /// Those of the resources of a template, or of the children of a resource.
    fn within(&mut self, node: &Node, session: &Session) -> Result<(), Fault> {
        let Some(resources) = node.get("resources") else { return Ok(()) };
        let members = resources.members().iter().map(|member| &member.value);
        for resource in resources.elements().unwrap_or_default().iter().chain(members) {
            session.steps(1)?;
            self.resource(resource.get("type"), resource.get("properties"), session)?;
            self.within(resource, session)?;
        }
        Ok(())
    }
}

/// The template of a nested deployment that is evaluated on its own (`expressionEvaluationOptions.scope` is `inner`).
pub(crate) fn nested_template(source: &Source) -> Option<&Node> {
    nested(source.own.get("type"), source.body.get("properties"))
        .filter(|(_, inner)| *inner)
        .map(|(template, _)| template)
}

/// The template of a nested deployment, and whether it is evaluated on its own.
fn nested<'n>(resource_type: Option<&Node>, properties: Option<&'n Node>) -> Option<(&'n Node, bool)> {
    if !resource_type?.text()?.eq_ignore_ascii_case(DEPLOYMENTS) {
        return None;
    }
    let scope = properties?.get("expressionEvaluationOptions").and_then(|options| options.get("scope")?.text());
    let inner = scope.is_some_and(|scope| scope.eq_ignore_ascii_case("inner"));
    Some((properties?.get("template")?, inner))
}

/// The properties of a nested deployment: an inner template stays as it is; an outer one, which is the default, is
/// evaluated here with its parent's parameters and variables, and what it becomes is literal.
pub(crate) fn deployment_properties(node: &Node, apart: &Apart, evaluator: &Evaluator<'_>) -> Result<Value, Fault> {
    if let Some(link) = node.given("templateLink") {
        let what = "A nested deployment by 'templateLink' is not supported here: its template must be inline.";
        return Err(Fault::invalid(what).at(link.place));
    }
    let members = node.members().iter().map(|Member { name, value, .. }| {
        let value = if name.eq_ignore_ascii_case("template") {
            with_functions(outer::Outer::new(evaluator, apart).node(value)?, apart.contain(value), evaluator)?
        } else if name.eq_ignore_ascii_case("mode") {
            mode(value, evaluator)?
        } else {
            evaluator.node(value)?
        };
        Ok((name.clone(), value))
    });
    Ok(Value::Object(all(members)?.into_iter().collect()))
}

/// Gives an outer template the functions of its parent, which what is left in it for later may call.
fn with_functions(mut template: Value, inner: bool, evaluator: &Evaluator<'_>) -> Result<Value, Fault> {
    let parent = &evaluator.scope.template;
    if let Value::Object(members) = &mut template
        && !inner
        && let Some(functions) = parent.get("functions").filter(|_| !members.contains_key("functions"))
    {
        for (name, section) in [("functions", Some(functions)), ("definitions", parent.get("definitions"))] {
            if let Some(section) = section.filter(|_| !members.contains_key(name)) {
                evaluator.session.value(section)?;
                members.insert(name.to_owned(), section.clone());
            }
        }
    }
    Ok(template)
}

/// The mode, which can only be Incremental: nothing else is carried out of a deployment in a deployment.
fn mode(node: &Node, evaluator: &Evaluator<'_>) -> Result<Value, Fault> {
    let mode = evaluator.node(node)?;
    match &mode {
        Value::Null => Ok(mode),
        Value::String(text) if text.eq_ignore_ascii_case(Mode::Incremental.as_str()) => Ok(mode),
        Value::String(text) => {
            let what = format!("Specified deployment mode '{text}' is not supported for nested deployment.");
            Err(Fault::invalid(what).at(node.place))
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(Fault::invalid("The deployment mode is not a string.").at(node.place))
        }
    }
}

/// Refuses a name that no deployment can have: one of 1 to 64 letters, digits, `-`, `_`, `.`, `(` and `)`, not ending in
/// `.`.
pub(crate) fn check_name(name: &str) -> Result<(), Fault> {
    const LONGEST: usize = 64;
    let length = name.chars().count();
    if length > LONGEST {
        return Err(Fault::invalid(format!(
            "The provided deployment name '{name}' has a length of '{length}' which exceeds the maximum length of \
             '{LONGEST}'. Please see https://aka.ms/arm-deploy for usage details."
        )));
    }
    let fits = |character: char| character.is_alphanumeric() || "-_.()".contains(character);
    if name.is_empty() || name.ends_with('.') || !name.chars().all(fits) {
        return Err(Fault::invalid(format!(
            "The provided deployment name '{name}' is not valid: it has letters, digits, '-', '_', '.', '(' and ')', and \
             doesn't end with '.'. Please see https://aka.ms/arm-deploy for usage details."
        )));
    }
    Ok(())
}
