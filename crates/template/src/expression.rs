//! The language between `[` and `]`: from text to a tree.
//!
//! A string is an expression when it begins with `[` and ends with `]`, unless it begins with `[[`, which stands for a
//! literal `[`. Inside: calls `name(…)`, strings in single quotes (`''` is one quote), integers, `.name`, `[index]`.
//! See Microsoft's "Syntax and expressions in ARM templates".

mod ast;
mod lexer;
mod parser;
mod print;

pub(crate) use ast::{Expression, Form, each_call};
pub(crate) use parser::parse;
pub(crate) use print::{print, quoted};

/// What a string of a template stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Text<'a> {
    /// Itself.
    Literal(&'a str),
    /// What is between the brackets.
    Expression(&'a str),
}

/// Tells literals from expressions.
pub(crate) fn classify(text: &str) -> Text<'_> {
    match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        // `[[…]` loses its first bracket, and what remains is `rest` with its last one.
        Some(rest) if rest.starts_with('[') => Text::Literal(text.strip_prefix('[').unwrap_or(text)),
        Some(rest) => Text::Expression(rest),
        None => Text::Literal(text),
    }
}

/// Writes a string so that [`classify`] gives it back as a literal.
pub(crate) fn escape(text: &str) -> String {
    if text.starts_with('[') && text.ends_with(']') && text.len() > 1 { format!("[{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_make_an_expression() {
        assert_eq!(classify("[f()]"), Text::Expression("f()"));
        assert_eq!(classify("[[f()]"), Text::Literal("[f()]"));
        for literal in ["", "a", "[", "]", "[a", "[[a", "a]", "[]a"] {
            assert_eq!(classify(literal), Text::Literal(literal));
        }
    }

    #[test]
    fn what_is_escaped_is_literal() {
        for text in ["", "[", "]", "[]", "[a]", "[[a]", "[[[a]]", "a", "[a"] {
            assert_eq!(classify(&escape(text)), Text::Literal(text), "{text}");
        }
    }
}
