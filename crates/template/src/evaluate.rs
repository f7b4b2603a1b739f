//! Evaluates expressions and whole values.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::context::Context;
use crate::error::Fault;
use crate::expression::{Expression, Form, Text, classify, parse};
use crate::functions::{self, Local};
use crate::known::Known;
use crate::node::{Data, Member, Node};
use crate::request::Mode;
use crate::runtime::Runtime;
use crate::secret::Secrets;
use crate::session::Session;
use crate::user_function::UserFunctions;

/// What the expressions of one template can name.
pub(crate) struct Scope {
    pub(crate) context: Context,
    pub(crate) mode: Mode,
    /// The template itself, for `deployment()`.
    pub(crate) template: Value,
    pub(crate) parameters: Values,
    /// The values of secure parameters.
    pub(crate) secrets: Secrets,
    pub(crate) variables: Values,
    pub(crate) functions: UserFunctions,
    /// The resources of the template; empty until they are expanded.
    pub(crate) known: Known,
}

impl fmt::Debug for Scope {
    /// Without values, some of which are secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Scope").field("context", &self.context).finish_non_exhaustive()
    }
}

/// Named values, by name in lower case. What is defined and not evaluated yet has no value.
#[derive(Default)]
pub(crate) struct Values(HashMap<String, Option<Value>>);

impl Values {
    pub(crate) fn define(&mut self, name: &str) {
        self.0.insert(name.to_ascii_lowercase(), None);
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_ascii_lowercase(), Some(value));
    }

    /// Nothing when the name is not defined.
    pub(crate) fn get(&self, name: &str) -> Option<Result<&Value, Fault>> {
        let found = self.0.get(&name.to_ascii_lowercase())?;
        Some(found.as_ref().ok_or_else(|| Fault::Pending(name.to_owned())))
    }
}

/// One turn of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The name of the copy.
    pub(crate) name: Arc<str>,
    /// Whether it makes elements of a value, and not resources or outputs.
    pub(crate) of_property: bool,
    pub(crate) index: usize,
}

/// The result of an expression: borrowed from the scope, or made.
pub(crate) type Outcome<'s> = Result<Cow<'s, Value>, Fault>;

#[derive(Clone)]
pub(crate) struct Evaluator<'s> {
    pub(crate) scope: &'s Scope,
    /// None while planning.
    pub(crate) runtime: Option<&'s dyn Runtime>,
    pub(crate) session: &'s Session,
    /// The copies around, the innermost last.
    pub(crate) turns: Vec<Turn>,
    /// The variables of the lambdas around, the innermost last.
    pub(crate) locals: Vec<Local>,
    /// The default that is evaluated, where one is: what is new in each deployment is made there alone.
    pub(crate) fresh: Option<&'s Fresh>,
    /// The arguments of the function of the template's own that is called: it knows no others.
    pub(crate) arguments: Option<Arc<Values>>,
}

/// The default of a parameter that makes something new.
pub(crate) struct Fresh {
    /// The name of the parameter.
    name: String,
    made: Cell<u32>,
}

impl Fresh {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_ascii_lowercase(), made: Cell::new(0) }
    }

    /// A GUID that no other call of the deployment gives, and that each planning of it gives again.
    pub(crate) fn guid(&self, seed: Uuid) -> Uuid {
        let number = self.made.replace(self.made.get().saturating_add(1));
        let bytes = Uuid::new_v5(&seed, format!("{}/{number}", self.name).as_bytes()).into_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

impl<'s> Evaluator<'s> {
    pub(crate) fn planning(scope: &'s Scope, session: &'s Session) -> Self {
        Self { scope, runtime: None, session, turns: Vec::new(), locals: Vec::new(), fresh: None, arguments: None }
    }

    pub(crate) fn with_turn(&self, turn: Turn) -> Self {
        let mut inner = self.clone();
        inner.turns.push(turn);
        inner
    }

    /// Evaluates a value with everything in it. When something needs the state of resources, the rest is evaluated
    /// nevertheless, so that what is wrong is found while planning.
    pub(crate) fn node(&self, node: &Node) -> Result<Value, Fault> {
        self.session.deeper(|| self.value_of(node))
    }

    fn value_of(&self, node: &Node) -> Result<Value, Fault> {
        self.session.steps(1)?;
        let value = match &node.data {
            Data::Text(text) => return self.text(text).map_err(|fault| fault.at(node.place)),
            Data::Null => Value::Null,
            Data::Bool(value) => Value::Bool(*value),
            Data::Number(number) => Value::Number(number.clone()),
            Data::Array(elements) => Value::Array(all(elements.iter().map(|element| self.node(element)))?),
            Data::Object(members) => return self.object(members),
        };
        self.session.bytes(32)?;
        Ok(value)
    }

    /// A string: itself or its expression's value.
    pub(crate) fn text(&self, text: &str) -> Result<Value, Fault> {
        match classify(text) {
            Text::Literal(literal) => {
                self.session.bytes(literal.len())?;
                Ok(Value::String(literal.to_owned()))
            }
            Text::Expression(source) => {
                self.session.bytes(source.len())?;
                let value = self.expression(&parse(source)?)?;
                if let Cow::Borrowed(value) = value {
                    self.session.value(value)?;
                }
                Ok(value.into_owned())
            }
        }
    }

    fn object(&self, members: &[Member]) -> Result<Value, Fault> {
        let pairs = members.iter().map(|member| {
            if let Some(copies) = crate::copy::property_copies(member) {
                return all(copies.into_iter().map(|copy| copy.evaluate(self)));
            }
            // Names are expressions too: the ids of a map of identities.
            let name = self.text(&member.name).map_err(|fault| fault.at(member.place));
            let value = self.node(&member.value);
            match (name?, value?) {
                (Value::String(name), value) => Ok(vec![(name, value)]),
                (_, _) => Err(Fault::invalid("The name of a member is not a string.").at(member.place)),
            }
        });
        Ok(Value::Object(all(pairs)?.into_iter().flatten().collect::<Map<_, _>>()))
    }

    pub(crate) fn expression(&self, expression: &Expression) -> Outcome<'s> {
        self.session.deeper(|| self.form(expression))
    }

    fn form(&self, expression: &Expression) -> Outcome<'s> {
        self.session.steps(1)?;
        match &expression.form {
            Form::Text(text) => Ok(Cow::Owned(Value::String(text.clone()))),
            Form::Integer(integer) => Ok(Cow::Owned(Value::from(*integer))),
            Form::Call { name, arguments } => functions::call(self, name, arguments),
            Form::Member { of, name } => self.member(self.expression(of)?, name),
            Form::Index { of, index } => {
                let (of, index) = (self.expression(of), self.expression(index));
                self.index(of?, index?.as_ref())
            }
        }
    }

    fn member(&self, of: Cow<'s, Value>, name: &str) -> Outcome<'s> {
        let Value::Object(members) = of.as_ref() else {
            return Err(Fault::invalid(format!(
                "The language expression property '{name}' can't be evaluated, property name must belong to an object."
            )));
        };
        let Some(name) = spelling(self.session, members, name)? else { return Err(no_member(members, name)) };
        let found = match of {
            Cow::Borrowed(value) => value.get(&name).map(Cow::Borrowed),
            Cow::Owned(mut value) => value.get_mut(&name).map(|member| Cow::Owned(member.take())),
        };
        Ok(found.unwrap_or(Cow::Owned(Value::Null)))
    }

    fn index(&self, of: Cow<'s, Value>, index: &Value) -> Outcome<'s> {
        match (of.as_ref(), index) {
            (Value::Object(_), Value::String(name)) => self.member(of, name),
            (Value::Array(_), Value::Number(number)) => {
                let position = number.as_u64().and_then(|number| usize::try_from(number).ok());
                let found = position.and_then(|position| match of {
                    Cow::Borrowed(value) => value.get(position).map(Cow::Borrowed),
                    Cow::Owned(mut value) => value.get_mut(position).map(|element| Cow::Owned(element.take())),
                });
                found.ok_or_else(|| {
                    Fault::invalid(format!("The language expression property array index '{number}' is out of bounds."))
                })
            }
            (_, _) => Err(Fault::invalid(
                "The language expression property can't be evaluated: an array is indexed by an integer, an object by \
                 a string.",
            )),
        }
    }
}

/// Every result, or the first fault; that the state of resources is needed is the last to be said.
pub(crate) fn all<T>(results: impl Iterator<Item = Result<T, Fault>>) -> Result<Vec<T>, Fault> {
    let mut values = Vec::new();
    let mut needed = false;
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(Fault::NeedsRuntime) => needed = true,
            Err(fault @ (Fault::Invalid(..) | Fault::Missing(_) | Fault::Pending(_))) => return Err(fault),
        }
    }
    if needed { Err(Fault::NeedsRuntime) } else { Ok(values) }
}

/// How a member's name is spelt in an object, case ignored.
pub(crate) fn spelling(session: &Session, members: &Map<String, Value>, name: &str) -> Result<Option<String>, Fault> {
    if members.contains_key(name) {
        return Ok(Some(name.to_owned()));
    }
    session.steps(members.len())?;
    Ok(members.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned())
}

fn no_member(members: &Map<String, Value>, name: &str) -> Fault {
    const NAMED: usize = 20;
    let known: Vec<_> = members.keys().take(NAMED).map(String::as_str).collect();
    let known = known.join(", ");
    Fault::invalid(format!(
        "The language expression property '{name}' doesn't exist, available properties are '{known}'."
    ))
}
