//! Accepts connections and runs hyper on each, within limits.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use contract::head::Limits;
use futures_util::FutureExt;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};

use crate::guard::{Guard, Late, Leave, REFUSED_METHOD, Times, Verdict};
use crate::room::{Place, Places, Room, Share};
use crate::stream::{Listener, Peer, Stream, late};
use crate::turns::Turn;
use crate::{HangUp, ResponseBody, Service};

/// What a listener allows.
#[derive(Clone, Debug)]
pub struct Config {
    /// What a request may hold.
    pub limits: Limits,
    /// How long a head may take from its first byte, and the first one from the start of the connection.
    pub head_timeout: Duration,
    /// How long a body may take.
    pub body_timeout: Duration,
    /// How long a connection may rest between requests.
    pub idle_timeout: Duration,
    /// How long a client may take nothing of an answer.
    pub write_timeout: Duration,
    /// How many connections there may be at once; more wait for an answer.
    pub max_connections: usize,
    /// What this listener's connections have to share with those of others.
    pub room: Room,
    /// How long requests in flight may take after the end was asked for.
    pub grace: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            head_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(120),
            write_timeout: Duration::from_secs(10),
            max_connections: 16 * 1024,
            room: Room::default(),
            grace: Duration::from_secs(10),
        }
    }
}

/// Asks listeners to end. They also end when it is dropped.
#[derive(Debug)]
pub struct Shutdown(watch::Sender<bool>);

/// A listener's ear for [`Shutdown`].
#[derive(Clone, Debug)]
pub struct Ending(watch::Receiver<bool>);

impl Default for Shutdown {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Shutdown {
    /// An ear for one listener.
    #[must_use]
    pub fn ending(&self) -> Ending {
        Ending(self.0.subscribe())
    }

    /// Asks them to end: to accept nothing more and to finish what is in flight.
    pub fn end(&self) {
        self.0.send_replace(true);
    }
}

impl Ending {
    /// Waits for the end to be asked for.
    pub async fn asked(&mut self) {
        // An error means that the sender is gone, which asks for the same.
        drop(self.0.wait_for(|ended| *ended).await);
    }
}

/// Serves a listener until the end is asked for, and then until what is in flight is done, within bounds.
pub async fn serve<B: ResponseBody, S: Service<B>>(
    listener: impl Into<Listener>,
    service: S,
    config: Config,
    ending: Ending,
) {
    serve_until_asked(listener, service, config, ending).await.done().await;
}

/// What a listener that ended has still in flight.
#[must_use = "whoever ends the program waits for it"]
pub struct InFlight {
    all_done: mpsc::Receiver<Infallible>,
    grace: Duration,
}

impl InFlight {
    /// Waits until it is done, within bounds.
    pub async fn done(mut self) {
        if tokio::time::timeout(self.grace, self.all_done.recv()).await.is_err() {
            tracing::warn!("connections go on that had not ended in time");
        }
    }
}

/// Serves a listener until the end is asked for. The address is free for others when this returns, though there may be
/// something in flight.
pub async fn serve_until_asked<B: ResponseBody, S: Service<B>>(
    listener: impl Into<Listener>,
    service: S,
    config: Config,
    ending: Ending,
) -> InFlight {
    let places = config.room.places(config.max_connections);
    accept_each(OfOne { listener: listener.into(), places, service, ending: ending.clone() }, config, ending).await
}

/// Whoever is served at a listener that several share.
#[derive(Clone, Debug)]
pub struct Admitted<S> {
    /// What answers it.
    pub service: S,
    /// Its places.
    pub share: Share,
    /// Told when it is to be served no more.
    pub ending: Ending,
}

/// Serves a listener that several share until the end is asked for, as [`serve_until_asked`] does. `admit` says who it is that
/// connects; whoever is nobody, or has no place, is hung up on.
pub async fn serve_shared<B: ResponseBody, S: Service<B>>(
    listener: impl Into<Listener>,
    admit: impl Fn(Peer) -> Option<Admitted<S>> + Send + Sync,
    config: Config,
    ending: Ending,
) -> InFlight {
    accept_each(OfSeveral { listener: listener.into(), admit }, config, ending).await
}

/// Where connections come in.
trait Entrance<S>: Send + Sync {
    fn listener(&self) -> &Listener;

    /// The next connection; none when it was hung up on.
    fn next(&self) -> impl Future<Output = io::Result<Option<Arrival<S>>>> + Send;
}

/// A connection with its place, and what it has to do with.
struct Arrival<S> {
    stream: Stream,
    place: Place,
    service: S,
    ending: Ending,
}

struct OfOne<S> {
    listener: Listener,
    places: Places,
    service: S,
    ending: Ending,
}

impl<S: Clone + Send + Sync> Entrance<S> for OfOne<S> {
    fn listener(&self) -> &Listener {
        &self.listener
    }

    async fn next(&self) -> io::Result<Option<Arrival<S>>> {
        // In this order: where there are more listeners than places, one to which nobody connects must not hold a place.
        let (stream, _) = self.listener.accept().await?;
        let place = self.places.take().await?;
        Ok(Some(Arrival { stream, place, service: self.service.clone(), ending: self.ending.clone() }))
    }
}

struct OfSeveral<A> {
    listener: Listener,
    admit: A,
}

impl<S: Send, A: Fn(Peer) -> Option<Admitted<S>> + Send + Sync> Entrance<S> for OfSeveral<A> {
    fn listener(&self) -> &Listener {
        &self.listener
    }

    async fn next(&self) -> io::Result<Option<Arrival<S>>> {
        let (stream, peer) = self.listener.accept().await?;
        let Some(Admitted { service, share, ending }) = (self.admit)(peer) else { return Ok(None) };
        Ok(share.try_take().map(|place| Arrival { stream, place, service, ending }))
    }
}

async fn accept_each<B: ResponseBody, S: Service<B>>(
    entrance: impl Entrance<S>,
    config: Config,
    mut ending: Ending,
) -> InFlight {
    let (busy, all_done) = mpsc::channel::<Infallible>(1);
    loop {
        let accepted = tokio::select! {
            biased;
            () = ending.asked() => break,
            accepted = entrance.next() => accepted,
        };
        let Arrival { stream, place, service, ending } = match accepted {
            Ok(Some(accepted)) => accepted,
            Ok(None) => continue,
            Err(why) => {
                config.room.reserve.after(&why, entrance.listener()).await;
                continue;
            }
        };
        let service = stream.ends().map_or_else(|| service.clone(), |ends| service.connected(ends));
        let turn = Turn::new(place.turns.clone());
        let connection = connection(stream, service, config.clone(), ending, Some(late), Some(turn));
        let busy = busy.clone();
        tokio::spawn(async move {
            connection.await;
            drop((place, busy));
        });
    }
    drop(busy);
    InFlight { all_done, grace: config.grace }
}

/// Serves one connection that was accepted elsewhere, such as one that speaks TLS, until it ends or the end is asked
/// for and what is in flight is done. Who accepts counts connections and waits for them.
pub async fn serve_connection<I, B, S>(stream: I, service: S, config: Config, ending: Ending)
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    B: ResponseBody,
    S: Service<B>,
{
    connection(stream, service, config, ending, None, None).await;
}

async fn connection<I, B, S>(
    stream: I,
    service: S,
    config: Config,
    mut ending: Ending,
    late: Option<Late<I>>,
    turn: Option<Turn>,
) where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    B: ResponseBody,
    S: Service<B>,
{
    let (verdict, leave) = (Verdict::default(), Leave::default());
    let times = Times {
        head: config.head_timeout,
        body: config.body_timeout,
        idle: config.idle_timeout,
        write: config.write_timeout,
        drain: Duration::from_secs(1).min(config.grace),
    };
    let guard = Guard::new(stream, config.limits, times, verdict.clone(), leave.clone(), late, turn);
    let told = leave.clone();
    let answer = service_fn(move |request| answer(service.clone(), verdict.clone(), told.clone(), request));
    let connection = http1::Builder::new()
        // A client may say that it sends nothing more and still wait for its answer.
        .half_close(true)
        // The guard has counted already, and to fewer header lines than hyper does: hyper must never refuse a
        // head in words of its own.
        .max_buf_size(config.limits.head.max(8 * 1024) + 4 * 1024)
        .serve_connection(TokioIo::new(guard), answer);
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
            () = ending.asked(), if !asked => {
                // Not hyper's own way of ending, which closes a connection whose request has arrived and wasn't
                // read yet. The guard ends one that rests, and each further answer says that it is the last.
                asked = true;
                leave.ask();
            }
        }
    }
}

/// What ends a connection whose service wants it so.
#[derive(Debug, thiserror::Error)]
#[error("the service hung up")]
struct HungUp;

async fn answer<B: ResponseBody, S: Service<B>>(
    service: S,
    verdict: Verdict,
    leave: Leave,
    request: Request<Incoming>,
) -> Result<Response<B>, HungUp> {
    if request.method().as_str() == REFUSED_METHOD {
        return Ok(service.refuse(verdict.get()));
    }
    let old = request.version() == Version::HTTP_10;
    let answered = AssertUnwindSafe(service.call(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_panic| service.failed());
    if response.extensions().get::<HangUp>().is_some() {
        return Err(HungUp);
    }
    if old {
        // Also when the client says `keep-alive`; hyper would agree to it unless the answer is as old.
        *response.version_mut() = Version::HTTP_10;
    }
    if old || leave.is_asked() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}
