//! From a tree back to text, with values in the place of some of its parts.

use serde_json::Value;

use super::ast::{Expression, Form};
use crate::error::Fault;

/// Writes an expression without its brackets. Each part for which `known` has a value becomes that value.
pub(crate) fn print(
    expression: &Expression,
    known: &impl Fn(&Expression) -> Result<Option<Value>, Fault>,
) -> Result<String, Fault> {
    if let Some(value) = known(expression)? {
        return Ok(format!("json({})", quoted(&value.to_string())));
    }
    Ok(match &expression.form {
        Form::Text(text) => quoted(text),
        Form::Integer(integer) => integer.to_string(),
        Form::Call { name, arguments } => {
            let arguments: Vec<_> = arguments.iter().map(|part| print(part, known)).collect::<Result<_, _>>()?;
            format!("{name}({})", arguments.join(", "))
        }
        Form::Member { of, name } => format!("{}.{name}", print(of, known)?),
        Form::Index { of, index } => format!("{}[{}]", print(of, known)?, print(index, known)?),
    })
}

/// A string of an expression.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn what_is_printed_is_what_was_read() {
        for text in ["f('it''s', -1).a[g(0)]['b']", "f()", "'a'", "12"] {
            assert_eq!(print(&parse(text).unwrap(), &|_| Ok(None)).unwrap(), text);
        }
        let known = |part: &Expression| {
            let call = matches!(&part.form, Form::Call { name, .. } if name == "p");
            Ok(call.then(|| serde_json::json!({ "a": "it's" })))
        };
        assert_eq!(print(&parse("f(p().a)").unwrap(), &known).unwrap(), r#"f(json('{"a":"it''s"}').a)"#);
    }
}
