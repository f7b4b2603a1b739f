//! Deployments in deployments. See Microsoft's "Using linked and nested templates when deploying Azure resources".

use serde_json::{Map, Value};

use crate::error::Fault;
use crate::evaluate::{Evaluator, all};
use crate::expression::{Expression, Form, Text, classify, each_call, escape, parse, print};
use crate::node::{Data, Member, Node};
use crate::request::Mode;
use crate::resource::{DEPLOYMENTS, Source};

/// The template of a nested deployment that is evaluated on its own (`expressionEvaluationOptions.scope` is `inner`).
pub(crate) fn nested_template(source: &Source) -> Option<&Node> {
    if !source.own.get("type")?.text()?.eq_ignore_ascii_case(DEPLOYMENTS) {
        return None;
    }
    let properties = source.body.get("properties")?;
    let scope = properties.get("expressionEvaluationOptions")?.get("scope")?.text()?;
    if scope.eq_ignore_ascii_case("inner") { properties.get("template") } else { None }
}

/// The properties of a nested deployment: an inner template stays as it is; an outer one, which is the default, is
/// evaluated here with its parent's parameters and variables, and what it becomes is literal.
pub(crate) fn deployment_properties(
    node: &Node,
    inner: Option<&Node>,
    evaluator: &Evaluator<'_>,
) -> Result<Value, Fault> {
    if let Some(link) = node.given("templateLink") {
        let what = "A nested deployment by 'templateLink' is not supported here: its template must be inline.";
        return Err(Fault::invalid(what).at(link.place));
    }
    let members = node.members().iter().map(|Member { name, value, .. }| {
        let value = match inner {
            Some(inner) if std::ptr::eq(inner, value) => {
                let template = inner.to_value();
                evaluator.session.value(&template)?;
                template
            }
            Some(_) | None if name.eq_ignore_ascii_case("template") => outer(value, evaluator)?,
            Some(_) | None if name.eq_ignore_ascii_case("mode") => mode(value, evaluator)?,
            Some(_) | None => evaluator.node(value)?,
        };
        Ok((name.clone(), value))
    });
    Ok(Value::Object(all(members)?.into_iter().collect()))
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

/// Evaluates an outer template. What is below a copy of its own can't be evaluated before the copy has its turns.
fn outer(node: &Node, evaluator: &Evaluator<'_>) -> Result<Value, Fault> {
    match &node.data {
        Data::Array(elements) => Ok(Value::Array(all(elements.iter().map(|element| outer(element, evaluator)))?)),
        Data::Object(_) if node.given("copy").is_some_and(Node::is_object) => below_copy(node, evaluator),
        Data::Object(members) if !members.iter().any(|member| member.name.eq_ignore_ascii_case("copy")) => {
            let members = members.iter().map(|member| {
                let name = text(&member.name, evaluator).map_err(|fault| fault.at(member.place));
                let value = outer(&member.value, evaluator);
                Ok((name?, value?))
            });
            Ok(Value::Object(all(members)?.into_iter().collect()))
        }
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) | Data::Object(_) => {
            Ok(literal(evaluator.node(node)?))
        }
    }
}

/// A name of a member, evaluated and literal.
fn text(name: &str, evaluator: &Evaluator<'_>) -> Result<String, Fault> {
    match literal(evaluator.text(name)?) {
        Value::String(name) => Ok(name),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(Fault::invalid("The name of a member is not a string."))
        }
    }
}

/// Leaves what names the turn of a copy for later, with the values of the parent's parameters and variables in it.
fn below_copy(node: &Node, evaluator: &Evaluator<'_>) -> Result<Value, Fault> {
    evaluator.session.steps(1)?;
    match &node.data {
        Data::Array(elements) => Ok(Value::Array(all(elements.iter().map(|element| below_copy(element, evaluator)))?)),
        Data::Object(members) => {
            let members = members.iter().map(|member| {
                let name = text(&member.name, evaluator).map_err(|fault| fault.at(member.place))?;
                Ok((name, below_copy(&member.value, evaluator)?))
            });
            Ok(Value::Object(all(members)?.into_iter().collect()))
        }
        Data::Text(value) => match classify(value) {
            Text::Expression(source) => waiting(source, evaluator).map_err(|fault| fault.at(node.place)),
            Text::Literal(_) => Ok(Value::String(value.clone())),
        },
        Data::Null | Data::Bool(_) | Data::Number(_) => evaluator.node(node),
    }
}

fn waiting(source: &str, evaluator: &Evaluator<'_>) -> Result<Value, Fault> {
    evaluator.session.bytes(source.len())?;
    let expression = parse(source)?;
    let mut waits = false;
    each_call(&expression, &mut |_, name, _| {
        waits |= name.eq_ignore_ascii_case("copyIndex");
        Ok::<_, Fault>(())
    })?;
    if !waits {
        return Ok(literal(evaluator.expression(&expression)?.into_owned()));
    }
    let known = |part: &Expression| {
        let Form::Call { name, .. } = &part.form else { return Ok(None) };
        if !["parameters", "variables"].iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Ok(None);
        }
        let value = evaluator.expression(part)?;
        evaluator.session.value(&value)?;
        Ok(Some(value.into_owned()))
    };
    Ok(Value::String(format!("[{}]", print(&expression, &known)?)))
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
