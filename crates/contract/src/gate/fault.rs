//! What a request is answered with on purpose, to see what a client makes of it: the refusals of an outage.
//!
//! A status that the contract knows has the body that it has there; the others, which stand for what lies between a
//! client and the service, have a text of ours. Public source of what each means to a client: MicrosoftDocs/entra-docs
//! `how-to-use-vm-token.md`, "Error handling".

use super::{Refusal, Surface, path};
use crate::answer::Answer;

/// Every status that [`answer`] has an answer with.
pub const STATUSES: [u16; 12] = [400, 401, 403, 404, 405, 408, 410, 429, 500, 502, 503, 504];

/// After how many seconds a 503 asks to come back.
const UNAVAILABLE: u32 = 5;

/// The answer with a status of [`STATUSES`] to a request of a surface. A 500 is `internal`, which each surface has of its
/// own.
#[must_use]
pub fn answer(status: u16, surface: Surface, method: &str, target: &str, internal: &Refusal) -> Option<Answer> {
    let (path, method) = (target.to_owned(), method.to_owned());
    // Outside of `identity` the metadata service's errors have one key.
    let two_keys = surface == Surface::Extension || path::is_identity(target);
    let ours = |error: &str, text: &str| {
        if two_keys { Answer::error(status, error, text) } else { Answer::bare_error(status, text) }
    };
    let known = |refusal: &Refusal| match surface {
        Surface::Imds => refusal.answer_at(target),
        Surface::Extension => refusal.answer(surface),
    };
    Some(match status {
        400 => ours("bad_request", "The request is malformed"),
        401 => ours("unauthorized_client", "The client is not authorized"),
        403 => ours("forbidden", "The request is forbidden"),
        404 => Refusal::UnknownPath { path, method, identity: two_keys }.answer(surface),
        405 => ours("method_not_allowed", "Http method is not allowed").allow("GET"),
        408 => ours("request_timeout", "The request timed out"),
        410 => known(&Refusal::Gone),
        429 => known(&Refusal::TooManyRequests),
        500 => known(internal),
        502 => ours("bad_gateway", "Bad gateway"),
        503 => known(&Refusal::Unavailable { retry_after: UNAVAILABLE }),
        504 => ours("gateway_timeout", "Gateway timeout"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "/metadata/identity/oauth2/token";

    fn body(status: u16, surface: Surface, path: &str) -> String {
        let internal = match surface {
            Surface::Imds => Refusal::Internal,
            Surface::Extension => Refusal::RetrievalFailed { logs: "/logs".to_owned() },
        };
        let answer = answer(status, surface, "GET", path, &internal).unwrap();
        assert_eq!(answer.status, status);
        String::from_utf8(answer.body.into_owned()).unwrap()
    }

    #[test]
    fn the_outages_of_the_contract_have_its_bytes() {
        for (status, expected) in [
            (
                404,
                r#"{"error":"not_found","error_description":"API is not found: Path = \"/metadata/identity/oauth2/token\", Method = \"GET\""}"#,
            ),
            (410, r#"{"error":"gone","error_description":"The service is being updated, retry later"}"#),
            (429, r#"{"error":"too_many_requests","error_description":"Too many requests"}"#),
            (500, r#"{"error":"server_error","error_description":"An internal error occurred"}"#),
            (
                503,
                r#"{"error":"service_unavailable","error_description":"No token can be obtained at the moment, retry later"}"#,
            ),
        ] {
            assert_eq!(body(status, Surface::Imds, TOKEN), expected);
        }
        assert_eq!(
            body(500, Surface::Extension, "/oauth2/token"),
            r#"{"error":"unknown","error_description":"Failed to retrieve token from the Active directory. For details see logs in /logs"}"#
        );
    }

    #[test]
    fn each_plane_has_its_own_vocabulary() {
        for status in STATUSES {
            let keys = |text: &str| {
                let value: serde_json::Value = serde_json::from_str(text).unwrap();
                value.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
            };
            assert_eq!(keys(&body(status, Surface::Imds, TOKEN)), ["error", "error_description"], "{status}");
            assert_eq!(keys(&body(status, Surface::Extension, "/oauth2/token")), ["error", "error_description"]);
            assert_eq!(keys(&body(status, Surface::Imds, "/metadata/instance")), ["error"], "{status}");
        }
        assert_eq!(answer(418, Surface::Imds, "GET", TOKEN, &Refusal::Internal), None);
    }

    #[test]
    fn who_is_to_come_back_is_told_when() {
        let after = |status| answer(status, Surface::Imds, "GET", TOKEN, &Refusal::Internal).unwrap().retry_after;
        assert_eq!([429, 503, 500, 410].map(after), [Some(1), Some(5), None, None]);
    }
}
