//! The HTTPS listener: TLS, limits, and a graceful end.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_rustls::TlsAcceptor;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long a head may take; also how long a connection may rest.
const HEAD: Duration = Duration::from_secs(30);
/// The most bytes of a head.
const MAX_HEAD: usize = 64 * 1024;
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
    let ending = watch::Sender::new(false);
    let (busy, mut all_done) = mpsc::channel::<Infallible>(1);
    let mut end = std::pin::pin!(end);
    loop {
        let accept = async {
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
        let (acceptor, router, ended, busy) = (acceptor.clone(), router.clone(), ending.subscribe(), busy.clone());
        tokio::spawn(async move {
            connection(stream, acceptor, router, ended).await;
            drop((permit, busy));
        });
    }
    ending.send_replace(true);
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

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, router: Router, mut ended: watch::Receiver<bool>) {
    // Latency, not correctness: a socket that refuses the option still works.
    drop(stream.set_nodelay(true));
    let stream = match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            return;
        }
        Err(_) => return,
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let mut asked = false;
    loop {
        tokio::select! {
            done = connection.as_mut() => {
                if let Err(error) = done {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            _ = ended.wait_for(|ended| *ended), if !asked => {
                asked = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
