//! From tokens to a tree, by recursive descent with a bound on its depth.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::ast::{Expression, Form};
use super::lexer::{Bad, Kind, Token, tokens};
use crate::error::Fault;
use crate::limits::{EXPRESSION_CHARACTERS, EXPRESSION_DEPTH};

/// Reads what stands between the brackets of an expression.
pub(crate) fn parse(text: &str) -> Result<Expression, Fault> {
    let length = text.chars().count();
    if length > EXPRESSION_CHARACTERS {
        return Err(Fault::invalid(format!(
            "The language expression length limit exceeded. Limit: '{EXPRESSION_CHARACTERS}' and actual: '{length}'."
        )));
    }
    let whole = |bad: Bad| {
        Fault::invalid(format!(
            "The language expression '{text}' is not valid: {} at position '{}'. \
             Please see https://aka.ms/arm-syntax-expressions for usage details.",
            bad.why,
            bad.at + 1
        ))
    };
    let mut parser = Parser { rest: tokens(text).map_err(whole)?.into_iter().peekable(), end: length };
    let expression = parser.expression(1).map_err(whole)?;
    match parser.rest.next() {
        None => Ok(expression),
        Some(token) => Err(whole(Bad { at: token.at, why: "something after its end" })),
    }
}

struct Parser {
    rest: Peekable<IntoIter<Token>>,
    end: usize,
}

impl Parser {
    fn expression(&mut self, depth: usize) -> Result<Expression, Bad> {
        let first = self.next("an end where a value is expected")?;
        let deeper = |at: usize, depth: usize| {
            let why = "nested deeper than the limit of 100";
            if depth >= EXPRESSION_DEPTH { Err(Bad { at, why }) } else { Ok(depth + 1) }
        };
        let at = first.at;
        let mut depth = deeper(at, depth)?;
        let form = match first.kind {
            Kind::Text(text) => Form::Text(text),
            Kind::Integer(integer) => Form::Integer(integer),
            Kind::Name(name) => self.call(at, name, depth)?,
            Kind::Mark(_) => return Err(Bad { at, why: "a mark where a value is expected" }),
        };
        let mut expression = Expression { at, form };
        // Each access wraps what came before it, so a chain is as deep as it is long.
        loop {
            let form = if self.skip('.') {
                depth = deeper(at, depth)?;
                let name = self.name()?;
                Form::Member { of: Box::new(expression), name }
            } else if self.skip('[') {
                depth = deeper(at, depth)?;
                let index = Box::new(self.expression(depth)?);
                self.expect(']', "a ']' is missing")?;
                Form::Index { of: Box::new(expression), index }
            } else {
                return Ok(expression);
            };
            expression = Expression { at, form };
        }
    }

    /// A call; a name with dots in it is that of a function of the template's own.
    fn call(&mut self, at: usize, mut name: String, depth: usize) -> Result<Form, Bad> {
        while self.skip('.') {
            name = format!("{name}.{}", self.name()?);
        }
        if !self.skip('(') {
            return Err(Bad { at, why: "a name that isn't called" });
        }
        let mut arguments = Vec::new();
        if self.skip(')') {
            return Ok(Form::Call { name, arguments });
        }
        loop {
            arguments.push(self.expression(depth)?);
            if self.skip(')') {
                return Ok(Form::Call { name, arguments });
            }
            self.expect(',', "a ',' or ')' is missing")?;
        }
    }

    fn next(&mut self, why: &'static str) -> Result<Token, Bad> {
        self.rest.next().ok_or(Bad { at: self.end, why })
    }

    fn skip(&mut self, mark: char) -> bool {
        self.rest.next_if(|token| token.kind == Kind::Mark(mark)).is_some()
    }

    fn expect(&mut self, mark: char, why: &'static str) -> Result<(), Bad> {
        if self.skip(mark) {
            return Ok(());
        }
        Err(Bad { at: self.rest.peek().map_or(self.end, |token| token.at), why })
    }

    fn name(&mut self) -> Result<String, Bad> {
        let token = self.next("an end where a name is expected")?;
        match token.kind {
            Kind::Name(name) => Ok(name),
            Kind::Text(_) | Kind::Integer(_) | Kind::Mark(_) => {
                Err(Bad { at: token.at, why: "something else where a name is expected" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let Fault::Invalid(what, None) = parse(text).unwrap_err() else { panic!("{text}") };
        what
    }

    #[test]
    fn accesses_bind_from_left_to_right() {
        let expression = parse("f('a').b[0]").unwrap();
        let Form::Index { of, index } = expression.form else { panic!() };
        assert_eq!(index.form, Form::Integer(0));
        let Form::Member { of, name } = of.form else { panic!() };
        assert_eq!(name, "b");
        assert!(matches!(of.form, Form::Call { name, arguments } if name == "f" && arguments.len() == 1));
    }

    #[test]
    fn functions_of_the_template_have_dots() {
        assert!(matches!(parse("ns.f()").unwrap().form, Form::Call { name, .. } if name == "ns.f"));
    }

    #[test]
    fn mistakes_are_named_with_their_position() {
        for (text, position) in [
            ("", 1),
            ("f(", 3),
            ("f(1", 4),
            ("f() g()", 5),
            ("f", 1),
            ("f(1 2)", 5),
            ("f().", 5),
            ("f()[1", 6),
            (")", 1),
        ] {
            assert!(refused(text).contains(&format!("at position '{position}'")), "{text}: {}", refused(text));
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        assert!(refused(&"f(".repeat(5_000)).contains("limit of 100"));
        assert!(refused(&format!("f(){}", ".a".repeat(5_000))).contains("limit of 100"));
        assert!(refused(&format!("'{}'", "a".repeat(EXPRESSION_CHARACTERS))).contains("24576"));
        assert!(parse(&format!("{}{}", "f(".repeat(90), ")".repeat(90))).is_ok());
    }
}
