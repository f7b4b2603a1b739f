//! The body of a token: built once for each token, patched for each answer.
//!
//! Keys are in alphabetical order and every number is a string of digits, as captured from the real service
//! (Azure.Identity logs of 15 Oct 2022 and 7 Mar 2024): some clients take the later of `expires_in` and
//! `expires_on`, and some refuse numbers. `msi_res_id` and `object_id` repeat a selector as it was sent
//! (Azure/azure-rest-api-specs `imds.json` 2023-07-01); there is no `refresh_token` and no `refresh_in`.

use crate::answer::push_json_text;

/// What a body says.
#[derive(Clone, Copy, Debug)]
pub struct TokenFields<'t> {
    /// The token.
    pub access_token: &'t str,
    /// The client id of the identity, asked for or not.
    pub client_id: &'t str,
    /// The end of the token's life, seconds since 1970.
    pub expires_on: i64,
    /// The start of its life, seconds since 1970.
    pub not_before: i64,
    /// The resource as it was asked for.
    pub resource: &'t str,
    /// `ext_expires_in`, in seconds.
    pub ext_expires_in: u64,
}

/// The selector that an answer repeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Echo<'q> {
    /// None, or a client id, which stands there anyway.
    #[default]
    None,
    /// The resource id, as it was sent.
    ResourceId(&'q str),
    /// The object id, as it was sent.
    ObjectId(&'q str),
}

/// A ready body with gaps for what differs from answer to answer.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenBody {
    text: Box<str>,
    /// Behind `"expires_in":"`.
    expires_in: usize,
    /// Behind the value of `ext_expires_in`: the place of `msi_res_id`.
    resource_id: usize,
    /// Behind the value of `not_before`: the place of `object_id`.
    object_id: usize,
}

impl std::fmt::Debug for TokenBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenBody").field("len", &self.text.len()).finish_non_exhaustive()
    }
}

impl TokenBody {
    /// Builds the body.
    #[must_use]
    pub fn new(fields: &TokenFields<'_>) -> Self {
        let mut text = String::with_capacity(fields.access_token.len() + fields.resource.len() + 256);
        text.push_str("{\"access_token\":\"");
        push_json_text(&mut text, fields.access_token);
        text.push_str("\",\"client_id\":\"");
        push_json_text(&mut text, fields.client_id);
        text.push_str("\",\"expires_in\":\"");
        let expires_in = text.len();
        text.push_str("\",\"expires_on\":\"");
        text.push_str(&fields.expires_on.to_string());
        text.push_str("\",\"ext_expires_in\":\"");
        text.push_str(&fields.ext_expires_in.to_string());
        text.push('"');
        let resource_id = text.len();
        text.push_str(",\"not_before\":\"");
        text.push_str(&fields.not_before.to_string());
        text.push('"');
        let object_id = text.len();
        text.push_str(",\"resource\":\"");
        push_json_text(&mut text, fields.resource);
        text.push_str("\",\"token_type\":\"Bearer\"}");
        Self { text: text.into_boxed_str(), expires_in, resource_id, object_id }
    }

    /// The bytes of one answer, with so many seconds of life left.
    #[must_use]
    pub fn render(&self, remaining: u64, echo: Echo<'_>) -> Vec<u8> {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(remaining);
        let (at, echoed) = match echo {
            Echo::None => (self.expires_in, String::new()),
            Echo::ResourceId(id) => (self.resource_id, echoed("msi_res_id", id)),
            Echo::ObjectId(id) => (self.object_id, echoed("object_id", id)),
        };
        let text = self.text.as_bytes();
        let (first, rest) = text.split_at_checked(self.expires_in).unwrap_or((text, &[]));
        let (second, third) = rest.split_at_checked(at - self.expires_in).unwrap_or((rest, &[]));
        let mut body = Vec::with_capacity(text.len() + digits.len() + echoed.len());
        body.extend_from_slice(first);
        body.extend_from_slice(digits.as_bytes());
        body.extend_from_slice(second);
        body.extend_from_slice(echoed.as_bytes());
        body.extend_from_slice(third);
        body
    }

    /// How many bytes it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Never: a body has its keys at least.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

fn echoed(name: &str, value: &str) -> String {
    let mut text = String::with_capacity(name.len() + value.len() + 8);
    text.push_str(",\"");
    text.push_str(name);
    text.push_str("\":\"");
    push_json_text(&mut text, value);
    text.push('"');
    text
}
