//! The HTTPS listener: TLS, the guard that judges heads, limits, and a graceful end.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use contract::gate::{Refusal, Surface as GateSurface};
use contract::head::{FramingRefusal, Limits};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use listen::{Config, Ending, Service, Shutdown};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::answer;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// What a connection may take. Bodies are longer here than on the data planes, and come in chunks too; each endpoint
/// has its own limit below this one.
fn config() -> Config {
    Config {
        limits: Limits { head: 64 * 1024, lines: 64, body: 4 * 1024 * 1024, chunked: true },
        head_timeout: Duration::from_secs(30),
        body_timeout: Duration::from_secs(20),
        idle_timeout: Duration::from_secs(30),
        grace: GRACE,
        ..Config::default()
    }
}

/// How long requests in flight may take after the end was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until `end` resolves, and then until what is in flight is done, within bounds. Connections beyond
/// `max_connections` wait to be accepted.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    max_connections: usize,
    end: impl Future<Output = ()>,
) {
    let acceptor = TlsAcceptor::from(tls);
    let permits = Arc::new(Semaphore::new(max_connections));
    let (surface, shutdown) = (Surface(router), Shutdown::default());
    let (busy, mut all_done) = mpsc::channel::<Infallible>(1);
    let mut end = std::pin::pin!(end);
    loop {
        let accept = async {
            // In this order, for these permits are nobody else's: what nobody has a place for isn't accepted.
            let permit = permits.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = end.as_mut() => break,
            accepted = accept => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                pause().await;
                continue;
            }
        };
        let (acceptor, surface, ending, busy) = (acceptor.clone(), surface.clone(), shutdown.ending(), busy.clone());
        tokio::spawn(async move {
            connection(stream, acceptor, surface, ending).await;
            drop((permit, busy));
        });
    }
    shutdown.end();
    drop((listener, busy));
    if tokio::time::timeout(GRACE, all_done.recv()).await.is_err() {
        tracing::warn!("connections were closed that had not ended in time");
    }
}

/// After a failed accept, most likely for want of a file descriptor: without a pause the loop would spin.
#[expect(clippy::disallowed_methods, reason = "nothing tells when a descriptor is free again")]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, surface: Surface, ending: Ending) {
    // Latency, not correctness: a socket that refuses the option still works.
    drop(stream.set_nodelay(true));
    match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => listen::serve_connection(stream, surface, config(), ending).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => {}
    }
}

/// The router behind the guard that judges heads.
#[derive(Clone)]
struct Surface(Router);

impl Service for Surface {
    async fn call(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let Ok(response) = self.0.clone().oneshot(request.map(Body::new)).await;
        let (head, body) = response.into_parts();
        // Every answer is made whole before it leaves.
        match axum::body::to_bytes(body, usize::MAX).await {
            Ok(body) => Response::from_parts(head, Full::new(body)),
            Err(_) => self.failed(),
        }
    }

    fn refuse(&self, refusal: FramingRefusal) -> Response<Full<Bytes>> {
        let refusal = Refusal::Framing(refusal);
        tracing::info!(refusal = refusal.label(), "a request to the authority was refused");
        metrics::counter!("symbolon_authority_requests_total", "outcome" => refusal.label()).increment(1);
        // A head that can't be read is answered alike on every surface.
        listen::respond(refusal.answer(GateSurface::Imds), answer::JSON)
    }

    fn failed(&self) -> Response<Full<Bytes>> {
        listen::respond(answer::internal_error(), answer::JSON)
    }
}
