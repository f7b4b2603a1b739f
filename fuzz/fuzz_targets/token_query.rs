//! Queries and forms of token requests: the query on the first line, the form behind it.
#![no_main]

use contract::{extension, imds};
use libfuzzer_sys::fuzz_target;
use symbolon_fuzz::accepted;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (query, form) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    let Ok(query) = std::str::from_utf8(query) else { return };
    if let Ok(request) = imds::TokenRequest::parse(query) {
        accepted();
        assert!(!request.resource.is_empty() && request.resource.len() <= 2_048);
        assert!(request.selector.is_none_or(|selector| !selector.value.is_empty() && selector.value.len() <= 2_048));
        let lower = query.to_ascii_lowercase();
        assert!(lower.contains("api-version") || lower.contains('%'));
    }
    if let Ok(request) = extension::TokenRequest::parse(query, Some(form)) {
        accepted();
        assert!(!request.resource.is_empty() && request.resource.len() <= 2_048);
        // What stands in the query alone is read alike without a form.
        if form.is_empty() {
            assert_eq!(extension::TokenRequest::parse(query, None), Ok(request));
        }
    }
});
