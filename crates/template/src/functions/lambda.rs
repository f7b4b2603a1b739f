//! Functions of functions: `lambda('x', …)` is evaluated once for each element, which stands in it as
//! `lambdaVariables('x')`.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Call, Function, Run};
use crate::error::Fault;
use crate::evaluate::{Evaluator, Outcome, all};
use crate::expression::{Expression, Form};

pub(super) const TABLE: &[Function] = &[
    of_lambdas("filter", 2, 2, filter),
    of_lambdas("groupBy", 2, 2, group_by),
    of_lambdas("map", 2, 2, map),
    of_lambdas("mapValues", 2, 2, map_values),
    of_lambdas("reduce", 3, 3, reduce),
    of_lambdas("sort", 2, 2, sort),
    of_lambdas("toObject", 2, 3, to_object),
];

pub(super) type OnLambdas = fn(&Call<'_, '_>, &Lambdas<'_>) -> Result<Value, Fault>;

const fn of_lambdas(name: &'static str, least: usize, most: usize, run: OnLambdas) -> Function {
    Function { name, least, most, run: Run::Lambdas(run) }
}

/// A variable of a lambda.
#[derive(Clone)]
pub(crate) struct Local {
    name: Arc<str>,
    value: Arc<Value>,
}

/// The lambdas among the arguments of a call, by their positions.
pub(super) struct Lambdas<'a>(Vec<Option<Lambda<'a>>>);

struct Lambda<'a> {
    variables: Vec<Arc<str>>,
    body: &'a Expression,
}

/// Calls a function with lambdas among its arguments.
pub(super) fn call<'s>(
    evaluator: &Evaluator<'s>,
    name: &'static str,
    run: OnLambdas,
    arguments: &[Expression],
) -> Outcome<'s> {
    let lambdas = Lambdas(arguments.iter().map(lambda).collect::<Result<_, _>>()?);
    let values = arguments.iter().zip(&lambdas.0).map(|(argument, lambda)| match lambda {
        Some(_) => Ok(Cow::Owned(Value::Null)),
        None => evaluator.expression(argument),
    });
    let arguments = all(values)?;
    arguments.iter().try_for_each(|argument| evaluator.session.value(argument))?;
    let value = run(&Call { name, evaluator, arguments }, &lambdas)?;
    evaluator.session.value(&value)?;
    Ok(Cow::Owned(value))
}

/// What a variable of a lambda is.
pub(super) fn variable<'s>(evaluator: &Evaluator<'s>, name: &Expression) -> Outcome<'s> {
    let name = evaluator.expression(name)?;
    let name = name.as_str().unwrap_or_default();
    evaluator.session.steps(evaluator.locals.len())?;
    let found = evaluator.locals.iter().rev().find(|local| local.name.eq_ignore_ascii_case(name));
    let found = found.ok_or_else(|| Fault::invalid(format!("The lambda variable '{name}' is not found.")))?;
    evaluator.session.value(&found.value)?;
    Ok(Cow::Owned(Value::clone(&found.value)))
}

fn lambda(expression: &Expression) -> Result<Option<Lambda<'_>>, Fault> {
    let Form::Call { name, arguments } = &expression.form else { return Ok(None) };
    if !name.eq_ignore_ascii_case("lambda") {
        return Ok(None);
    }
    let Some((body, variables)) = arguments.split_last() else { return Ok(None) };
    let variables = variables.iter().map(|variable| match &variable.form {
        Form::Text(name) => Ok(Arc::from(name.as_str())),
        Form::Integer(_) | Form::Call { .. } | Form::Member { .. } | Form::Index { .. } => {
            Err(Fault::invalid("The names of a lambda's variables must be strings."))
        }
    });
    Ok(Some(Lambda { variables: variables.collect::<Result<_, _>>()?, body }))
}

impl<'a> Lambdas<'a> {
    /// The lambda at a position, which has so many variables.
    fn at(&self, call: &Call<'_, '_>, at: usize, variables: &[usize]) -> Result<&Lambda<'a>, Fault> {
        let lambda = self.0.get(at).and_then(Option::as_ref);
        let lambda = lambda.ok_or_else(|| call.expected(at, "a lambda"))?;
        if variables.contains(&lambda.variables.len()) {
            return Ok(lambda);
        }
        let wanted = variables.iter().map(usize::to_string).collect::<Vec<_>>().join(" or ");
        Err(call.expected(at, &format!("a lambda with {wanted} variable(s)")))
    }
}

impl Lambda<'_> {
    /// Evaluates it with values for its variables; those that it doesn't name are left out.
    fn evaluate(&self, call: &Call<'_, '_>, values: &[&Value]) -> Result<Value, Fault> {
        let mut inner = call.evaluator.clone();
        inner.session.steps(1 + inner.locals.len() + inner.turns.len())?;
        for (name, value) in self.variables.iter().zip(values) {
            inner.session.value(value)?;
            inner.locals.push(Local { name: Arc::clone(name), value: Arc::new(Value::clone(value)) });
        }
        Ok(inner.expression(self.body)?.into_owned())
    }

    fn holds(&self, call: &Call<'_, '_>, values: &[&Value]) -> Result<bool, Fault> {
        let value = self.evaluate(call, values)?;
        value.as_bool().ok_or_else(|| call.fail("the lambda must give a boolean."))
    }

    fn text(&self, call: &Call<'_, '_>, values: &[&Value]) -> Result<String, Fault> {
        match self.evaluate(call, values)? {
            Value::String(text) => Ok(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Err(call.fail("the lambda must give a string."))
            }
        }
    }
}

fn filter(call: &Call<'_, '_>, lambdas: &Lambdas<'_>) -> Result<Value, Fault> {
    let lambda = lambdas.at(call, 1, &[1, 2])?;
    let kept = call.array(0)?.iter().enumerate().map(|(at, element)| {
        let holds = lambda.holds(call, &[element, &at.into()])?;
        Ok(holds.then(|| element.clone()))
    });
    Ok(all(kept)?.into_iter().flatten().collect())
}

fn map(call: &Call<'_, '_>, lambdas: &Lambdas<'_>) -> Result<Value, Fault> {
    let lambda = lambdas.at(call, 1, &[1, 2])?;
    let mapped = call.array(0)?.iter().enumerate();
    Ok(Value::Array(all(mapped.map(|(at, element)| lambda.evaluate(call, &[element, &at.into()])))?))
}

fn map_values(call: &Call<'_, '_>, lambdas: &Lambdas<'_>) -> Result<Value, Fault> {
    let lambda = lambdas.at(call, 1, &[1])?;
    let mapped = call.object(0)?.iter().map(|(name, value)| Ok((name.clone(), lambda.evaluate(call, &[value])?)));
    Ok(Value::Object(all(mapped)?.into_iter().collect()))
}

fn reduce(call: &Call<'_, '_>, lambdas: &Lambdas<'_>) -> Result<Value, Fault> {
    let lambda = lambdas.at(call, 2, &[2, 3])?;
    let mut elements = call.array(0)?.iter().enumerate();
    elements
        .try_fold(call.value(1).clone(), |so_far, (at, element)| lambda.evaluate(call, &[&so_far, element, &at.into()]))
}

/// Elements by what the lambda gives for them.
fn group_by(call: &Call<'_, '_>, lambdas: &Lambdas<'_>) -> Result<Value, Fault> {
    let lambda = lambdas.at(call, 1, &[1])?;
    let keys = all(call.array(0)?.iter().map(|element| lambda.text(call, &[element])))?;
    let mut groups = Map::new();
    for (key, element) in keys.into_iter().zip(call.array(0)?) {
        if let Value::Array(group) = groups.entry(key).or_insert_with(|| Value::Array(Vec::new())) {
            group.push(element.clone());
        }
    }
    Ok(Value::Object(groups))
}

/// An object with a member for each element.
fn to_object(call: &Call<'_, '_>, lambdas: &Lambdas<'_>) -> Result<Value, Fault> {
    let key = lambdas.at(call, 1, &[1])?;
    let value = call.given(2).map(|_| lambdas.at(call, 2, &[1])).transpose()?;
    let members = call.array(0)?.iter().map(|element| {
        let value = value.map_or_else(|| Ok(element.clone()), |value| value.evaluate(call, &[element]));
        Ok((key.text(call, &[element])?, value?))
    });
    Ok(Value::Object(all(members)?.into_iter().collect()))
}

/// The lambda says of two elements whether the first one comes first. Elements of which neither does stay as they are,
/// and so does the sort come to an end when the lambda contradicts itself.
fn sort(call: &Call<'_, '_>, lambdas: &Lambdas<'_>) -> Result<Value, Fault> {
    let lambda = lambdas.at(call, 1, &[2])?;
    let mut runs: Vec<Vec<&Value>> = call.array(0)?.iter().map(|element| vec![element]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut rest = runs.into_iter();
        while let Some(first) = rest.next() {
            merged.push(match rest.next() {
                Some(second) => merge(call, lambda, &first, &second)?,
                None => first,
            });
        }
        runs = merged;
    }
    Ok(runs.into_iter().flatten().cloned().collect())
}

fn merge<'v>(
    call: &Call<'_, '_>,
    lambda: &Lambda<'_>,
    first: &[&'v Value],
    second: &[&'v Value],
) -> Result<Vec<&'v Value>, Fault> {
    let (mut first, mut second) = (first.iter().peekable(), second.iter().peekable());
    let mut merged = Vec::with_capacity(first.len() + second.len());
    while let (Some(one), Some(other)) = (first.peek(), second.peek()) {
        let next = if lambda.holds(call, &[other, one])? { second.next() } else { first.next() };
        merged.extend(next.copied());
    }
    merged.extend(first.chain(second).copied());
    Ok(merged)
}
