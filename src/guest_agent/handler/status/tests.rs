use proptest::prelude::*;
use serde_json::json;

use super::*;

fn parse(status: &Value) -> Result<SettingsStatus, InvalidDocument> {
    SettingsStatus::parse(json!([{"version": 1.0, "timestampUTC": "t", "status": status}]).to_string().as_bytes())
}

#[test]
fn the_words_of_a_status() {
    for (word, level) in [
        ("transitioning", StatusLevel::Transitioning),
        ("warning", StatusLevel::Warning),
        ("error", StatusLevel::Error),
        ("Success", StatusLevel::Success),
        ("done", StatusLevel::Error),
    ] {
        assert_eq!(parse(&json!({"status": word})).unwrap().status.status, level, "{word}");
    }
}

#[test]
fn a_slip_of_a_handler_hides_nothing_else() {
    let odd = json!({
        "name": 7, "operation": null, "status": "success", "code": "0", "formattedMessage": "text",
        "substatus": [{"name": "port", "status": "success", "code": 3, "new": 1}, 7, {}], "also": [1],
    });
    let status = parse(&odd).unwrap().status;
    assert_eq!((status.name, status.code, status.formatted_message), (None, 0, None));
    let [part] = &status.substatus[..] else { panic!("{:?}", status.substatus) };
    assert_eq!((part.name.as_deref(), part.code, &part.other["new"]), (Some("port"), 3, &json!(1)));
    assert_eq!(status.other["also"], json!([1]));
    for bad in [json!({}), json!({"status": 7}), json!(7), json!(null)] {
        parse(&bad).unwrap_err();
    }
    for bad in ["", "[]", "{}", "[{},{}]"] {
        SettingsStatus::parse(bad.as_bytes()).unwrap_err();
    }
    let long = format!("{:>1$}", "]", MAX_FILE + 1);
    assert!(matches!(SettingsStatus::parse(long.as_bytes()), Err(InvalidDocument::TooLong { .. })));
}

#[test]
fn what_is_too_long_is_cut() {
    let message = |len: usize| json!({"lang": "en-US", "message": "x".repeat(len)});
    let whole = parse(&json!({"status": "success", "formattedMessage": message(100_000)})).unwrap();
    assert_eq!(whole.status.formatted_message.unwrap().message.len(), 100_000);

    let cut = parse(&json!({"status": "success", "formattedMessage": message(200_000)})).unwrap();
    let text = cut.status.formatted_message.unwrap().message;
    assert_eq!(text.len(), CUT_MESSAGE);
    assert!(text.ends_with("x... [TRUNCATED]"));

    let part = |len| json!({"name": "part", "status": "success", "formattedMessage": message(len)});
    let cut = parse(&json!({"status": "success", "substatus": vec![part(20_000); 20], "more": "y"})).unwrap();
    assert!(cut.len() <= MAX_STATUS);
    assert_eq!(cut.status.substatus.len(), 11);
    assert_eq!(cut.status.substatus[0].formatted_message.as_ref().unwrap().message.len(), CUT_SUBSTATUS);
    assert!(cut.status.other.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn nothing_stays_too_long(
        text in "[\u{0}-\u{20}\"\\\\\u{e4}\u{1f600}a-z]{0,40}",
        times in 1_usize..6_000,
        parts in 0_usize..40,
    ) {
        let text = text.repeat(times);
        let message = || Some(FormattedMessage { lang: text.clone(), message: text.clone() });
        let part = || Substatus { name: Some(text.clone()), formatted_message: message(), ..Substatus::default() };
        let status = ExtensionStatus {
            name: Some(text.clone()),
            operation: Some(text.clone()),
            configuration_applied_time: Some(text.clone()),
            formatted_message: message(),
            substatus: (0..parts).map(|_| part()).collect(),
            ..ExtensionStatus::default()
        };
        let mut status = SettingsStatus::new(text.clone(), status);
        let before = status.clone();
        status.cut();
        prop_assert!(status.len() <= MAX_STATUS);
        prop_assert!(before.len() > MAX_STATUS || status == before);
    }
}
