//! The parameters of a template: what is declared, what is given, and what holds.

use serde_json::{Map, Value, json};

use crate::check::check;
use crate::error::{Fault, Place, TemplateError};
use crate::evaluate::{Evaluator, Fresh, Scope};
use crate::expression::{Text, classify};
use crate::kind::Kind;
use crate::limits::PARAMETERS;
use crate::nested::Apart;
use crate::node::Node;
use crate::request::GivenParameter;
use crate::session::Session;
use crate::settle::settle;
use crate::text;

/// A parameter that the template declares.
#[derive(Debug)]
struct Declared<'n> {
    name: &'n str,
    kind: Kind,
    definition: &'n Node,
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
    for default in declared.iter().filter_map(|parameter| parameter.definition.get("defaultValue")) {
        check(default, &Apart::default(), scope, session)?;
    }
    let value = |scope: &Scope, parameter: &Declared<'_>| value(parameter, given, scope, session);
    settle(
        &declared,
        scope,
        |parameter| parameter.name,
        value,
        |scope, parameter, value| {
            if parameter.kind.is_secure() {
                scope.secrets.add(&value);
            }
            scope.parameters.set(parameter.name, value);
        },
    )?;
    Ok(shown(&declared, scope))
}

fn declared(template: &Node) -> Result<Vec<Declared<'_>>, TemplateError> {
    let Some(section) = template.given("parameters") else { return Ok(Vec::new()) };
    if section.members().len() > PARAMETERS {
        return Err(TemplateError::too_many("parameters", PARAMETERS, section));
    }
    let members = section.members().iter().map(|member| {
        let kind = Kind::of(&member.value).ok_or_else(|| {
            let Place { line, column } = member.value.place;
            let what = format!(
                "The template parameter '{}' at line '{line}' and column '{column}' has no type, or one that is not \
                 valid. Please see https://aka.ms/arm-syntax-parameters for usage details.",
                member.name
            );
            TemplateError::invalid(what, Some(member.value.place))
        })?;
        Ok(Declared { name: &member.name, kind, definition: &member.value, place: member.value.place })
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

/// The given value or the default, checked.
fn value(parameter: &Declared<'_>, given: &[GivenParameter], scope: &Scope, session: &Session) -> Result<Value, Fault> {
    let Declared { name, kind, definition, place } = *parameter;
    let Place { line, column } = place;
    let given = given.iter().find(|given| given.name.eq_ignore_ascii_case(name)).map(|given| &given.value);
    let nullable = definition.get("nullable").is_some_and(|node| node.to_value() == Value::Bool(true));
    let value = match (given.filter(|value| !value.is_null()), definition.get("defaultValue")) {
        (Some(value), _) => {
            session.value(value)?;
            value.clone()
        }
        (None, Some(default)) => {
            let fresh = Fresh::new(name);
            Evaluator { fresh: Some(&fresh), ..Evaluator::planning(scope, session) }.node(default)?
        }
        (None, None) if nullable => return Ok(Value::Null),
        (None, None) => {
            let what = format!(
                "The value for the template parameter '{name}' at line '{line}' and column '{column}' is not provided. \
                 Please see https://aka.ms/arm-create-parameter-file for usage details."
            );
            return Err(Fault::Invalid(what, Some(place)));
        }
    };
    let refuse = |why: &str| {
        let what = format!(
            "The provided value for the template parameter '{name}' at line '{line}' and column '{column}' is not \
             valid. {why}"
        );
        Err(Fault::Invalid(what, Some(place)))
    };
    if nullable && value.is_null() {
        return Ok(value);
    }
    if !kind.fits(&value) {
        let page = "Please see https://aka.ms/arm-create-parameter-file for usage details.";
        return refuse(&format!("Template parameter {} {page}", kind.mismatch(&value)));
    }
    match bounds(definition, &value, session)? {
        Some(why) => refuse(&why),
        None => Ok(value),
    }
}

/// What a value breaks of `allowedValues`, `minValue`, `maxValue`, `minLength` and `maxLength`; the text doesn't hold
/// the value, which may be a secret.
fn bounds(definition: &Node, value: &Value, session: &Session) -> Result<Option<String>, Fault> {
    if let Some(allowed) = definition.get("allowedValues").and_then(Node::elements) {
        let allowed: Vec<_> = allowed.iter().map(|allowed| unescaped(allowed.to_value())).collect();
        session.steps(allowed.len().saturating_mul(1 + value.as_array().map_or(0, Vec::len)))?;
        let each = value.as_array().is_some_and(|elements| elements.iter().all(|element| allowed.contains(element)));
        if !allowed.contains(value) && !each {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let allowed = allowed.iter().map(text).collect::<Vec<_>>().join(",");
            return Ok(Some(format!("The parameter value is not part of the allowed value(s): '{allowed}'.")));
        }
    }
    let bound = |name: &str| definition.get(name).and_then(|node| node.to_value().as_i64());
    let length = match value {
        Value::String(text) => Some(text::length(text)),
        Value::Array(elements) => Some(elements.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    };
    let length = length.and_then(|length| i64::try_from(length).ok());
    for (measure, subject, least, most) in [
        (value.as_i64(), "The value", "minValue", "maxValue"),
        (length, "Length of the value", "minLength", "maxLength"),
    ] {
        let Some(measure) = measure else { continue };
        if let Some(least) = bound(least).filter(|least| measure < *least) {
            return Ok(Some(format!("{subject} should be greater than or equal to '{least}'.")));
        }
        if let Some(most) = bound(most).filter(|most| measure > *most) {
            return Ok(Some(format!("{subject} should be less than or equal to '{most}'.")));
        }
    }
    Ok(None)
}

/// A value as it is written, with `[[` for a `[`; nothing in it is an expression.
fn unescaped(value: Value) -> Value {
    let text = |text: String| match classify(&text) {
        Text::Literal(literal) if literal.len() < text.len() => literal.to_owned(),
        Text::Literal(_) | Text::Expression(_) => text,
    };
    match value {
        Value::String(written) => Value::String(text(written)),
        Value::Array(elements) => elements.into_iter().map(unescaped).collect(),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (text(name), unescaped(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// `{name: {type, value}}`, of secure ones the type alone.
fn shown(declared: &[Declared<'_>], scope: &Scope) -> Value {
    let shown = declared.iter().map(|parameter| {
        let kind = parameter.kind;
        let value = match scope.parameters.get(parameter.name) {
            Some(Ok(value)) if !kind.is_secure() => json!({ "type": kind.as_str(), "value": value }),
            Some(_) | None => json!({ "type": kind.as_str() }),
        };
        (parameter.name.to_owned(), value)
    });
    Value::Object(shown.collect::<Map<_, _>>())
}
