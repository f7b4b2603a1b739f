//! Names that are made from other names.

use std::fmt::Write as _;

use serde_json::Value;
use uuid::Uuid;

use super::{Call, Function, MANY, function};
use crate::error::Fault;

pub(super) const TABLE: &[Function] =
    &[function("guid", 1, MANY, guid), function("uniqueString", 1, MANY, unique_string)];

/// The namespace of `guid`, from Microsoft's "String functions for Bicep".
const GUIDS: Uuid = Uuid::from_u128(0x11fb_06fb_712d_4ddd_98c7_e71b_bd58_8830);
/// Ours, of `uniqueString`.
const STRINGS: Uuid = Uuid::from_u128(0x5e0f_91c7_3a64_5f1b_9d28_70c3_1b6e_44ad);

/// A version 5 UUID of the arguments joined by `-`: the same that Azure gives.
fn guid(call: &Call<'_, '_>) -> Result<Value, Fault> {
    Ok(Uuid::new_v5(&GUIDS, joined(call)?.as_bytes()).to_string().into())
}

/// 13 characters of base 32, the same for the same arguments. Azure's hash is not published, so the characters are
/// others than Azure's.
fn unique_string(call: &Call<'_, '_>) -> Result<Value, Fault> {
    const DIGITS: [char; 32] = [
        'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
        'w', 'x', 'y', 'z', '2', '3', '4', '5', '6', '7',
    ];
    let mut hash = Uuid::new_v5(&STRINGS, joined(call)?.as_bytes()).as_u128();
    let mut text = String::new();
    for _ in 0..13 {
        // The lowest 62 bits are all of the hash's own.
        let digit = usize::try_from(hash % 32).unwrap_or_default();
        text.extend(DIGITS.get(digit));
        hash /= 32;
    }
    Ok(text.into())
}

fn joined(call: &Call<'_, '_>) -> Result<String, Fault> {
    let mut text = String::new();
    for at in 0..call.arguments.len() {
        let between = if at > 0 { "-" } else { "" };
        write!(text, "{between}{}", call.text(at)?).map_err(|_| call.fail("the arguments can't be joined."))?;
    }
    Ok(text)
}
