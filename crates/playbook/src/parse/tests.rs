use proptest::prelude::*;

use super::*;

fn one(step: &str) -> Step {
    let mut playbook = parse(&format!("steps:\n  - {step}\n")).unwrap();
    assert_eq!(playbook.steps.len(), 1);
    playbook.steps.remove(0)
}

fn mistake(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn every_fault_is_written_in_its_own_word() {
    let status = |status, retry_after, body: Option<&str>| Outcome::Status {
        status,
        retry_after,
        body: body.map(str::to_owned),
    };
    for (written, outcome) in [
        ("{status: 404}", status(404, RetryAfter::AsEver, None)),
        ("{status: 429, retryAfter: 7}", status(429, RetryAfter::Seconds(7), None)),
        ("{status: 429, retryAfter: none}", status(429, RetryAfter::None, None)),
        ("{status: 502, body: <h1>Bad Gateway</h1>}", status(502, RetryAfter::AsEver, Some("<h1>Bad Gateway</h1>"))),
        ("{drop: true}", Outcome::Dropped),
        ("{partial: 0}", Outcome::Partial(0)),
        ("{expiredToken: true}", Outcome::ExpiredToken),
        ("{notPropagated: true}", Outcome::NotPropagated),
    ] {
        assert_eq!(one(written).fault, Fault { latency: Duration::ZERO, outcome }, "{written}");
    }
}

#[test]
fn which_requests_when_and_for_how_long() {
    let step = one(
        "{vm: dev, path: /metadata/identity, from: 2, every: 3, count: 4, for: 1m 10s, latency: 250ms, status: 410}",
    );
    assert_eq!((step.vm.as_deref(), step.path.as_deref()), (Some("dev"), Some("/metadata/identity")));
    let when = When { from: 2, every: 3, count: Some(4), duration: Some(Duration::from_secs(70)) };
    assert_eq!((step.when, step.fault.latency), (when, Duration::from_millis(250)));
    let step = one("{latency: 2s}");
    assert_eq!(step.when, When { from: 1, every: 1, count: None, duration: None });
    assert_eq!(step.fault, Fault { latency: Duration::from_secs(2), outcome: Outcome::Answered });
}

#[test]
fn json_is_read_too() {
    let playbook = parse(r#"{"steps": [{"status": 503, "count": 2}, {"drop": true}]}"#).unwrap();
    assert_eq!(playbook.steps.len(), 2);
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (text, told) in [
        ("steps:\n  - status: 404\n    cuont: 2\n", "3:5: unknown field `cuont`"),
        ("stpes: []\n", "1:1: unknown field `stpes`"),
        (
            "steps:\n  - status: 418\n",
            "2:13: '418' is none of 400, 401, 403, 404, 405, 408, 410, 429, 500, 502, 503, 504",
        ),
        ("steps:\n  - status: many\n", "2:13: "),
        ("steps:\n  - {status: 404,\n     count: 0}\n", "3:13: count is 1 or more"),
        ("steps:\n  - {status: 410, for: soon}\n", "2:24: 'soon' is not a time such as 500ms, 70s or 2m"),
        ("steps:\n  - {status: 410, for: -3s}\n", "2:24: '-3s' is not a time"),
        ("steps:\n  - latency: 11m\n", "2:14: a latency is 600 s at most"),
        ("steps:\n  - {status: 429, retryAfter: later}\n", "2:31: retryAfter is a number of seconds or none"),
        ("steps:\n  - {drop: true, retryAfter: 1}\n", "2:30: retryAfter and body go with a status"),
        ("steps:\n  - {status: 404, drop: true}\n", "2:5: a step has one of status, drop"),
        ("steps:\n  - vm: dev\n", "2:5: a step has one of status, drop"),
        ("steps:\n  - {drop: true, path: metadata}\n", "2:24: a path begins with /"),
        ("steps: []\n", "a playbook has at least one step"),
        ("", ""),
        ("steps: [\n", ""),
    ] {
        let mistake = mistake(text);
        assert!(mistake.starts_with(told), "{text:?}: {mistake}");
    }
    let steps = "  - drop: true\n".repeat(MAX_STEPS + 1);
    assert_eq!(mistake(&format!("steps:\n{steps}")), "102:5: a playbook has 100 steps at most");
    assert_eq!(mistake(&"#".repeat(MAX_TEXT + 1)), "a playbook has 65536 bytes at most");
}

proptest! {
    #[test]
    fn any_text_has_a_verdict(text in "(steps:|  - |[a-zA-Z]{1,14}: |[0-9]{1,22}|[smh{}\\[\\],\"&*!|>%#\n -])*") {
        drop(parse(&text));
    }

    #[test]
    fn any_times_and_numbers_have_a_verdict(latency in ".{0,30}", number: i64, status: u16) {
        let quoted = serde_json::to_string(&latency).unwrap();
        let text = format!("steps: [{{latency: {quoted}, for: {quoted}, from: {number}, status: {status}}}]");
        if let Ok(playbook) = parse(&text) {
            prop_assert!(STATUSES.contains(&status) && number > 0);
            prop_assert!(playbook.steps.iter().all(|step| step.fault.latency <= MAX_LATENCY));
        }
    }
}
