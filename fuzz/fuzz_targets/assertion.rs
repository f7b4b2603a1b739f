//! Client assertions: whole JWTs, and headers and claims that are put together into one.
#![no_main]

use contract::assertion::UnverifiedAssertion;
use contract::jose;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str)| {
    let (jwt, header, claims) = input;
    let _ = UnverifiedAssertion::parse(jwt);
    let whole = format!("{}.{}.AA", jose::encode(header), jose::encode(claims));
    let Ok(read) = UnverifiedAssertion::parse(&whole) else { return };
    let header = jose::object(header.as_bytes()).expect("it was read");
    for forbidden in ["jwk", "jku", "x5u", "crit"] {
        assert!(!header.contains_key(forbidden));
    }
    assert!(matches!(header["alg"].as_str(), Some("RS256" | "PS256")));
    assert!(read.expires_on >= i64::MIN && whole.starts_with(read.signed));
});
