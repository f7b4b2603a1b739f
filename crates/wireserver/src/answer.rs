//! The answers that aren't refusals.

use std::io;

use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Frame;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::packages::OpenPackage;
use crate::service::Body;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const XML: HeaderValue = HeaderValue::from_static("text/xml; charset=utf-8");
const ZIP: HeaderValue = HeaderValue::from_static("application/zip");

/// How much of a package is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// A document of the WireServer.
pub(crate) fn xml(text: String) -> Response<Body> {
    whole(text, XML)
}

/// A document of the HostGAPlugin.
pub(crate) fn json(text: impl Into<Bytes>) -> Response<Body> {
    whole(text, JSON)
}

/// An answer that is all said by its status.
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(infallible(Empty::new()));
    *response.status_mut() = status;
    response
}

/// A package, read while it is sent. One that gets shorter meanwhile breaks the connection off.
pub(crate) fn package(package: OpenPackage) -> Response<Body> {
    let OpenPackage { file, length } = package;
    let pieces = stream::try_unfold((File::from_std(file), length), |(file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let (mut piece, mut file) = (Vec::with_capacity(PIECE), file.take(left));
        let read = u64::try_from(file.read_buf(&mut piece).await?).map_err(io::Error::other)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Some((Frame::data(Bytes::from(piece)), (file.into_inner(), left.saturating_sub(read)))))
    });
    let mut response = Response::new(StreamBody::new(pieces).boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, ZIP);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// A refusal with our body type.
pub(crate) fn boxed(response: Response<Full<Bytes>>) -> Response<Body> {
    response.map(infallible)
}

fn whole(text: impl Into<Bytes>, content_type: HeaderValue) -> Response<Body> {
    let mut response = Response::new(infallible(Full::new(text.into())));
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn infallible<B>(body: B) -> Body
where
    B: hyper::body::Body<Data = Bytes, Error = std::convert::Infallible> + Send + 'static,
{
    UnsyncBoxBody::new(body.map_err(|never| match never {}))
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    #[tokio::test]
    async fn a_package_that_is_shorter_than_it_was_does_not_pass_for_whole() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"package").unwrap();
        for (length, whole) in [(7, Some(&b"package"[..])), (6, Some(b"packag")), (8, None)] {
            file.rewind().unwrap();
            let answer = package(OpenPackage { file: file.try_clone().unwrap(), length });
            let body = answer.into_body().collect().await.ok().map(http_body_util::Collected::to_bytes);
            assert_eq!(body.as_deref(), whole, "{length}");
        }
    }
}
