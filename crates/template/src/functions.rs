//! The functions of the language, one file a family. Names, arguments and results are those of Microsoft's "ARM
//! template functions" pages, case of names ignored.
//!
//! To add a function: write `fn name(call: &Call<'_, '_>) -> Result<Value, Fault>` in the file of its family, which
//! asks `call` for its arguments by position and kind, and add its line to the family's `TABLE`. What it makes is
//! counted; a function whose result can be far larger than its arguments bounds it before making it
//! ([`Growing`](crate::session::Growing) or [`Session::bytes`](crate::session::Session::bytes)).

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::error::Fault;
use crate::evaluate::{Evaluator, Fresh, Outcome, all};
use crate::expression::Expression;

mod array;
mod cidr;
mod collection;
mod date;
mod deployment;
mod encoding;
mod format;
mod lambda;
mod logical;
mod number;
mod numeric;
mod object;
mod resource;
mod string;
#[cfg(test)]
mod tests;
mod unique;

pub(crate) use lambda::Local;

/// A function.
pub(crate) struct Function {
    name: &'static str,
    least: usize,
    most: usize,
    run: Run,
}

enum Run {
    /// On its arguments' values.
    Values(fn(&Call<'_, '_>) -> Result<Value, Fault>),
    /// `parameters` and `variables`: a value that is borrowed, not copied.
    Named(Named),
    /// `if`, which evaluates one of two.
    If,
    /// On its arguments' values and on lambdas.
    Lambdas(lambda::OnLambdas),
    /// `lambda` itself, which is evaluated by the function that it is an argument of.
    Lambda,
    /// `lambdaVariables`
    Local,
}

#[derive(Clone, Copy)]
enum Named {
    Parameter,
    Variable,
}

/// Any number of arguments.
const MANY: usize = usize::MAX;

const fn function(
    name: &'static str,
    least: usize,
    most: usize,
    run: fn(&Call<'_, '_>) -> Result<Value, Fault>,
) -> Function {
    Function { name, least, most, run: Run::Values(run) }
}

const FAMILIES: [&[Function]; 15] = [
    string::TABLE,
    format::TABLE,
    encoding::TABLE,
    unique::TABLE,
    cidr::TABLE,
    date::TABLE,
    collection::TABLE,
    array::TABLE,
    object::TABLE,
    numeric::TABLE,
    logical::TABLE,
    lambda::TABLE,
    deployment::TABLE,
    resource::TABLE,
    SPECIAL,
];

const SPECIAL: &[Function] = &[
    Function { name: "parameters", least: 1, most: 1, run: Run::Named(Named::Parameter) },
    Function { name: "variables", least: 1, most: 1, run: Run::Named(Named::Variable) },
    Function { name: "if", least: 3, most: 3, run: Run::If },
    Function { name: "lambda", least: 1, most: MANY, run: Run::Lambda },
    Function { name: "lambdaVariables", least: 1, most: 1, run: Run::Local },
];

/// Functions that Azure has and this engine refuses: they need secrets of resources, or what is known of whoever deploys.
const REFUSED: &[&str] = &[
    "deployer",
    "list",
    "listAccountSas",
    "listKeys",
    "listSecrets",
    "listServiceSas",
    "managementGroup",
    "toLogicalZone",
    "toPhysicalZone",
];

/// Finds a function by its name and checks how many arguments it gets.
pub(crate) fn find(name: &str, arguments: usize) -> Result<&'static Function, Fault> {
    let mut known = FAMILIES.iter().flat_map(|family| family.iter());
    let Some(function) = known.find(|function| function.name.eq_ignore_ascii_case(name)) else {
        let refused = REFUSED.iter().any(|refused| refused.eq_ignore_ascii_case(name));
        let why = if refused { "not supported here" } else { "not valid" };
        return Err(Fault::invalid(format!("The template function '{name}' is {why}.")));
    };
    if arguments < function.least || arguments > function.most {
        let expected = match (function.least, function.most) {
            (least, MANY) => format!("at least {least}"),
            (least, most) if least == most => format!("{least}"),
            (least, most) => format!("{least} to {most}"),
        };
        let name = function.name;
        return Err(Fault::invalid(format!(
            "Unable to evaluate template language function '{name}': it takes {expected} argument(s), and gets \
             {arguments}. Please see https://aka.ms/arm-functions for usage details."
        )));
    }
    Ok(function)
}

/// Calls a function by its name.
pub(crate) fn call<'s>(evaluator: &Evaluator<'s>, name: &str, arguments: &[Expression]) -> Outcome<'s> {
    if let Some(function) = evaluator.scope.functions.find(name, arguments.len())? {
        return function.call(evaluator, arguments);
    }
    let function = find(name, arguments.len())?;
    match (&function.run, arguments) {
        (Run::If, [condition, yes, no]) => choose(evaluator, condition, yes, no),
        (Run::Named(named), [name]) => look_up(evaluator, *named, name),
        (Run::Values(run), arguments) => {
            let arguments = all(arguments.iter().map(|argument| evaluator.expression(argument)))?;
            arguments.iter().try_for_each(|argument| evaluator.session.value(argument))?;
            let value = run(&Call { name: function.name, evaluator, arguments })?;
            evaluator.session.value(&value)?;
            Ok(Cow::Owned(value))
        }
        (Run::Lambdas(run), arguments) => lambda::call(evaluator, function.name, *run, arguments),
        (Run::Local, [name]) => lambda::variable(evaluator, name),
        (Run::Lambda, _) => Err(Fault::invalid("The template function 'lambda' is not expected at this location.")),
        (Run::If | Run::Named(_) | Run::Local, _) => {
            Err(Fault::invalid(format!("The template function '{name}' is not valid.")))
        }
    }
}

fn choose<'s>(evaluator: &Evaluator<'s>, condition: &Expression, yes: &Expression, no: &Expression) -> Outcome<'s> {
    match evaluator.expression(condition) {
        Ok(value) => match value.as_ref() {
            Value::Bool(true) => evaluator.expression(yes),
            Value::Bool(false) => evaluator.expression(no),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                Err(Fault::invalid("The template language function 'if' expects its first argument to be a boolean."))
            }
        },
        Err(Fault::NeedsRuntime) => {
            // Either may be taken later: what both refer to comes first.
            for branch in [yes, no] {
                let _either = evaluator.expression(branch);
            }
            Err(Fault::NeedsRuntime)
        }
        Err(fault @ (Fault::Invalid(..) | Fault::Missing(_) | Fault::Pending(_))) => Err(fault),
    }
}

fn look_up<'s>(evaluator: &Evaluator<'s>, named: Named, name: &Expression) -> Outcome<'s> {
    let name = evaluator.expression(name)?;
    let scope = evaluator.scope;
    let (values, what) = match named {
        Named::Parameter => (&scope.parameters, "parameter"),
        Named::Variable => (&scope.variables, "variable"),
    };
    let name = name.as_str().unwrap_or_default();
    let Some(arguments) = &evaluator.arguments else {
        return values.get(name).ok_or_else(|| not_found(name, what))?.map(Cow::Borrowed);
    };
    let found = match named {
        Named::Parameter => arguments.get(name),
        Named::Variable => None,
    };
    let value = found.ok_or_else(|| not_found(name, what))??;
    evaluator.session.value(value)?;
    Ok(Cow::Owned(value.clone()))
}

/// A parameter or variable that the template doesn't have.
pub(crate) fn not_found(name: &str, what: &str) -> Fault {
    Fault::invalid(format!(
        "The template {what} '{name}' is not found. Please see https://aka.ms/arm-syntax-{what}s for usage details."
    ))
}

/// A call whose arguments are evaluated.
pub(crate) struct Call<'e, 's> {
    name: &'static str,
    evaluator: &'e Evaluator<'s>,
    arguments: Vec<Cow<'s, Value>>,
}

impl Call<'_, '_> {
    /// The call can't be evaluated.
    fn fail(&self, why: impl std::fmt::Display) -> Fault {
        let name = self.name;
        Fault::invalid(format!(
            "Unable to evaluate template language function '{name}': {why} Please see https://aka.ms/arm-functions for \
             usage details."
        ))
    }

    /// What the default of a parameter may make anew; elsewhere it would be another at each evaluation.
    fn fresh(&self) -> Result<&Fresh, Fault> {
        self.evaluator.fresh.ok_or_else(|| {
            Fault::invalid(format!(
                "The template function '{}' is not expected at this location. Please see https://aka.ms/arm-functions \
                 for usage details.",
                self.name
            ))
        })
    }

    fn values(&self) -> impl Iterator<Item = &Value> {
        self.arguments.iter().map(Cow::as_ref)
    }

    fn given(&self, at: usize) -> Option<&Value> {
        self.arguments.get(at).map(Cow::as_ref)
    }

    fn value(&self, at: usize) -> &Value {
        self.given(at).unwrap_or(&Value::Null)
    }

    fn expected(&self, at: usize, kind: &str) -> Fault {
        self.fail(format_args!("argument {} must be {kind}.", at + 1))
    }

    fn text(&self, at: usize) -> Result<&str, Fault> {
        self.value(at).as_str().ok_or_else(|| self.expected(at, "a string"))
    }

    fn integer(&self, at: usize) -> Result<i64, Fault> {
        self.value(at).as_i64().ok_or_else(|| self.expected(at, "an integer"))
    }

    fn boolean(&self, at: usize) -> Result<bool, Fault> {
        self.value(at).as_bool().ok_or_else(|| self.expected(at, "a boolean"))
    }

    fn array(&self, at: usize) -> Result<&Vec<Value>, Fault> {
        self.value(at).as_array().ok_or_else(|| self.expected(at, "an array"))
    }

    fn object(&self, at: usize) -> Result<&Map<String, Value>, Fault> {
        self.value(at).as_object().ok_or_else(|| self.expected(at, "an object"))
    }
}

/// What a value is when text is wanted: numbers in digits, booleans as .NET writes them. None of the rest.
fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(true) => Some(Cow::Borrowed("True")),
        Value::Bool(false) => Some(Cow::Borrowed("False")),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
