//! Parsed requests at the gate: method, target, header lines, and behind an empty line a body. What is admitted
//! must satisfy every rule, read again independently, and what satisfies them must be admitted.
#![no_main]

use contract::gate::{AllowedHosts, Gate, RequestHead, Surface};
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use symbolon_fuzz::accepted;

fuzz_target!(|text: &str| {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let has_body = !body.is_empty();
    let mut lines = head.split('\n');
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
        let head = RequestHead { method, path, query, headers: &headers, has_body };
        let sound = is_sound(surface, method, path, &headers, has_body);
        match gate.admit(head) {
            Err(refusal) => {
                assert!(!sound, "{refusal:?}");
                for answer in [refusal.answer(surface), refusal.answer_at(path)] {
                    assert!((400..500).contains(&answer.status), "a client's fault is 4xx");
                    assert!(serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok_and(|body| body["error"].is_string()));
                }
            }
            Ok(admitted) => {
                accepted();
                assert!(sound && admitted.post == (method == "POST") && admitted.query == query.unwrap_or(""));
            }
        }
    }
});

fn is_sound(surface: Surface, method: &str, path: &str, headers: &HeaderMap, has_body: bool) -> bool {
    let is_one_of = |name: &str, allowed: &[&str]| {
        let values: Vec<_> = headers.get_all(name).iter().collect();
        values.len() == 1
            && allowed.iter().any(|allowed| values[0].as_bytes().trim_ascii().eq_ignore_ascii_case(allowed.as_bytes()))
    };
    let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let (known, hosts): (_, &[&str]) = match surface {
        Surface::Imds => (
            match segments[..] {
                [first, "identity", "oauth2", "token"]
                | [first, "identity", "info"]
                | [first, "instance", ..]
                | [first, "versions" | "scheduledevents" | "loadbalancer"]
                | [first, "attested", "document"] => first.eq_ignore_ascii_case("metadata"),
                _ => false,
            },
            &["169.254.169.254", "169.254.169.254:80", "127.0.0.1:16925"],
        ),
        Surface::Extension => (
            segments == ["oauth2", "token"],
            &["localhost", "localhost:50342", "127.0.0.1", "127.0.0.1:50342", "[::1]", "[::1]:50342"],
        ),
    };
    let takes_post = surface == Surface::Extension || segments.get(1) == Some(&"scheduledevents");
    let post = takes_post && method == "POST";
    let foreign = ["origin", "sec-fetch-site", "x-forwarded-for"].iter().any(|name| headers.contains_key(*name));
    path.starts_with('/')
        && known
        && (post || (method == "GET" && !has_body))
        && is_one_of("host", hosts)
        && is_one_of("metadata", &["true"])
        && !foreign
}
