//! The listener over real sockets, with requests as raw bytes.
#![expect(clippy::expect_used, clippy::panic, reason = "a test whose set-up fails has failed")]

mod crowd;
mod heads;
mod life;
mod streaming;
mod turns;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::answer::Answer;
use contract::gate::{Refusal, Surface};
use contract::head::FramingRefusal;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use listen::{Config, HangUp, Room, Service, Shutdown, bind, respond, serve, serve_connection, serve_until_asked};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Answers with what it saw: the method, the target, and the body. `/wait` waits for the test, `/panic` panics, `/hang-up`
/// hangs up.
#[derive(Clone)]
struct Mirror {
    gate: Arc<Semaphore>,
    begun: Arc<Semaphore>,
}

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

impl Service for Mirror {
    fn call(&self, request: Request<Incoming>) -> impl Future<Output = Response<Full<Bytes>>> + Send {
        let (gate, begun) = (self.gate.clone(), self.begun.clone());
        async move {
            let saw = format!("{} {}", request.method(), request.uri());
            match request.uri().path() {
                "/wait" => {
                    begun.add_permits(1);
                    gate.acquire().await.expect("never closed").forget();
                }
                "/panic" => panic!("a bug"),
                "/hang-up" => {
                    let mut never_sent = respond(Answer::ok(saw.into_bytes()), JSON);
                    never_sent.extensions_mut().insert(HangUp);
                    return never_sent;
                }
                _ => {}
            }
            match request.into_body().collect().await {
                Ok(body) => {
                    let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
                    respond(Answer::ok(format!("{saw} [{body}]").into_bytes()), JSON)
                }
                Err(_) => respond(Refusal::BodyUnreadable.answer(Surface::Imds), JSON),
            }
        }
    }

    fn refuse(&self, refusal: FramingRefusal) -> Response<Full<Bytes>> {
        respond(Refusal::Framing(refusal).answer(Surface::Imds), JSON)
    }

    fn failed(&self) -> Response<Full<Bytes>> {
        respond(Refusal::Internal.answer(Surface::Imds), JSON)
    }
}

struct Server {
    address: SocketAddr,
    gate: Arc<Semaphore>,
    /// Has a permit for each request to `/wait` that began.
    begun: Arc<Semaphore>,
    shutdown: Shutdown,
    task: JoinHandle<()>,
}

impl Server {
    fn start() -> Self {
        Self::start_with(Config::default())
    }

    fn start_with(config: Config) -> Self {
        let listener = bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (gate, begun) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (mirror, shutdown) = (Mirror { gate: gate.clone(), begun: begun.clone() }, Shutdown::default());
        let task = tokio::spawn(serve(listener, mirror, config, shutdown.ending()));
        Self { address, gate, begun, shutdown, task }
    }
}
