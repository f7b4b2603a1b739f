//! The baseline: hyper as it comes, answering the same bytes without looking at the request.

use std::convert::Infallible;

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

pub(crate) fn serve(length: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{{\"imds\":\"http://{}\"}}", listener.local_addr()?);
        let body = Bytes::from(vec![b'x'; length]);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let body = body.clone();
            tokio::spawn(async move {
                let service = service_fn(move |_| {
                    let response = answer(body.clone());
                    async move { Ok::<_, Infallible>(response) }
                });
                // A client that hangs up is no failure of a benchmark.
                drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
            });
        }
    })
}

/// The headers of a token answer.
fn answer(body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    for (name, value) in [
        ("content-type", "application/json; charset=utf-8"),
        ("cache-control", "no-store"),
        ("server", "IMDS/0.1.0"),
        ("x-ms-request-id", "9da6a968-9d60-4b05-9da6-a9689d603b05"),
    ] {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
