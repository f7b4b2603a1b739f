//! Two listeners of one program, one of them asked on many connections at once.

use std::sync::{Mutex, PoisonError};

use http::header::HOST;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// On how many connections the one is asked.
const LOUD: usize = 64;

/// Writes down who was answered, by the host that it asked.
#[derive(Clone, Default)]
struct Order(Arc<Mutex<Vec<String>>>);

impl Order {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Service for Order {
    fn call(&self, request: Request<Incoming>) -> impl Future<Output = Response<Full<Bytes>>> + Send {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(host);
        std::future::ready(respond(Answer::ok(b".".to_vec()), JSON))
    }

    fn refuse(&self, refusal: FramingRefusal) -> Response<Full<Bytes>> {
        respond(Refusal::Framing(refusal).answer(Surface::Imds), JSON)
    }

    fn failed(&self) -> Response<Full<Bytes>> {
        respond(Refusal::Internal.answer(Surface::Imds), JSON)
    }
}

/// All requests lie there before the first is answered, and the one that counts came last.
#[tokio::test]
async fn whoever_asks_on_many_connections_does_not_keep_another_waiting_for_all_of_them() {
    let (order, shutdown) = (Order::default(), Shutdown::default());
    let listen = || {
        let listener = bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        (address, tokio::spawn(serve(listener, order.clone(), Config::default(), shutdown.ending())))
    };
    let ((loud, _), (quiet, _)) = (listen(), listen());
    let mut loud = connected(loud, LOUD, "loud").await;
    let mut quiet = connected(quiet, 1, "quiet").await;
    order.take();
    // Nothing else runs meanwhile: there is one thread, and nothing here waits.
    for connection in &loud {
        assert_eq!(connection.try_write(&request("loud")).expect("room"), request("loud").len());
    }
    for connection in &mut quiet {
        connection.try_write(&request("quiet")).expect("room");
        read_answer(connection).await;
    }
    let before = order.take().iter().take_while(|host| *host == "loud").count();
    assert!(before < LOUD / 2, "{before} of {LOUD} were answered before");
    for connection in &mut loud {
        read_answer(connection).await;
    }
}

/// What is sent ahead on many connections is all answered.
#[tokio::test]
async fn turns_come_round_however_many_wait() {
    let (order, shutdown) = (Order::default(), Shutdown::default());
    let listener = bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let address = listener.local_addr().expect("an address");
    let task = tokio::spawn(serve(listener, order.clone(), Config::default(), shutdown.ending()));
    let mut connections = connected(address, LOUD, "a").await;
    for connection in &mut connections {
        connection.write_all(&request("a").repeat(3)).await.expect("room");
    }
    for connection in &mut connections {
        for _ in 0..3 {
            read_answer(connection).await;
        }
    }
    drop(connections);
    shutdown.end();
    task.await.expect("it ends");
}

/// Connections that have asked once.
async fn connected(address: SocketAddr, count: usize, host: &str) -> Vec<TcpStream> {
    let mut connections = Vec::new();
    for _ in 0..count {
        let mut connection = TcpStream::connect(address).await.expect("it listens");
        connection.write_all(&request(host)).await.expect("room");
        read_answer(&mut connection).await;
        connections.push(connection);
    }
    connections
}

fn request(host: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n").into_bytes()
}

/// Reads one answer; its body is a dot, and no header has one at the end.
async fn read_answer(connection: &mut TcpStream) {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n.") {
        answer.push(connection.read_u8().await.expect("an answer"));
    }
}
