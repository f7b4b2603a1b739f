//! What a caller hears when no token can be made.

use broker::SourceError;

use super::*;

#[tokio::test]
async fn an_authority_that_is_gone_is_503_with_retry_after() {
    let world = World::new(fixtures::vm(true, 0));
    world.source.take_down();
    let answer = world.get(TOKEN).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    let body =
        r#"{"error":"service_unavailable","error_description":"No token can be obtained at the moment, retry later"}"#;
    assert_eq!(answer.body, body);
    world.source.fail_with(None);
    assert_eq!(world.get(TOKEN).await.status, 200, "it is asked again at once");
}

#[tokio::test]
async fn a_cached_token_outlives_the_authority() {
    let world = World::new(fixtures::vm(true, 0));
    world.get(TOKEN).await;
    world.source.take_down();
    world.clock.advance(std::time::Duration::from_secs(80_000));
    let answer = world.get(TOKEN).await;
    assert!(answer.body.contains("token-0") && answer.body.contains("\"expires_in\":\"6400\""), "{}", answer.body);
}

#[tokio::test]
async fn a_refusal_of_the_authority_is_the_callers_400() {
    let world = World::new(fixtures::vm(true, 0));
    for error in ["invalid_resource", "invalid_scope"] {
        let description = "AADSTS500011: The resource principal named r was not found.".to_owned();
        world.source.fail_with(Some(SourceError::Refused { error: error.to_owned(), description }));
        let answer = world.get(TOKEN).await;
        let wanted = format!(
            "{{\"error\":\"{error}\",\"error_description\":\"AADSTS500011: The resource principal named r was not found.\"}}"
        );
        assert_eq!((answer.status, answer.body), (400, wanted));
    }
}

#[tokio::test]
async fn a_full_signing_queue_is_503_and_a_bug_is_500() {
    let world = World::new(fixtures::vm(true, 0));
    world.source.fail_with(Some(SourceError::Busy { retry_after: std::time::Duration::from_secs(2) }));
    let answer = world.get(TOKEN).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")));
    let bug = SourceError::Internal(Arc::new(std::io::Error::other("/secret/path")));
    world.source.fail_with(Some(bug));
    let answer = world.get(TOKEN).await;
    let body = r#"{"error":"server_error","error_description":"An internal error occurred"}"#;
    assert_eq!((answer.status, answer.body.as_str()), (500, body));
}

#[tokio::test]
async fn a_clock_that_went_back_gives_no_token() {
    let world = World::new(fixtures::vm(true, 0));
    world.get(TOKEN).await;
    world.clock.set_wall(domain::Timestamp::from_unix(fixtures::NOW - 86_400));
    let answer = world.get(TOKEN).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("30")));
    assert!(!answer.body.contains("token-0"));
}
