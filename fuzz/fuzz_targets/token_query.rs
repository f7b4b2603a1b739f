//! Queries and forms of token requests.
#![no_main]

use contract::{extension, imds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &[u8])| {
    let (query, form) = input;
    if let Ok(request) = imds::TokenRequest::parse(query) {
        assert!(!request.resource.is_empty() && request.resource.len() <= 2_048);
        assert!(request.selector.is_none_or(|selector| !selector.value.is_empty() && selector.value.len() <= 2_048));
        let lower = query.to_ascii_lowercase();
        assert!(lower.contains("api-version") || lower.contains('%'));
    }
    if let Ok(request) = extension::TokenRequest::parse(query, Some(form)) {
        assert!(!request.resource.is_empty() && request.resource.len() <= 2_048);
        // What stands in the query alone is read alike without a form.
        if form.is_empty() {
            assert_eq!(extension::TokenRequest::parse(query, None), Ok(request));
        }
    }
});
