//! The body of a token from the extension: seven keys in this order, every value a string.
//!
//! `refresh_token` stays empty: early clients switch to another grant when it isn't (Azure/go-autorest@01e63fe
//! `autorest/adal/token.go`).

use crate::answer::push_json_text;

/// What a body says.
#[derive(Clone, Copy, Debug)]
pub struct TokenFields<'t> {
    /// The token.
    pub access_token: &'t str,
    /// The end of the token's life, seconds since 1970.
    pub expires_on: i64,
    /// The start of its life, seconds since 1970.
    pub not_before: i64,
    /// The resource as it was asked for.
    pub resource: &'t str,
}

/// A ready body with a gap for what differs from answer to answer.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenBody {
    before: Box<str>,
    behind: Box<str>,
}

impl std::fmt::Debug for TokenBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenBody").field("len", &(self.before.len() + self.behind.len())).finish_non_exhaustive()
    }
}

impl TokenBody {
    /// Builds the body.
    #[must_use]
    pub fn new(fields: &TokenFields<'_>) -> Self {
        let mut before = String::with_capacity(fields.access_token.len() + 64);
        before.push_str("{\"access_token\":\"");
        push_json_text(&mut before, fields.access_token);
        before.push_str("\",\"refresh_token\":\"\",\"expires_in\":\"");
        let mut behind = String::with_capacity(fields.resource.len() + 128);
        behind.push_str("\",\"expires_on\":\"");
        behind.push_str(&fields.expires_on.to_string());
        behind.push_str("\",\"not_before\":\"");
        behind.push_str(&fields.not_before.to_string());
        behind.push_str("\",\"resource\":\"");
        push_json_text(&mut behind, fields.resource);
        behind.push_str("\",\"token_type\":\"Bearer\"}");
        Self { before: before.into(), behind: behind.into() }
    }

    /// The bytes of one answer, with so many seconds of life left.
    #[must_use]
    pub fn render(&self, remaining: u64) -> Vec<u8> {
        let mut digits = itoa::Buffer::new();
        [self.before.as_bytes(), digits.format(remaining).as_bytes(), self.behind.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_the_document() {
        let body = TokenBody::new(&TokenFields {
            access_token: "eyJ0eXAi...",
            expires_on: 1_506_484_173,
            not_before: 1_506_480_273,
            resource: "https://management.azure.com/",
        });
        assert_eq!(
            String::from_utf8(body.render(3599)).unwrap(),
            r#"{"access_token":"eyJ0eXAi...","refresh_token":"","expires_in":"3599","expires_on":"1506484173","not_before":"1506480273","resource":"https://management.azure.com/","token_type":"Bearer"}"#
        );
    }
}
