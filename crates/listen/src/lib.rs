//! The HTTP listener: plain for the data planes, behind TLS for the authority, which accepts by itself and hands each
//! connection to [`serve_connection`].
//!
//! [`mod@bind`] opens ports and says who holds one that is taken. [`serve`] runs hyper behind a guard: the
//! raw bytes of every head are judged by [`contract::head`] before hyper sees them, so no answer leaves that
//! isn't ours, no malformed head is mended, and nothing that arrives slowly holds a connection for long.

pub mod bind;
mod body;
#[cfg(feature = "host")]
mod devices;
#[cfg(feature = "host")]
mod endpoint;
mod guard;
#[cfg(feature = "host")]
mod opener;
pub mod process;
mod reserve;
mod room;
mod server;
mod stream;
mod timer;
mod turns;
#[cfg(feature = "host")]
mod unix;

use std::future::Future;

use bytes::Bytes;
use contract::answer::Answer;
use contract::head::FramingRefusal;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Body, Incoming};

pub use bind::{BindError, Tcp, bind, bind_first, bind_localhost, bind_to_device};
pub use body::body;
#[cfg(feature = "host")]
pub use devices::Devices;
#[cfg(feature = "host")]
pub use endpoint::{Endpoint, EndpointError};
#[cfg(feature = "host")]
pub use opener::{FileId, Opener};
pub use process::Ends;
pub use room::{DESCRIPTORS, Room, Share};
pub use server::{
    Admitted, Config, Ending, InFlight, Shutdown, serve, serve_connection, serve_shared, serve_until_asked,
};
pub use stream::{Listener, Peer};
#[cfg(feature = "host")]
pub use unix::{UnixError, UnixSocket, UnixSocketListener};

/// Answers the requests of one listener. Cloned for each connection. Most answers are ready when they leave; a service
/// whose aren't says what bodies it has.
pub trait Service<B = Full<Bytes>>: Clone + Send + Sync + 'static {
    /// The service for one connection: itself, unless it wants to know whose connection it is.
    #[must_use]
    fn connected(&self, _ends: Ends) -> Self {
        self.clone()
    }

    /// Answers a request.
    fn call(&self, request: Request<Incoming>) -> impl Future<Output = Response<B>> + Send;

    /// Answers a head that was refused before it became a request. The connection is closed behind it.
    fn refuse(&self, refusal: FramingRefusal) -> Response<B>;

    /// Answers in the place of a handler that panicked.
    fn failed(&self) -> Response<B>;
}

/// In the extensions of a response: it isn't sent. The connection is closed instead, behind what was answered before.
#[derive(Clone, Copy, Debug)]
pub struct HangUp;

/// What a body must be to be sent. A body that fails on its way breaks the connection off, so that nobody takes the part
/// for the whole.
pub trait ResponseBody: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static {}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static> ResponseBody for B {}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Turns an answer into a response with the headers that all surfaces send.
#[must_use]
pub fn respond(answer: Answer, content_type: HeaderValue) -> Response<Full<Bytes>> {
    let body = match answer.body {
        std::borrow::Cow::Borrowed(body) => Bytes::from_static(body),
        std::borrow::Cow::Owned(body) => Bytes::from(body),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(methods) = answer.allow {
        headers.insert(ALLOW, HeaderValue::from_static(methods));
    }
    if let Some(seconds) = answer.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if answer.close {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
