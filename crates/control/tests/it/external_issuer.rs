//! An external issuer on this machine, with a certificate of its own CA, that counts how often it is asked.

use std::sync::Mutex;

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use control::external_issuer::KeysUnavailable;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};

use super::*;

/// What the issuer answers.
#[derive(Clone)]
enum Answers {
    /// A key set with these ids.
    Keys(Vec<&'static str>),
    /// This discovery document, and keys behind it.
    Discovery(String),
    /// So many bytes.
    Bytes(usize),
    Redirect,
    Failure,
    /// Nothing, until it is let go.
    Hang,
}

struct Shared {
    answers: Mutex<Answers>,
    paths: Mutex<Vec<String>>,
    asked: Semaphore,
    let_go: Semaphore,
}

struct Issuer {
    shared: Arc<Shared>,
    base: String,
    keys: Arc<ExternalKeys>,
    clock: ManualClock,
    _end: oneshot::Sender<()>,
    _folder: tempfile::TempDir,
}

fn key_set(kids: &[&str]) -> String {
    let keys: Vec<_> =
        kids.iter().map(|kid| serde_json::json!({"kty": "RSA", "kid": kid, "n": "AQAB", "e": "AQAB"})).collect();
    serde_json::json!({"keys": keys}).to_string()
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    shared.paths.lock().unwrap().push(uri.path().to_owned());
    shared.asked.add_permits(1);
    let answers = shared.answers.lock().unwrap().clone();
    match answers {
        Answers::Keys(kids) => key_set(&kids).into_response(),
        Answers::Discovery(text) if uri.path().ends_with("openid-configuration") => text.into_response(),
        Answers::Discovery(_) => key_set(&["a"]).into_response(),
        Answers::Bytes(count) => {
            let set = key_set(&["a"]);
            format!("{}{}", " ".repeat(count - set.len()), set).into_response()
        }
        Answers::Redirect => (StatusCode::FOUND, [("location", "/elsewhere")]).into_response(),
        Answers::Failure => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Answers::Hang => {
            shared.let_go.acquire().await.unwrap().forget();
            key_set(&["a", "b"]).into_response()
        }
    }
}

impl Issuer {
    async fn new(answers: Answers) -> Self {
        let shared = Arc::new(Shared {
            answers: Mutex::new(answers),
            paths: Mutex::default(),
            asked: Semaphore::new(0),
            let_go: Semaphore::new(0),
        });
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://{}", listener.local_addr().unwrap());
        // Of this machine's own time: the client's library reads that clock.
        let now = domain::Clock::now(&domain::SystemClock::new());
        let identity = control::tls::open(folder.path(), &[], now).unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let (end, ended) = oneshot::channel::<()>();
        tokio::spawn(control::server::serve(listener, identity.server, router, 16, async move { drop(ended.await) }));
        let clock = ManualClock::new(Timestamp::from_unix(NOW));
        let keys = Arc::new(ExternalKeys::new(Arc::new(clock.clone()), &[identity.ca]).unwrap());
        Self { shared, base, keys, clock, _end: end, _folder: folder }
    }

    fn described(&self, path: &str) -> ExternalIssuer {
        ExternalIssuer { url: self.base.clone(), jwks: JwksSource::Url(format!("{}{path}", self.base)) }
    }

    fn answers(&self, answers: Answers) {
        *self.shared.answers.lock().unwrap() = answers;
    }

    fn count(&self) -> usize {
        self.shared.paths.lock().unwrap().len()
    }

    /// The ids of the keys, as `/keys` has them.
    async fn kids(&self, kid: &str) -> Result<Vec<String>, KeysUnavailable> {
        let keys = self.keys.keys(&self.described("/keys"), Some(kid)).await?;
        Ok(keys.iter().filter_map(|key| key.kid.clone()).collect())
    }

    async fn discovered(&self, document: Answers) -> Result<usize, KeysUnavailable> {
        self.answers(document);
        let keys = self.keys.keys(&self.described("/.well-known/openid-configuration"), Some("a")).await?;
        Ok(keys.len())
    }
}

fn after(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn keys_are_kept_for_an_hour_and_unknown_ones_asked_for_twice_a_minute() {
    let issuer = Issuer::new(Answers::Keys(vec!["a"])).await;
    for _ in 0..3 {
        assert_eq!(issuer.kids("a").await.unwrap(), ["a"]);
    }
    assert_eq!(issuer.count(), 1, "kept");
    issuer.answers(Answers::Keys(vec!["a", "b"]));
    issuer.clock.advance(after(29));
    assert_eq!(issuer.kids("b").await.unwrap(), ["a"], "an unknown key, too soon");
    issuer.clock.advance(after(1));
    assert_eq!(issuer.kids("b").await.unwrap(), ["a", "b"]);
    assert_eq!(issuer.count(), 2);
    issuer.clock.advance(after(3_599));
    issuer.kids("a").await.unwrap();
    assert_eq!(issuer.count(), 2);
    issuer.clock.advance(after(1));
    issuer.kids("a").await.unwrap();
    assert_eq!(issuer.count(), 3, "too old");
}

#[tokio::test]
async fn what_fails_is_not_asked_again_at_once() {
    let issuer = Issuer::new(Answers::Failure).await;
    assert!(matches!(issuer.kids("a").await, Err(KeysUnavailable::Document { .. })));
    for _ in 0..3 {
        assert!(matches!(issuer.kids("a").await, Err(KeysUnavailable::Lately)));
    }
    assert_eq!(issuer.count(), 1);
    issuer.answers(Answers::Keys(vec!["a"]));
    issuer.clock.advance(after(30));
    assert_eq!(issuer.kids("a").await.unwrap(), ["a"]);
    // Unknown keys while it fails: once each half minute too.
    issuer.answers(Answers::Failure);
    issuer.clock.advance(after(30));
    assert!(issuer.kids("b").await.is_err());
    assert_eq!(issuer.kids("b").await.unwrap(), ["a"]);
    assert_eq!(issuer.count(), 3);
}

#[tokio::test]
async fn old_keys_serve_on_while_the_issuer_fails_but_not_for_ever() {
    let issuer = Issuer::new(Answers::Keys(vec!["a"])).await;
    issuer.kids("a").await.unwrap();
    issuer.answers(Answers::Failure);
    issuer.clock.advance(after(3_600));
    for _ in 0..3 {
        assert_eq!(issuer.kids("a").await.unwrap(), ["a"]);
    }
    assert_eq!(issuer.count(), 2, "asked once, and then not for a while");
    issuer.clock.advance(after(5 * 3_600 - 1));
    assert_eq!(issuer.kids("a").await.unwrap(), ["a"]);
    issuer.clock.advance(after(30));
    assert!(matches!(issuer.kids("a").await, Err(KeysUnavailable::Document { .. })));
}

#[tokio::test]
async fn a_known_key_does_not_wait_for_an_unknown_one() {
    let issuer = Arc::new(Issuer::new(Answers::Keys(vec!["a"])).await);
    issuer.kids("a").await.unwrap();
    issuer.answers(Answers::Hang);
    issuer.clock.advance(after(30));
    issuer.shared.asked.acquire().await.unwrap().forget();
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let issuer = Arc::clone(&issuer);
            tokio::spawn(async move { issuer.kids("b").await.unwrap() })
        })
        .collect();
    issuer.shared.asked.acquire().await.unwrap().forget();
    assert_eq!(issuer.kids("a").await.unwrap(), ["a"]);
    issuer.clock.advance(after(3_600));
    assert_eq!(issuer.kids("a").await.unwrap(), ["a"], "old by now, and better than none");
    issuer.shared.let_go.add_permits(1);
    for waited in waiting {
        assert_eq!(waited.await.unwrap(), ["a", "b"]);
    }
    assert_eq!(issuer.count(), 2, "one flight for both");
}

#[tokio::test]
async fn who_hangs_up_does_not_spoil_the_attempt() {
    let issuer = Arc::new(Issuer::new(Answers::Hang).await);
    let hasty = tokio::spawn({
        let issuer = Arc::clone(&issuer);
        async move { issuer.kids("a").await.unwrap() }
    });
    issuer.shared.asked.acquire().await.unwrap().forget();
    hasty.abort();
    assert!(hasty.await.unwrap_err().is_cancelled());
    issuer.shared.let_go.add_permits(1);
    assert_eq!(issuer.kids("a").await.unwrap(), ["a", "b"]);
    assert_eq!(issuer.count(), 1);
}

#[tokio::test]
async fn a_slow_issuer_is_given_up() {
    let issuer = Arc::new(Issuer::new(Answers::Hang).await);
    let waiting = tokio::spawn({
        let issuer = Arc::clone(&issuer);
        async move { issuer.kids("a").await }
    });
    issuer.shared.asked.acquire().await.unwrap().forget();
    tokio::time::pause();
    tokio::time::advance(after(5)).await;
    assert!(matches!(waiting.await.unwrap(), Err(KeysUnavailable::Document { .. })));
}

#[tokio::test]
async fn documents_have_a_limit_and_nobody_is_followed_elsewhere() {
    let issuer = Issuer::new(Answers::Bytes(256 * 1024)).await;
    assert_eq!(issuer.kids("a").await.unwrap(), ["a"]);
    for wrong in [Answers::Bytes(256 * 1024 + 1), Answers::Redirect] {
        let issuer = Issuer::new(wrong).await;
        assert!(matches!(issuer.kids("a").await, Err(KeysUnavailable::Document { .. })));
        assert_eq!(*issuer.shared.paths.lock().unwrap(), ["/keys"]);
    }
}

#[tokio::test]
async fn a_discovery_document_must_be_the_issuers_own() {
    let text = |issuer: &str, base: &str| format!(r#"{{"issuer":"{issuer}","jwks_uri":"{base}/keys"}}"#);
    let issuer = Issuer::new(Answers::Failure).await;
    let own = text(&issuer.base, &issuer.base);
    assert_eq!(issuer.discovered(Answers::Discovery(own)).await.unwrap(), 1);
    assert_eq!(*issuer.shared.paths.lock().unwrap(), ["/.well-known/openid-configuration", "/keys"]);

    for wrong in [
        text("https://foreign.example", &issuer.base),
        text(&format!("{}/", issuer.base), &issuer.base),
        format!(r#"{{"issuer":"https://foreign.example","issuer":"{0}","jwks_uri":"{0}/keys"}}"#, issuer.base),
        "{}".to_owned(),
        format!(r#"{{"issuer":"{}"}}"#, issuer.base),
    ] {
        let (clock, shared) = (issuer.clock.clone(), &issuer.shared);
        clock.advance(after(7 * 3_600));
        shared.paths.lock().unwrap().clear();
        let refused = issuer.discovered(Answers::Discovery(wrong.clone())).await;
        assert!(matches!(refused, Err(KeysUnavailable::Unsound(_))), "{wrong}");
        assert_eq!(issuer.count(), 1, "its keys aren't asked for");
    }
    // Not over plain HTTP either.
    issuer.clock.advance(after(30));
    let plain = text(&issuer.base, &issuer.base.replace("https:", "http:"));
    assert!(matches!(issuer.discovered(Answers::Discovery(plain)).await, Err(KeysUnavailable::Document { .. })));
}
