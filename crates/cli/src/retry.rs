//! Asking again where a server has too much to do, as Azure's SDKs do.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, Method, StatusCode};

use crate::http_client::Answer;
use crate::printer::Printer;

/// How often it is asked again.
const RETRIES: u32 = 3;
/// The longest that a server may have us wait.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// Sends a request, and again while the server has too much to do; the last answer, whatever it is. What may not be done
/// twice is sent once. Where the server doesn't say how long to wait, each wait is twice as long as the one before.
///
/// # Errors
/// Those of `send`, at once.
pub(crate) async fn patiently(
    method: &Method,
    mut send: impl AsyncFnMut() -> anyhow::Result<Answer>,
    mut wait: impl AsyncFnMut(Duration),
) -> anyhow::Result<Answer> {
    let mut own = Duration::from_secs(1);
    for _ in 0..RETRIES {
        let answer = send().await?;
        if !is_busy(answer.status) || !method.is_idempotent() {
            return Ok(answer);
        }
        wait(retry_after(&answer.headers).unwrap_or(own).min(LONGEST)).await;
        own *= 2;
    }
    send().await
}

/// Whether a server says that it has too much to do.
pub(crate) fn is_busy(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

/// How long a server wants to be left alone, when it says that in seconds.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

/// What is said when a server was asked as often as it may be.
pub(crate) fn given_up() -> String {
    format!("it was asked {} times and has too much to do; try again later", RETRIES + 1)
}

/// Waits, and says so.
pub(crate) async fn wait(pause: Duration) {
    let told = Printer.note(format!("the server has too much to do; asking again in {} s", pause.as_secs()));
    // Whoever doesn't read that gets the answer all the same.
    drop(told);
    rest(pause).await;
}

#[expect(clippy::disallowed_methods, reason = "the other process has no other way of telling")]
pub(crate) async fn rest(pause: Duration) {
    tokio::time::sleep(pause).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends to a server that answers so, each time with a `Retry-After` or without; how long was waited, and the status
    /// of what came of it.
    async fn sent(method: Method, answers: &[(u16, Option<&str>)]) -> (Vec<u64>, u16) {
        let (mut answers, mut waits) = (answers.iter(), Vec::new());
        let send = async || {
            let (status, after) = answers.next().expect("it isn't asked that often");
            let headers = after.map(|after| (RETRY_AFTER, after.parse().unwrap())).into_iter().collect();
            Ok(Answer { status: StatusCode::from_u16(*status).unwrap(), headers, body: Default::default() })
        };
        let answer = patiently(&method, send, async |pause| waits.push(pause.as_secs())).await.unwrap();
        assert_eq!(answers.next(), None, "it is asked as often as it may be");
        (waits, answer.status.as_u16())
    }

    #[tokio::test]
    async fn a_busy_server_is_asked_again_when_it_says() {
        let answers = [(429, Some("2")), (503, Some("3600")), (429, None), (200, None)];
        assert_eq!(sent(Method::GET, &answers).await, (vec![2, 60, 4], 200));
        assert_eq!(sent(Method::PUT, &[(503, Some("soon")), (201, None)]).await, (vec![1], 201));
        assert_eq!(sent(Method::DELETE, &[(429, Some("0")), (202, None)]).await, (vec![0], 202));
    }

    #[tokio::test]
    async fn one_that_stays_busy_is_given_up() {
        assert_eq!(sent(Method::GET, &[(503, Some("1")); 4]).await, (vec![1, 1, 1], 503));
    }

    #[tokio::test]
    async fn what_may_not_be_done_twice_or_fails_otherwise_is_sent_once() {
        for (method, status) in [(Method::POST, 429), (Method::PATCH, 503), (Method::GET, 500), (Method::GET, 404)] {
            assert_eq!(sent(method, &[(status, Some("1"))]).await, (vec![], status));
        }
    }
}
