//! What the endpoint answers while its VM is cut over, and who is counted.

use std::sync::Mutex;

use bytes::Bytes;
use contract::head::FramingRefusal;
use guest::Forwarding;
use guest::forwarding::ForwardError;
use guest::time::Time;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use listen::Service;

use super::*;

pub(crate) const TOKEN: &str = r#"{"access_token":"eyJ.imds.x","client_id":"30000000-0000-4000-8000-000000000001","expires_in":"86399","expires_on":"1800086400","ext_expires_in":"86399","not_before":"1799999700","resource":"https://vault.azure.net","token_type":"Bearer"}"#;

/// A metadata service that says what it is told to, and remembers what it was asked.
#[derive(Clone)]
pub(crate) struct Imds {
    answer: (u16, &'static str),
    /// How often it says before that it is asked too much, and for how long it wants to be left alone.
    busy: Arc<Mutex<(u32, u32)>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service for Imds {
    async fn call(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let line = format!("{} {} {}", request.method(), request.uri(), header("metadata"));
        self.asked.lock().expect("a lock").push(line);
        assert!(header("user-agent").starts_with("symbolon-extension-forwarder/"));
        {
            let mut busy = self.busy.lock().expect("a lock");
            if busy.0 > 0 {
                busy.0 -= 1;
                let answer = Response::builder().status(429).header("retry-after", busy.1);
                return answer.body(Full::from("{}")).expect("an answer");
            }
        }
        let (status, body) = self.answer;
        Response::builder().status(status).body(Full::from(body)).expect("an answer")
    }

    fn refuse(&self, _: FramingRefusal) -> Response<Full<Bytes>> {
        Response::new(Full::default())
    }

    fn failed(&self) -> Response<Full<Bytes>> {
        Response::new(Full::default())
    }
}

impl Imds {
    pub(crate) fn start(status: u16, body: &'static str) -> (Self, SocketAddr, Shutdown) {
        let listener = bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (imds, shutdown) =
            (Self { answer: (status, body), busy: Arc::default(), asked: Arc::default() }, Shutdown::default());
        tokio::spawn(serve(listener, imds.clone(), listen::Config::default(), shutdown.ending()));
        (imds, address, shutdown)
    }

    fn is_busy(&self, times: u32, seconds: u32) {
        *self.busy.lock().expect("a lock") = (times, seconds);
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().expect("a lock"))
    }
}

fn time() -> Time {
    Time::manual(fixtures::clock())
}

/// Whatever the metadata service says is told in the extension's shape.
async fn answered(status: u16, body: &'static str) -> RawAnswer {
    let (_imds, address, _open) = Imds::start(status, body);
    let world = World::new(&[1]);
    world.endpoint.answer_from(Backend::Forwarding(Forwarding::to(address)));
    world.get("/oauth2/token?resource=https://vault.azure.net").await
}

#[tokio::test]
async fn a_token_of_the_metadata_service_has_the_extensions_shape() {
    let (imds, address, _open) = Imds::start(200, TOKEN);
    let world = World::new(&[1]);
    world.endpoint.answer_from(Backend::Forwarding(Forwarding::to(address)));
    assert!(world.endpoint.forwards());
    let id = "30000000-0000-4000-8000-000000000001";
    let form = format!("resource=https%3A%2F%2Fvault.azure.net&clientid={id}&authority=https%3A%2F%2Flogin");
    let answer = world.post("/oauth2/token?xms_cc=CP1", &form).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(
        answer.body,
        r#"{"access_token":"eyJ.imds.x","refresh_token":"","expires_in":"86399","expires_on":"1800086400","not_before":"1799999700","resource":"https://vault.azure.net","token_type":"Bearer"}"#
    );
    let target = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault%2Eazure%2Enet";
    assert_eq!(imds.asked(), [format!("GET {target}&client_id={} true", id.replace('-', "%2D"))]);
    assert_eq!(world.source.asked(), 0, "no credential was used");

    for (sent, forwarded) in [("", ""), ("&object_id=1", "&object_id=1"), ("&mi_res_id=%2Fa", "&msi_res_id=%2Fa")] {
        assert_eq!(world.get(&format!("/oauth2/token?resource=r{sent}")).await.status, 200);
        let target = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r";
        assert_eq!(imds.asked(), [format!("GET {target}{forwarded} true")]);
    }
}

#[tokio::test]
async fn a_refusal_is_in_the_extensions_words() {
    let said =
        |error: &str, text: &str| format!(r#"{{"error":"{error}","error_description":"{text}"}}"#).leak() as &str;
    for (error, text) in [
        ("invalid_request", "Identity not found"),
        (
            "invalid_request",
            "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
        ),
        ("invalid_resource", "AADSTS50001: The application named x was not found in the tenant named y."),
    ] {
        let answer = answered(400, said(error, text)).await;
        assert_eq!((answer.status, answer.body.as_str()), (400, said(error, text)));
    }
    let busy = answered(429, said("too_many_requests", "Too many requests")).await;
    assert_eq!((busy.status, busy.header("retry-after")), (429, Some("1")));
    for (status, body) in [(500, "{}"), (404, "nothing"), (200, "{}"), (200, "eyJ"), (410, said("gone", "eyJtoken"))] {
        let answer = answered(status, body).await;
        assert_eq!(answer.status, 500, "{status} {body}");
        assert!(answer.body.contains("Failed to retrieve token from the Active directory. For details see logs in /"));
        assert!(!answer.body.contains("eyJ"));
    }
}

#[tokio::test]
async fn what_is_refused_without_asking_is_refused_as_before() {
    let (imds, address, _open) = Imds::start(200, TOKEN);
    let world = World::new(&[1]);
    let requests = [
        format!("GET /oauth2/token?resource=r HTTP/1.1\r\n{}\r\n", world.host()),
        format!("GET /oauth2/token HTTP/1.1\r\n{}Metadata: true\r\n\r\n", world.host()),
        format!("GET /oauth2/token?resource=a%20b HTTP/1.1\r\n{}Metadata: true\r\n\r\n", world.host()),
        format!("GET /oauth2/token?resource=r&resource=r HTTP/1.1\r\n{}Metadata: true\r\n\r\n", world.host()),
        format!("GET /oauth2/token?resource=r HTTP/1.1\r\n{}Metadata: true\r\nOrigin: x\r\n\r\n", world.host()),
        "GET /oauth2/token?resource=r HTTP/1.1\r\nHost: evil\r\nMetadata: true\r\n\r\n".to_owned(),
    ];
    for request in requests {
        let before = world.send(&request).await;
        world.endpoint.answer_from(Backend::Forwarding(Forwarding::to(address)));
        let behind = world.send(&request).await;
        assert_eq!((before.status, &before.body), (behind.status, &behind.body), "{request}");
        assert!(before.status >= 400);
    }
    assert_eq!(imds.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn without_a_metadata_service_there_is_the_documented_500_and_a_line_in_the_log() {
    let world = World::new(&[1]);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address");
    let forwarding = Forwarding::to(nobody);
    world.endpoint.answer_from(Backend::Forwarding(forwarding));
    assert_eq!(world.get("/oauth2/token?resource=r").await.status, 500);
    let log = std::fs::read_to_string(world.disk.log_folder().join("msi-extension.log")).expect("a log");
    assert!(log.contains(&format!("the metadata service at {nobody} does not answer")), "{log}");
    let identity = fixtures::identity(1).client_id;
    assert!(matches!(forwarding.prove([identity], &time()).await, Err(ForwardError::Unreachable { .. })));
}

#[tokio::test]
async fn the_metadata_service_proves_itself_for_every_identity() {
    let identities = [1, 2].map(|number| fixtures::identity(number).client_id);
    let (imds, address, _open) = Imds::start(200, TOKEN);
    Forwarding::to(address).prove(identities, &time()).await.expect("proved");
    assert_eq!(imds.asked().len(), 2);
    let refusing = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
    let (_imds, address, _open) = Imds::start(400, refusing);
    let error = Forwarding::to(address).prove(identities, &time()).await.expect_err("none");
    assert!(error.to_string().ends_with("answered 400 Bad Request: invalid_request: Identity not found"), "{error}");
}

#[tokio::test]
async fn a_metadata_service_that_is_asked_too_much_is_asked_again() {
    let identities = [1, 2].map(|number| fixtures::identity(number).client_id);
    let (imds, address, _open) = Imds::start(200, TOKEN);
    imds.is_busy(2, 20);
    Forwarding::to(address).prove(identities, &time()).await.expect("proved");
    assert_eq!(imds.asked().len(), 4);
    imds.is_busy(3, 30);
    let error = Forwarding::to(address).prove(identities, &time()).await.expect_err("for a minute in all");
    assert!(matches!(error, ForwardError::Refused { status: StatusCode::TOO_MANY_REQUESTS, .. }), "{error}");
    assert_eq!(imds.asked().len(), 2);
}

#[tokio::test]
async fn whoever_asks_is_counted_whatever_comes_of_it() {
    let world = World::new(&[1]);
    let host = world.host();
    let agent = "User-Agent: client/1\r\n";
    for request in [
        format!("GET /oauth2/token?resource=r HTTP/1.1\r\n{host}{agent}Metadata: true\r\n\r\n"),
        format!("GET /oauth2/token?resource=r HTTP/1.1\r\n{host}{agent}\r\n"),
        format!("GET /oauth2/token?resource=r&client_id=x HTTP/1.1\r\n{host}{agent}Metadata: true\r\n\r\n"),
        format!("GET /favicon.ico HTTP/1.1\r\n{host}{agent}\r\n"),
    ] {
        world.send(&request).await;
    }
    let counted = world.callers.take();
    let told: Vec<_> = counted.iter().map(|calls| (calls.caller.identity, calls.count)).collect();
    assert_eq!(told, [(None, 2), (Some(fixtures::identity(1).client_id), 1)]);
    for calls in counted {
        assert_eq!(calls.caller.client, "client/1");
        if cfg!(target_os = "linux") {
            let uid = rustix::process::getuid().as_raw();
            assert_eq!(calls.caller.uid, Some(uid), "the test is at the other end");
            assert!(calls.caller.process.is_some());
        }
    }
}
