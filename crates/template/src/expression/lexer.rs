//! From characters to tokens.

use std::iter::Peekable;
use std::str::Chars;

/// A token and where it begins, in characters.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Name(String),
    Text(String),
    Integer(i64),
    /// One of `( ) [ ] . ,`
    Mark(char),
}

/// Why a text has no tokens.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bad {
    pub(super) at: usize,
    pub(super) why: &'static str,
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Bad> {
    let mut lexer = Lexer { rest: text.chars().peekable(), at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    at: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<char> {
        self.at += 1;
        self.rest.next()
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(character) = self.rest.next_if(|character| wanted(*character)) {
            self.at += 1;
            taken.push(character);
        }
        taken
    }

    fn token(&mut self) -> Result<Option<Token>, Bad> {
        self.take(char::is_whitespace);
        let at = self.at;
        let Some(&first) = self.rest.peek() else { return Ok(None) };
        let kind = match first {
            '(' | ')' | '[' | ']' | '.' | ',' => {
                self.next();
                Kind::Mark(first)
            }
            '\'' => Kind::Text(self.text(at)?),
            '-' | '0'..='9' => Kind::Integer(self.integer(at)?),
            _ if is_name(first) => Kind::Name(self.take(is_name)),
            _ => return Err(Bad { at, why: "a character that no expression has" }),
        };
        Ok(Some(Token { at, kind }))
    }

    fn text(&mut self, at: usize) -> Result<String, Bad> {
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(Bad { at, why: "a string without its closing quote" }),
                Some('\'') if self.rest.peek() == Some(&'\'') => {
                    self.next();
                    text.push('\'');
                }
                Some('\'') => return Ok(text),
                Some(character) => text.push(character),
            }
        }
    }

    fn integer(&mut self, at: usize) -> Result<i64, Bad> {
        let first = self.next().unwrap_or_default();
        let digits = format!("{first}{}", self.take(|character| character.is_ascii_digit()));
        if self.rest.peek().is_some_and(|next| is_name(*next)) {
            return Err(Bad { at, why: "an integer that goes on with a letter" });
        }
        digits.parse().map_err(|_| Bad { at, why: "an integer that doesn't fit 64 bits" })
    }
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        tokens(text).unwrap().into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn tokens_are_told_apart() {
        let name = |name: &str| Kind::Name(name.to_owned());
        assert_eq!(
            kinds(" a1 ( 'it''s' , -12 ) "),
            [
                name("a1"),
                Kind::Mark('('),
                Kind::Text("it's".to_owned()),
                Kind::Mark(','),
                Kind::Integer(-12),
                Kind::Mark(')'),
            ]
        );
        assert_eq!(tokens("f('é').x").unwrap().last().unwrap().at, 7);
    }

    #[test]
    fn what_is_no_token_is_refused_at_its_place() {
        assert_eq!(tokens("f('a").unwrap_err().at, 2);
        assert_eq!(tokens("f(99999999999999999999)").unwrap_err().at, 2);
        assert_eq!(tokens("a + b").unwrap_err().at, 2);
        assert_eq!(tokens("f(1a)").unwrap_err().at, 2);
        assert_eq!(tokens("f(-)").unwrap_err().at, 2);
    }
}
