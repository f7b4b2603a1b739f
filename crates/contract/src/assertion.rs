//! Client assertions as real clients send them: one parser, tolerant where they differ and strict where it
//! matters.
//!
//! Times come as integers, floats or strings of digits, or not at all (MSAL for Python, MSAL .NET); a
//! thumbprint may be padded and in either alphabet of base64 (MSAL for Go, msal4j); `x5c` may be a string or a
//! list, with line breaks inside. What would let an attacker choose the key or the algorithm is refused: `none`,
//! HS*, an embedded `jwk`, `jku` or `x5u`, unknown `crit`, a member that stands twice. Public source: MicrosoftDocs/entra-docs `certificate-credentials.md`.

use std::fmt;

use serde_json::{Map, Value};

use crate::jose;

/// The longest assertion that is looked at, in bytes.
pub const MAX_LENGTH: usize = 32 * 1024;
/// The longest `kid`, in characters.
const MAX_KID: usize = 128;

/// How an assertion is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AssertionAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
}

/// The signed form of an assertion: a compact JWS of which the header and the framing were read. Nothing in it has
/// been verified. `Debug` shows neither payload nor signature: together they can be used.
#[derive(Clone, PartialEq)]
pub struct UnverifiedJws<'a> {
    /// How it says it is signed.
    pub algorithm: AssertionAlgorithm,
    /// The header's members.
    pub header: Map<String, Value>,
    /// The payload, whatever it is.
    pub payload: Vec<u8>,
    /// What is signed.
    pub signed: &'a str,
    /// The signature.
    pub signature: Vec<u8>,
}

impl fmt::Debug for UnverifiedJws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedJws").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl<'a> UnverifiedJws<'a> {
    /// Reads a compact JWS.
    ///
    /// # Errors
    /// When it isn't one, or its header lets the sender choose key or algorithm.
    pub fn parse(jws: &'a str) -> Result<Self, MalformedAssertion> {
        if jws.len() > MAX_LENGTH {
            return Err(MalformedAssertion::TooLong);
        }
        let (signed, signature) = jws.rsplit_once('.').ok_or(MalformedAssertion::NotAJwt)?;
        let (header, payload) = signed.split_once('.').ok_or(MalformedAssertion::NotAJwt)?;
        let decode = |part: &str| jose::decode(part).ok_or(MalformedAssertion::NotAJwt);
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
        let header = jose::object(&header).map_err(|_| MalformedAssertion::NotAnObject("header"))?;
        for forbidden in ["jwk", "jku", "x5u", "crit", "b64", "zip"] {
            if header.contains_key(forbidden) {
                return Err(MalformedAssertion::Forbidden(forbidden));
            }
        }
        let algorithm = match header.get("alg").and_then(Value::as_str) {
            Some("RS256") => AssertionAlgorithm::Rs256,
            Some("PS256") => AssertionAlgorithm::Ps256,
            Some(_) | None => return Err(MalformedAssertion::Algorithm),
        };
        Ok(Self { algorithm, header, payload, signed, signature })
    }
}

/// An assertion that was read. Nothing in it has been verified. `Debug` doesn't show what could be sent again.
#[derive(Clone, PartialEq)]
pub struct UnverifiedAssertion<'a> {
    /// How it says it is signed.
    pub algorithm: AssertionAlgorithm,
    /// The key it names (`kid`), in the issuer's own words.
    pub kid: Option<String>,
    /// The SHA-1 thumbprint of its certificate (`x5t`).
    pub thumbprint_sha1: Option<[u8; 20]>,
    /// The SHA-256 thumbprint of its certificate (`x5t#S256`).
    pub thumbprint_sha256: Option<[u8; 32]>,
    /// The thumbprint as it was sent, for the refusal that names it.
    pub thumbprint_text: String,
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `aud`: one or several.
    pub audiences: Vec<String>,
    /// `exp`, whole seconds.
    pub expires_on: i64,
    /// `nbf`, whole seconds.
    pub not_before: Option<i64>,
    /// What is signed.
    pub signed: &'a str,
    /// The signature.
    pub signature: Vec<u8>,
}

/// Why an assertion can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedAssertion {
    /// It is longer than any sound one.
    #[error("it is too long")]
    TooLong,
    /// Not three parts of base64url.
    #[error("it is not a signed JWT")]
    NotAJwt,
    /// A part isn't a JSON object whose members stand there once.
    #[error("its {0} is not a JSON object with distinct members")]
    NotAnObject(&'static str),
    /// An algorithm that isn't taken.
    #[error("its algorithm is not RS256 or PS256")]
    Algorithm,
    /// A header member that would let the sender choose the key.
    #[error("its header has '{0}', which is not allowed")]
    Forbidden(&'static str),
    /// A member of the wrong type, or one that must be there and isn't.
    #[error("its '{0}' is missing or has the wrong type")]
    Member(&'static str),
}

impl fmt::Debug for UnverifiedAssertion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedAssertion")
            .field("algorithm", &self.algorithm)
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .field("audiences", &self.audiences)
            .field("expires_on", &self.expires_on)
            .finish_non_exhaustive()
    }
}

impl<'a> UnverifiedAssertion<'a> {
    /// Reads a compact JWT.
    ///
    /// # Errors
    /// When it isn't an assertion that could be verified at all.
    pub fn parse(jwt: &'a str) -> Result<Self, MalformedAssertion> {
        let UnverifiedJws { algorithm, header, payload, signed, signature } = UnverifiedJws::parse(jwt)?;
        let claims = jose::object(&payload).map_err(|_| MalformedAssertion::NotAnObject("payload"))?;
        check_x5c(&header)?;
        // It decides nothing, but what isn't a time is no sound assertion.
        time(&claims, "iat")?;
        let sha1_text = text(&header, "x5t")?;
        let sha256_text = text(&header, "x5t#S256")?;
        let kid = text(&header, "kid")?;
        if kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID) {
            return Err(MalformedAssertion::Member("kid"));
        }
        Ok(Self {
            algorithm,
            thumbprint_sha1: thumbprint(sha1_text.as_deref(), "x5t")?,
            thumbprint_sha256: thumbprint(sha256_text.as_deref(), "x5t#S256")?,
            thumbprint_text: sha256_text.or(sha1_text).or_else(|| kid.clone()).unwrap_or_default(),
            kid,
            issuer: text(&claims, "iss")?.ok_or(MalformedAssertion::Member("iss"))?,
            subject: text(&claims, "sub")?.ok_or(MalformedAssertion::Member("sub"))?,
            audiences: audiences(&claims)?,
            expires_on: time(&claims, "exp")?.ok_or(MalformedAssertion::Member("exp"))?,
            not_before: time(&claims, "nbf")?,
            signed,
            signature,
        })
    }
}

fn text(object: &Map<String, Value>, name: &'static str) -> Result<Option<String>, MalformedAssertion> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(MalformedAssertion::Member(name))
        }
    }
}

fn thumbprint<const N: usize>(text: Option<&str>, name: &'static str) -> Result<Option<[u8; N]>, MalformedAssertion> {
    let Some(text) = text else { return Ok(None) };
    let bytes = jose::decode_lenient(text).ok_or(MalformedAssertion::Member(name))?;
    bytes.try_into().map(Some).map_err(|_| MalformedAssertion::Member(name))
}

/// The certificates that come along are of no interest (the key is the one that is registered), but they
/// must be what they say.
fn check_x5c(header: &Map<String, Value>) -> Result<(), MalformedAssertion> {
    match header.get("x5c") {
        None | Some(Value::String(_)) => Ok(()),
        Some(Value::Array(list)) if list.iter().all(Value::is_string) => Ok(()),
        Some(Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
            Err(MalformedAssertion::Member("x5c"))
        }
    }
}

fn audiences(claims: &Map<String, Value>) -> Result<Vec<String>, MalformedAssertion> {
    let wrong = MalformedAssertion::Member("aud");
    match claims.get("aud") {
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(list)) => {
            list.iter().map(|one| one.as_str().map(str::to_owned).ok_or(wrong.clone())).collect()
        }
        None | Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => Err(wrong),
    }
}

/// Seconds as an integer, a float, or a string of digits.
fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, MalformedAssertion> {
    let wrong = MalformedAssertion::Member(name);
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => {
            let float = || number.as_f64().and_then(whole_seconds);
            number.as_i64().or_else(float).map(Some).ok_or(wrong)
        }
        Some(Value::String(digits)) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map(Some).map_err(|_| wrong)
        }
        Some(Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Err(wrong),
    }
}

/// The year 9999 is the last that a date has.
const LAST_SECOND: f64 = 253_402_300_799.0;

fn whole_seconds(seconds: f64) -> Option<i64> {
    // Through text: an `as` cast would turn anything into something.
    (seconds.is_finite() && (0.0..=LAST_SECOND).contains(&seconds))
        .then(|| format!("{:.0}", seconds.floor()).parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests;
