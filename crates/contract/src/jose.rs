//! JSON and base64 as JWTs need them: strict, and without second meanings.

use std::fmt;

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// For the places where real clients differ: with or without padding.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
/// Base64url, padded or not.
const LENIENT_URL: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);
/// Standard base64, padded or not.
const LENIENT_STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);

/// Decodes strict, unpadded base64url.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Decodes a thumbprint, in whichever alphabet and padded or not: MSAL for Python pads base64url; MSAL for Go
/// (`Credential.JWT`), msal4j and `azure_identity` for Rust send the standard alphabet, with `+` and `/`.
#[must_use]
pub fn decode_lenient(text: &str) -> Option<Vec<u8>> {
    LENIENT_URL.decode(text).or_else(|_| LENIENT_STANDARD.decode(text)).ok()
}

/// Encodes as unpadded base64url.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Appends unpadded base64url.
pub fn encode_into(bytes: impl AsRef<[u8]>, text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// Reads a JSON object in which no member stands twice, at any depth. What two readers would read
/// differently is refused.
///
/// # Errors
/// When it isn't one.
pub fn object(json: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    let Unambiguous(value) = serde_json::from_slice(json)?;
    match value {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(serde_json::Error::custom("it is not an object"))
        }
    }
}

/// A JSON value without repeated members.
struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unambiguous(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Unambiguous(value))) = members.next_entry::<String, Unambiguous>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the member '{name}' is there twice")));
            }
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn repeated_members_are_refused_at_any_depth() {
        assert!(object(br#"{"a":1,"b":{"a":2}}"#).is_ok());
        for wrong in [r#"{"a":1,"a":1}"#, r#"{"b":[{"a":1,"\u0061":2}]}"#, "[]", "1", "{", r#"{"a":1e400}"#] {
            assert!(object(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn base64url_is_strict_where_it_must_be() {
        assert_eq!(decode("_-8").as_deref(), Some(&[0xff, 0xef][..]));
        for wrong in ["_-8=", "/+8", "_-9", "a b", "?"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_thumbprint_may_be_in_either_alphabet_and_in_one_only() {
        for same in ["_-8", "_-8=", "/+8", "/+8="] {
            assert_eq!(decode_lenient(same), decode("_-8"), "{same}");
        }
        for wrong in ["_+8", "/-8=", "_-8==", "_-9", "/+9=", "a b", "?"] {
            assert_eq!(decode_lenient(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_another_reader_wrote_is_read_the_same(members: std::collections::BTreeMap<String, i64>) {
            let json = serde_json::to_vec(&members).unwrap();
            prop_assert_eq!(Value::Object(object(&json).unwrap()), serde_json::to_value(&members).unwrap());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = object(&bytes);
        }
    }
}
