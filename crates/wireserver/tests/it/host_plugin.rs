//! The HostGAPlugin: versions, vmSettings, status.

use super::*;

const BLOB: &str = r#"{"version":"1.1","timestampUTC":"2026-01-01T00:00:00Z","aggregateStatus":{
    "guestAgentStatus":{"version":"2.15.0.1","status":"Ready","formattedMessage":{"lang":"en-US","message":""}},
    "handlerAggregateStatus":[]}}"#;

/// The call that carries a blob; base64 is another crate's business, so it stands here ready made.
fn call(content: &str) -> String {
    format!(r#"{{"requestUri":"http://x/status?sr=b","headers":[{{"headerName":"a","headerValue":"b"}}]{content}}}"#)
}

#[tokio::test]
async fn versions_and_health_are_told_to_whom_asks() {
    let world = World::new();
    let answer = world.ask_plugin("GET", "/versions", "x-ms-containerid: another\r\n", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "[\"2015-09-01\"]"));
    assert_eq!(world.ask_plugin("GET", "/health", "", "").await.status, 200);
}

#[tokio::test]
async fn vm_settings_come_with_an_etag_and_only_when_they_are_new() {
    let world = World::new();
    let answer = world.ask_plugin("GET", "/vmSettings", PLUGIN, "").await;
    assert_eq!((answer.status, answer.header("etag")), (200, Some("70007")));
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert!(answer.body.contains("\"settingsSeqNo\":3"), "{}", answer.body);
    assert_eq!(*world.machine.joined.lock().unwrap(), 1);
    for known in ["70007", "\"70007\"", "W/\"70007\"", "\"x\", \"70007\"", "*"] {
        let answer = world.ask_plugin("GET", "/vmSettings", &format!("{PLUGIN}if-none-match: {known}\r\n"), "").await;
        assert_eq!((answer.status, answer.header("etag")), (304, Some("70007")), "{known}");
        assert!(!answer.closes());
    }
    for other in ["70006", "\"7000\"", "\"700070\"", ""] {
        let answer = world.ask_plugin("GET", "/vmSettings", &format!("{PLUGIN}if-none-match: {other}\r\n"), "").await;
        assert_eq!(answer.status, 200, "{other}");
    }
    {
        let mut goal_state = world.machine.goal_state.lock().unwrap();
        goal_state.as_mut().unwrap().etag = "70008".to_owned();
    }
    let answer = world.ask_plugin("GET", "/vmSettings", &format!("{PLUGIN}if-none-match: 70007\r\n"), "").await;
    assert_eq!((answer.status, answer.header("etag")), (200, Some("70008")));
}

#[tokio::test]
async fn a_header_that_names_another_container_is_gone_and_one_too_few_is_not() {
    let world = World::new();
    let version = "x-ms-version: 2015-09-01\r\n";
    let other = format!("{version}x-ms-containerid: 00000000-0000-0000-0000-00000000000f\r\n");
    let body = call("");
    for (method, target, body) in
        [("GET", "/vmSettings", ""), ("PUT", "/status", &body), ("GET", "/extensionArtifact", "")]
    {
        assert_eq!(world.ask_plugin(method, target, &other, body).await.status, 410, "{target}");
    }
    assert_eq!(world.ask_plugin("GET", "/vmSettings", version, "").await.status, 200);
    assert_eq!(world.ask_plugin("GET", "/vmSettings", &PLUGIN.to_uppercase(), "").await.status, 200);
}

#[tokio::test]
async fn a_status_is_taken_through_the_plugin_and_directly() {
    let world = World::new();
    // {"aggregateStatus":{"guestAgentStatus":{"version":"1","status":"Ready"}}}
    let content =
        "eyJhZ2dyZWdhdGVTdGF0dXMiOnsiZ3Vlc3RBZ2VudFN0YXR1cyI6eyJ2ZXJzaW9uIjoiMSIsInN0YXR1cyI6IlJlYWR5In19fQ==";
    let body = call(&format!(",\"content\":\"{content}\""));
    let answer = world.ask_plugin("PUT", "/status", PLUGIN, &body).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    let lines = "x-ms-blob-type: BlockBlob\r\nx-ms-version: 2014-02-14\r\n";
    let answer = world.send("PUT", &format!("/status/{CONTAINER}?sr=b"), lines, BLOB).await;
    assert_eq!((answer.status, answer.body.as_str()), (201, ""));
    let versions = world.machine.statuses.lock().unwrap();
    let versions = versions.iter().map(|blob| blob.aggregate_status.guest_agent_status.version.as_str());
    assert_eq!(versions.collect::<Vec<_>>(), ["1", "2.15.0.1"]);
}

#[tokio::test]
async fn a_call_that_only_makes_a_blob_is_taken_and_says_nothing() {
    let world = World::new();
    assert_eq!(world.ask_plugin("PUT", "/status", PLUGIN, &call("")).await.status, 200);
    assert_eq!(world.machine.statuses.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn what_is_no_status_is_refused_without_a_word_of_it() {
    let world = World::new();
    for body in ["", "secret", "{}x", "\"secret\"", &call(",\"content\":\"%secret\""), &call(",\"content\":\"bm8=\"")] {
        let answer = world.ask_plugin("PUT", "/status", PLUGIN, body).await;
        assert_eq!((answer.status, answer.body.contains("The status can't be read")), (400, true), "{body}");
        assert!(!answer.body.contains("secret"), "{}", answer.body);
    }
    let target = format!("/status/{CONTAINER}");
    for body in ["", "secret", "{}"] {
        assert_eq!(world.send("PUT", &target, "", body).await.status, 400, "{body}");
    }
    assert_eq!(world.machine.statuses.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_status_for_another_address_is_gone() {
    let world = World::new();
    for target in ["/status/", "/status/other", &format!("/status/{CONTAINER}/x")] {
        assert_eq!(world.send("PUT", target, "", BLOB).await.status, 410, "{target}");
    }
    assert_eq!(world.machine.statuses.lock().unwrap().len(), 0);
}
