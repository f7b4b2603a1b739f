//! Base64, URIs, data URIs and JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use super::{Call, Function, as_text, function};
use crate::error::Fault;

pub(super) const TABLE: &[Function] = &[
    function("base64", 1, 1, |call| Ok(STANDARD.encode(call.text(0)?).into())),
    function("base64ToString", 1, 1, |call| Ok(decoded(call, call.text(0)?)?.into())),
    function("base64ToJson", 1, 1, |call| parsed(call, &decoded(call, call.text(0)?)?)),
    function("json", 1, 1, |call| parsed(call, call.text(0)?)),
    function("uri", 2, 2, |call| Ok(uri(call.text(0)?, call.text(1)?).into())),
    function("uriComponent", 1, 1, |call| Ok(utf8_percent_encode(call.text(0)?, COMPONENT).to_string().into())),
    function("uriComponentToString", 1, 1, |call| {
        Ok(percent_decode_str(call.text(0)?).decode_utf8_lossy().into_owned().into())
    }),
    function("dataUri", 1, 1, data_uri),
    function("dataUriToString", 1, 1, data_uri_to_string),
];

/// All but the unreserved characters of RFC 3986.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

const DATA: &str = "data:text/plain;charset=utf8;base64,";

fn decoded(call: &Call<'_, '_>, text: &str) -> Result<String, Fault> {
    let bytes = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    bytes.ok_or_else(|| call.fail("the argument is not the base64 of a string."))
}

fn parsed(call: &Call<'_, '_>, text: &str) -> Result<Value, Fault> {
    // A value costs many times its shortest text.
    call.evaluator.session.bytes(text.len().saturating_mul(16))?;
    serde_json::from_str(text).map_err(|_| call.fail("the argument is not JSON."))
}

/// The relative part after the last slash of the base.
fn uri(base: &str, relative: &str) -> String {
    if relative.contains("://") {
        return relative.to_owned();
    }
    let path = base.find("://").map_or(0, |at| at + 3);
    let authority = base.get(path..).and_then(|rest| rest.find('/')).map(|at| path + at);
    let end = match authority {
        Some(first) if relative.starts_with('/') => first,
        Some(_) => base.rfind('/').map_or(base.len(), |at| at + 1),
        None => base.len(),
    };
    let kept = base.get(..end).unwrap_or(base);
    let between = if authority.is_none() && !relative.starts_with('/') { "/" } else { "" };
    format!("{kept}{between}{relative}")
}

fn data_uri(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let text = as_text(call.value(0)).ok_or_else(|| call.expected(0, "a string"))?;
    Ok(format!("{DATA}{}", STANDARD.encode(text.as_bytes())).into())
}

fn data_uri_to_string(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let wrong = || call.fail("the argument is not a data URI.");
    let (head, data) = call.text(0)?.strip_prefix("data:").and_then(|rest| rest.split_once(',')).ok_or_else(wrong)?;
    if head.ends_with(";base64") {
        return Ok(decoded(call, data)?.into());
    }
    Ok(percent_decode_str(data).decode_utf8_lossy().into_owned().into())
}
