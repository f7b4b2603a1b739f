//! The tree of an expression.

/// A part of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expression {
    /// Its first character, counted from 0 after the opening bracket.
    pub(crate) at: usize,
    pub(crate) form: Form,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    Text(String),
    Integer(i64),
    Call {
        name: String,
        arguments: Vec<Expression>,
    },
    /// `of.name`
    Member {
        of: Box<Expression>,
        name: String,
    },
    /// `of[index]`
    Index {
        of: Box<Expression>,
        index: Box<Expression>,
    },
}

/// Visits every call, outer ones first.
pub(crate) fn each_call<'a, E>(
    expression: &'a Expression,
    visit: &mut impl FnMut(&'a Expression, &'a str, &'a [Expression]) -> Result<(), E>,
) -> Result<(), E> {
    match &expression.form {
        Form::Text(_) | Form::Integer(_) => Ok(()),
        Form::Call { name, arguments } => {
            visit(expression, name, arguments)?;
            arguments.iter().try_for_each(|argument| each_call(argument, visit))
        }
        Form::Member { of, .. } => each_call(of, visit),
        Form::Index { of, index } => {
            each_call(of, visit)?;
            each_call(index, visit)
        }
    }
}
