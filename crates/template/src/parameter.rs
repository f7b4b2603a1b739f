//! The parameters of a template: what is declared, what is given, and what holds.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::check::check;
use crate::definition::{Definition, Definitions};
use crate::error::{Fault, Place, TemplateError};
use crate::evaluate::{Evaluator, Fresh, Scope};
use crate::limits::PARAMETERS;
use crate::nested::Apart;
use crate::node::Node;
use crate::request::GivenParameter;
use crate::session::Session;
use crate::settle::settle;

/// A parameter that the template declares.
#[derive(Debug)]
struct Declared<'n> {
    name: &'n str,
    definition: Definition<'n>,
    default: Option<&'n Node>,
    place: Place,
}

/// Evaluates the parameters into the scope. Gives what `properties.parameters` of the deployment shows.
pub(crate) fn evaluate(
    template: &Node,
    given: &[GivenParameter],
    scope: &mut Scope,
    session: &Session,
) -> Result<Value, TemplateError> {
    let declared = declared(template)?;
    refuse_unknown(&declared, given)?;
    for parameter in &declared {
        scope.parameters.define(parameter.name);
    }
    for default in declared.iter().filter_map(|parameter| parameter.default) {
        check(default, &Apart::default(), scope, session)?;
    }
    let mut secret = HashSet::new();
    let value = |scope: &Scope, parameter: &Declared<'_>| value(parameter, given, scope, session);
    settle(
        &declared,
        scope,
        |parameter| parameter.name,
        value,
        |scope, parameter, value| {
            if parameter.definition.secrets(&value, &mut scope.secrets) {
                secret.insert(parameter.name);
            }
            scope.parameters.set(parameter.name, value);
        },
    )?;
    Ok(shown(&declared, &secret, scope))
}

fn declared(template: &Node) -> Result<Vec<Declared<'_>>, TemplateError> {
    let Some(section) = template.given("parameters") else { return Ok(Vec::new()) };
    if section.members().len() > PARAMETERS {
        return Err(TemplateError::too_many("parameters", PARAMETERS, section));
    }
    let scope = Definitions { all: template.given("definitions"), of: "parameter" };
    let members = section.members().iter().map(|member| {
        let definition = Definition::of(&member.value, scope).ok_or_else(|| {
            let Place { line, column } = member.value.place;
            let what = format!(
                "The template parameter '{}' at line '{line}' and column '{column}' has no type, or one that is not \
                 valid. Please see https://aka.ms/arm-syntax-parameters for usage details.",
                member.name
            );
            TemplateError::invalid(what, Some(member.value.place))
        })?;
        let default = member.value.get("defaultValue");
        Ok(Declared { name: &member.name, definition, default, place: member.value.place })
    });
    members.collect()
}

fn refuse_unknown(declared: &[Declared<'_>], given: &[GivenParameter]) -> Result<(), TemplateError> {
    let known = |name: &str| declared.iter().any(|parameter| parameter.name.eq_ignore_ascii_case(name));
    let unknown: Vec<_> = given.iter().filter(|given| !known(&given.name)).collect();
    let Some(first) = unknown.first() else { return Ok(()) };
    let names = unknown.iter().map(|given| given.name.as_str()).collect::<Vec<_>>().join(", ");
    let supported = declared.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", ");
    let what = format!(
        "The template parameters '{names}' in the parameters file are not valid; they are not present in the original \
         template and can therefore not be provided at deployment time. The only supported parameters for this template \
         are '{supported}'. Please see https://aka.ms/arm-pass-parameter-values for usage details."
    );
    Err(TemplateError::invalid(what, Some(first.place)))
}

/// The given value or the default, checked. A message doesn't hold it, since it may be a secret.
fn value(parameter: &Declared<'_>, given: &[GivenParameter], scope: &Scope, session: &Session) -> Result<Value, Fault> {
    let Declared { name, ref definition, default, place } = *parameter;
    let Place { line, column } = place;
    let given = given.iter().find(|given| given.name.eq_ignore_ascii_case(name)).map(|given| &given.value);
    let value = match (given.filter(|value| !value.is_null()), default) {
        (Some(value), _) => {
            session.value(value)?;
            value.clone()
        }
        (None, Some(default)) => {
            let fresh = Fresh::new(name);
            Evaluator { fresh: Some(&fresh), ..Evaluator::planning(scope, session) }.node(default)?
        }
        (None, None) if definition.is_nullable() => return Ok(Value::Null),
        (None, None) => {
            let what = format!(
                "The value for the template parameter '{name}' at line '{line}' and column '{column}' is not provided. \
                 Please see https://aka.ms/arm-create-parameter-file for usage details."
            );
            return Err(Fault::Invalid(what, Some(place)));
        }
    };
    let Some(why) = definition.mismatch(&value, session)? else { return Ok(value) };
    let what = format!(
        "The provided value for the template parameter '{name}' at line '{line}' and column '{column}' is not valid. \
         {why}"
    );
    Err(Fault::Invalid(what, Some(place)))
}

/// `{name: {type, value}}`, of those with a secret the type alone.
fn shown(declared: &[Declared<'_>], secret: &HashSet<&str>, scope: &Scope) -> Value {
    let shown = declared.iter().map(|parameter| {
        let kind = parameter.definition.kind;
        let value = match scope.parameters.get(parameter.name) {
            Some(Ok(value)) if !secret.contains(parameter.name) => json!({ "type": kind.as_str(), "value": value }),
            Some(_) | None => json!({ "type": kind.as_str() }),
        };
        (parameter.name.to_owned(), value)
    });
    Value::Object(shown.collect::<Map<_, _>>())
}
