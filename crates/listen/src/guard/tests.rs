//! The times of a connection, each of another length so that no test takes one for the other. The clock is
//! held and moves by itself to the next moment at which anything would happen.

use std::future::{pending, poll_fn};
use std::pin::pin;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::*;

const TIMES: Times = Times {
    head: Duration::from_secs(5),
    body: Duration::from_secs(11),
    idle: Duration::from_secs(120),
    write: Duration::from_secs(17),
    drain: Duration::from_secs(1),
};
const GET: &str = "GET /p HTTP/1.1\r\nHost: a\r\n\r\n";
const POST: &str = "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";

/// Everything that the guard passed on, and the whole seconds after which it ended the stream.
type Passed = JoinHandle<(String, u64)>;

/// A client and what becomes of what it sends; a body may come in chunks.
fn connect() -> (UnixStream, Passed) {
    let (client, server) = UnixStream::pair().unwrap();
    let limits = Limits { chunked: true, ..Limits::default() };
    let mut guard = Guard::new(server, limits, TIMES, Verdict::default(), Leave::default(), None, None);
    let passed = tokio::spawn(async move {
        let (began, mut text) = (Instant::now(), String::new());
        guard.read_to_string(&mut text).await.unwrap();
        (text, began.elapsed().as_secs())
    });
    (client, passed)
}

/// Lets time pass.
async fn rest(seconds: u64) {
    timeout(Duration::from_secs(seconds), pending::<()>()).await.unwrap_err();
}

/// Sends one byte every two seconds until nobody takes them.
async fn drip(client: &mut UnixStream, bytes: &str) {
    for byte in bytes.as_bytes() {
        if client.write_all(&[*byte]).await.is_err() {
            return;
        }
        rest(2).await;
    }
}

#[tokio::test]
async fn what_is_sent_ahead_waits_until_others_have_had_their_turn() {
    let (mut client, server) = UnixStream::pair().unwrap();
    let mut guard = Guard::new(server, Limits::default(), TIMES, Verdict::default(), Leave::default(), None, None);
    client.write_all(format!("{GET}{GET}").as_bytes()).await.unwrap();
    let mut room = [0; 256];
    assert_eq!(guard.read(&mut room).await.unwrap(), GET.len());
    let mut second = pin!(guard.read(&mut room));
    let gave_way = poll_fn(|context| Poll::Ready(second.as_mut().poll(context).is_pending())).await;
    assert!(gave_way, "its turn is over");
    assert_eq!(second.await.unwrap(), GET.len(), "and comes again by itself");
}

#[tokio::test(start_paused = true)]
async fn the_first_head_has_its_time_from_the_begin_of_the_connection() {
    let (_silent, passed) = connect();
    assert_eq!(passed.await.unwrap(), (String::new(), 5));
    let (mut late, passed) = connect();
    rest(4).await;
    late.write_all(b"GET /p HTTP/1.1\r\nHo").await.unwrap();
    assert_eq!(passed.await.unwrap(), (String::new(), 5), "its first byte gives it no more");
    let (mut dripping, passed) = connect();
    drip(&mut dripping, GET).await;
    assert_eq!(passed.await.unwrap(), (String::new(), 5));
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_rest_between_requests() {
    let (mut client, passed) = connect();
    rest(3).await;
    client.write_all(GET.as_bytes()).await.unwrap();
    rest(100).await;
    client.write_all(GET.as_bytes()).await.unwrap();
    assert_eq!(passed.await.unwrap(), (GET.repeat(2), 103 + 120));
}

#[tokio::test(start_paused = true)]
async fn a_later_head_has_its_time_from_its_first_byte() {
    let (mut client, passed) = connect();
    client.write_all(GET.as_bytes()).await.unwrap();
    rest(100).await;
    drip(&mut client, GET).await;
    assert_eq!(passed.await.unwrap(), (GET.to_owned(), 105));
}

/// Behind each kind of a request: one without a body, with a body, and with one in chunks.
#[tokio::test(start_paused = true)]
async fn a_half_head_behind_a_request_has_no_longer_than_any_other() {
    let chunks = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n".to_owned();
    for whole in [GET.to_owned(), GET.repeat(3), format!("{POST}hello"), chunks] {
        let (mut client, passed) = connect();
        client.write_all(format!("{whole}GET /p HT").as_bytes()).await.unwrap();
        assert_eq!(passed.await.unwrap(), (whole, 5));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_has_its_own_time_from_the_end_of_its_head() {
    let (mut client, passed) = connect();
    rest(4).await;
    client.write_all(format!("{POST}hel").as_bytes()).await.unwrap();
    assert_eq!(passed.await.unwrap(), (format!("{POST}hel"), 4 + 11));
    let (mut dripping, passed) = connect();
    dripping.write_all(b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
    drip(&mut dripping, &"1\r\na\r\n".repeat(9)).await;
    let (text, seconds) = passed.await.unwrap();
    assert_eq!((text.split_once("\r\n\r\n").unwrap().1, seconds), ("1\r\na\r\n", 11));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_given_up_and_one_that_takes_little_is_not() {
    let (mut client, server) = UnixStream::pair().unwrap();
    let mut guard = Guard::new(server, Limits::default(), TIMES, Verdict::default(), Leave::default(), None, None);
    let writing = tokio::spawn(async move {
        let began = Instant::now();
        let why = guard.write_all(&vec![0; 64 * 1024 * 1024]).await.unwrap_err();
        (why.kind(), began.elapsed().as_secs())
    });
    let mut some = vec![0; 1024 * 1024];
    for _ in 0..3 {
        rest(15).await;
        client.read_exact(&mut some).await.unwrap();
    }
    assert_eq!(writing.await.unwrap(), (io::ErrorKind::TimedOut, 3 * 15 + 17));
}

/// A stream that keeps what is written to it until it is flushed, as TLS does.
#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_given_up_at_a_flush_and_at_the_end_too() {
    for at_the_end in [false, true] {
        let (mut client, server) = UnixStream::pair().unwrap();
        let stream = BufWriter::with_capacity(64 * 1024 * 1024, server);
        let (verdict, leave) = (Verdict::default(), Leave::default());
        let mut guard = Guard::new(stream, Limits::default(), TIMES, verdict, leave, None, None);
        let writing = tokio::spawn(async move {
            let began = Instant::now();
            guard.write_all(&vec![0; 32 * 1024 * 1024]).await.unwrap();
            let done = if at_the_end { guard.shutdown().await } else { guard.flush().await };
            (done.unwrap_err().kind(), began.elapsed().as_secs())
        });
        rest(15).await;
        client.read_exact(&mut vec![0; 1024 * 1024]).await.unwrap();
        let outcome = timeout(Duration::from_secs(60), writing).await.expect("it is given up").unwrap();
        assert_eq!(outcome, (io::ErrorKind::TimedOut, 17));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_client_is_listened_to_for_a_moment_and_no_longer() {
    let (mut client, server) = UnixStream::pair().unwrap();
    let mut guard = Guard::new(server, Limits::default(), TIMES, Verdict::default(), Leave::default(), None, None);
    client.write_all(b"GET /p HTTP/1.1\nbad\n\n").await.unwrap();
    let mut mark = [0; REFUSED.len()];
    guard.read_exact(&mut mark).await.unwrap();
    assert_eq!(mark, REFUSED);
    let began = Instant::now();
    guard.shutdown().await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 1);
}
