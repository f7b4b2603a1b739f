//! Parsed requests at the gate. What is admitted must satisfy every rule, read again independently.
#![no_main]

use contract::gate::{AllowedHosts, Gate, RequestHead, Surface};
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let (Some(method), Some(target)) = (lines.next(), lines.next()) else { return };
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let mut headers = HeaderMap::new();
    for line in lines.take(64) {
        let Some((name, value)) = line.split_once(':') else { continue };
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value.trim()))
        else {
            continue;
        };
        headers.append(name, value);
    }
    for (surface, hosts) in [
        (Surface::Imds, AllowedHosts::imds("127.0.0.1:16925".parse().expect("an address"), [])),
        (Surface::Extension, AllowedHosts::extension(50_342, [])),
    ] {
        let gate = Gate::new(surface, hosts);
        let head = RequestHead { method, path, query, headers: &headers, has_body: false };
        match gate.admit(head) {
            Err(refusal) => {
                let answer = refusal.answer(surface);
                assert!((400..500).contains(&answer.status), "a client's fault is 4xx");
                assert!(answer.body.starts_with(b"{\"error\":\"") && answer.body.ends_with(b"\"}"));
            }
            Ok(admitted) => {
                assert!(method == "GET" || (admitted.form && method == "POST"));
                let metadata: Vec<_> = headers.get_all("metadata").iter().collect();
                assert!(metadata.len() == 1 && metadata[0].as_bytes().trim_ascii().eq_ignore_ascii_case(b"true"));
                assert_eq!(headers.get_all("host").iter().count(), 1);
                for forbidden in ["x-forwarded-for", "origin", "sec-fetch-site"] {
                    assert!(!headers.contains_key(forbidden));
                }
                let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
                let known = match surface {
                    Surface::Imds => segments.len() >= 3 && segments[1] == "identity",
                    Surface::Extension => segments == ["oauth2", "token"],
                };
                assert!(known && !path.contains(['%', '\\', ';']));
            }
        }
    }
});
