//! Query strings and forms: one strict reading for all endpoints.
//!
//! Names are compared without ASCII case, values are percent-decoded once, a name may stand there once. Raw
//! `:` and `/` in values are sent by azure-identity for Python and are fine.

use std::borrow::Cow;

use crate::gate::Refusal;

/// The longest value after decoding, in bytes.
pub const MAX_VALUE: usize = 2_048;

/// The most parameters that are looked at; more than any client sends.
const MAX_PARAMETERS: usize = 64;

/// The parameters of one request, from its query and, where there is one, its form.
#[derive(Debug)]
pub struct Parameters<'q> {
    pairs: Vec<(Cow<'q, str>, Cow<'q, str>)>,
    max_value: usize,
}

impl<'q> Parameters<'q> {
    /// Reads a raw query string.
    ///
    /// # Errors
    /// When a name stands there twice, a value is too long, or something isn't UTF-8.
    pub fn parse(query: &'q str) -> Result<Self, Refusal> {
        let mut parameters = Self { pairs: Vec::with_capacity(4), max_value: MAX_VALUE };
        parameters.add(query.as_bytes())?;
        Ok(parameters)
    }

    /// Reads the form of a token endpoint, whose own limit is the only one: an assertion is long.
    ///
    /// # Errors
    /// As [`Parameters::parse`], but for the length.
    pub fn of_form(form: &'q [u8]) -> Result<Self, Refusal> {
        let mut parameters = Self { pairs: Vec::with_capacity(8), max_value: usize::MAX };
        parameters.add(form)?;
        Ok(parameters)
    }

    /// Adds what a form holds; a name may stand in one of the two only.
    ///
    /// # Errors
    /// As [`Parameters::parse`].
    pub fn and_form(mut self, form: &'q [u8]) -> Result<Self, Refusal> {
        self.add(form)?;
        Ok(self)
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Cow<'q, str>> {
        self.pairs.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn add(&mut self, text: &'q [u8]) -> Result<(), Refusal> {
        for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) = match memchr::memchr(b'=', pair) {
                Some(at) => (pair.get(..at).unwrap_or_default(), pair.get(at + 1..).unwrap_or_default()),
                None => (pair, &[] as &[u8]),
            };
            let name = decode(name).ok_or(Refusal::QueryNotText)?;
            let value = decode(value).ok_or(Refusal::QueryNotText)?;
            if self.get(&name).is_some() {
                return Err(Refusal::ParameterTwice { name: name.into_owned() });
            }
            if value.len() > self.max_value || name.len() > MAX_VALUE {
                let mut name = name.into_owned();
                name.truncate(name.floor_char_boundary(64));
                return Err(Refusal::ParameterTooLong { name });
            }
            if self.pairs.len() == MAX_PARAMETERS {
                return Err(Refusal::TooManyParameters);
            }
            self.pairs.push((name, value));
        }
        Ok(())
    }
}

/// Decodes `+` and percent-escapes, once; borrowed when there are none.
fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if !bytes.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        decoded.push(match (byte, behind) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    high << 4 | low
                }
                // An escape that isn't one means itself (WHATWG URL, "percent-decode").
                (None, _) | (_, None) => b'%',
            },
            (byte, _) => *byte,
        });
    }
    let decoded = String::from_utf8(decoded).ok()?;
    Some(Cow::Owned(decoded))
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(query: &str, name: &str) -> Option<String> {
        Parameters::parse(query).unwrap().get(name).map(ToString::to_string)
    }

    #[test]
    fn encoded_and_raw_values_mean_the_same() {
        for query in [
            "api-version=2018-02-01&resource=https://management.azure.com/",
            "resource=https%3A%2F%2Fmanagement.azure.com%2f&api-version=2018-02-01",
            "&&RESOURCE=https://management.azure.com%2F&",
        ] {
            assert_eq!(value(query, "resource").as_deref(), Some("https://management.azure.com/"));
        }
        assert_eq!(value("a=b+c%2Bd&e", "a").as_deref(), Some("b c+d"));
        assert_eq!(value("a=b+c%2Bd&e", "e").as_deref(), Some(""));
        assert_eq!(value("a=%252f", "a").as_deref(), Some("%2f"), "decoded once");
        assert_eq!(value("a=x=y", "a").as_deref(), Some("x=y"));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let refusal = |query: &str| Parameters::parse(query).unwrap_err();
        assert_eq!(refusal("a=1&A=1"), Refusal::ParameterTwice { name: "A".to_owned() });
        assert_eq!(refusal("a=1&%61=1"), Refusal::ParameterTwice { name: "a".to_owned() });
        assert_eq!(refusal("a=%ff"), Refusal::QueryNotText);
        let long = "x".repeat(MAX_VALUE);
        assert!(Parameters::parse(&format!("a={long}")).is_ok());
        assert_eq!(refusal(&format!("a={long}x")), Refusal::ParameterTooLong { name: "a".to_owned() });
        let many = |count: usize| (0..count).map(|number| format!("a{number}=1&")).collect::<String>();
        assert!(Parameters::parse(&many(64)).is_ok());
        assert_eq!(refusal(&many(65)), Refusal::TooManyParameters);
        assert_eq!(value("a=1%2&b=%zz%", "a").as_deref(), Some("1%2"), "a broken escape means itself");
        assert_eq!(value("a=1%2&b=%zz%", "b").as_deref(), Some("%zz%"));
        let form = Parameters::parse("resource=a").unwrap().and_form(b"resource=b").unwrap_err();
        assert_eq!(form, Refusal::ParameterTwice { name: "resource".to_owned() });
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(query: String, form: Vec<u8>) {
            if let Ok(parameters) = Parameters::parse(&query) {
                let _ = parameters.and_form(&form);
            }
        }

        #[test]
        fn decoding_is_what_another_decoder_does(text in "[a-f0-9%+ -~]{0,60}") {
            let spaced = text.replace('+', " ");
            let other = percent_encoding::percent_decode_str(&spaced).decode_utf8().ok();
            prop_assert_eq!(decode(text.as_bytes()), other);
        }

        #[test]
        fn what_was_encoded_comes_back(value in "\\PC{0,100}") {
            let encoded = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
            let query = format!("resource={encoded}");
            let parameters = Parameters::parse(&query).unwrap();
            prop_assert_eq!(parameters.get("resource").unwrap().as_ref(), value.as_str());
        }
    }
}
