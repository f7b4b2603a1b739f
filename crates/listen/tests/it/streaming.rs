//! Answers whose bodies come while they are sent.

use std::io;

use futures_util::{Stream, StreamExt, stream};
use http::header::CONTENT_LENGTH;
use http_body_util::StreamBody;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

type Body = UnsyncBoxBody<Bytes, io::Error>;

const PIECE: usize = 64 * 1024;
const PIECES: usize = 100;

/// `/whole` sends [`PIECES`] pieces, `/broken` fails after the first.
#[derive(Clone)]
struct Pieces;

fn streamed(pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Response<Body> {
    let body = StreamBody::new(pieces.map(|piece| piece.map(Frame::data)));
    let mut response = Response::new(body.boxed_unsync());
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(PIECE * PIECES));
    response
}

impl Service<Body> for Pieces {
    async fn call(&self, request: Request<Incoming>) -> Response<Body> {
        let piece = || Ok(Bytes::from_static(&[b'x'; PIECE]));
        match request.uri().path() {
            "/whole" => streamed(stream::iter((0..PIECES).map(move |_| piece()))),
            _ => streamed(stream::iter([piece(), Err(io::Error::other("the disk is gone"))])),
        }
    }

    fn refuse(&self, _: FramingRefusal) -> Response<Body> {
        streamed(stream::empty())
    }

    fn failed(&self) -> Response<Body> {
        streamed(stream::empty())
    }
}

fn start() -> (SocketAddr, Shutdown) {
    let listener = bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let (address, shutdown) = (listener.local_addr().expect("an address"), Shutdown::default());
    tokio::spawn(serve(listener, Pieces, Config::default(), shutdown.ending()));
    (address, shutdown)
}

#[tokio::test]
async fn a_body_that_comes_in_pieces_arrives_whole_and_the_connection_goes_on() {
    let (address, _shutdown) = start();
    let mut connection = testkit::raw::RawConnection::open(address).await;
    for _ in 0..2 {
        connection.send(b"GET /whole HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let answer = connection.answer().await.unwrap();
        assert_eq!(answer.body.len(), PIECE * PIECES);
        assert!(!answer.closes());
    }
}

#[tokio::test]
async fn a_body_that_fails_on_its_way_breaks_the_connection_off() {
    let (address, _shutdown) = start();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /broken HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut read = Vec::new();
    // The end or a reset; either way it is short of what was announced.
    drop(stream.read_to_end(&mut read).await);
    assert!(read.len() < PIECE * PIECES, "{} bytes", read.len());
    assert!(testkit::raw::exchange(address, b"GET /whole HTTP/1.1\r\nHost: a\r\n\r\n").await.is_some());
}
