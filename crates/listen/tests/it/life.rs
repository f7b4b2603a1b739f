use testkit::raw::RawConnection;

use super::*;

const GET: &[u8] = b"GET /p HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn a_client_that_sends_nothing_more_still_gets_its_answer() {
    let server = Server::start();
    let mut connection = RawConnection::open(server.address).await;
    connection.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    connection.finish().await;
    server.gate.add_permits(1);
    assert_eq!(connection.answer().await.unwrap().body, "GET /wait []");
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_server_lives_on() {
    let server = Server::start();
    let mut connection = RawConnection::open(server.address).await;
    connection.send(b"GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = connection.answer().await.unwrap();
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("server_error"));
    assert_eq!(testkit::raw::exchange(server.address, GET).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_service_that_hangs_up_answers_nothing_more() {
    let server = Server::start();
    let mut connection = RawConnection::open(server.address).await;
    connection.send(GET).await;
    connection.send(b"GET /hang-up HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(connection.answer().await.unwrap().status, 200);
    assert!(connection.is_closed().await);
    assert_eq!(testkit::raw::exchange(server.address, GET).await.unwrap().status, 200);
}

#[tokio::test]
async fn the_end_finishes_what_is_in_flight_and_closes_what_rests() {
    let server = Server::start();
    let mut resting = RawConnection::open(server.address).await;
    resting.send(GET).await;
    assert_eq!(resting.answer().await.unwrap().status, 200);
    let mut busy = RawConnection::open(server.address).await;
    busy.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.begun.acquire().await.unwrap().forget();
    server.shutdown.end();
    assert!(resting.is_closed().await);
    server.gate.add_permits(1);
    let answer = busy.answer().await.unwrap();
    assert_eq!((answer.status, answer.closes()), (200, true));
    server.task.await.unwrap();
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn the_address_is_free_while_something_is_still_in_flight() {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let (gate, begun, shutdown) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)), Shutdown::default());
    let mirror = Mirror { gate: gate.clone(), begun: begun.clone() };
    let served = tokio::spawn(serve_until_asked(listener, mirror, Config::default(), shutdown.ending()));
    let mut busy = RawConnection::open(address).await;
    busy.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    begun.acquire().await.unwrap().forget();
    shutdown.end();
    let in_flight = served.await.unwrap();
    drop(bind(address).unwrap());
    gate.add_permits(1);
    assert_eq!(busy.answer().await.unwrap().status, 200);
    in_flight.done().await;
}

#[tokio::test]
async fn a_request_that_arrived_before_the_end_is_answered_though_nobody_read_it_yet() {
    let server = Server::start();
    let mut connection = RawConnection::open(server.address).await;
    connection.send(GET).await;
    assert_eq!(connection.answer().await.unwrap().status, 200);
    // Both within one turn of the runtime: the server sees them at once.
    connection.send(&GET.repeat(2)).await;
    server.shutdown.end();
    let answer = connection.answer().await.expect("an answer and not a closed connection");
    assert_eq!((answer.status, answer.closes()), (200, true));
    assert!(connection.is_closed().await, "one answer is the last one");
    server.task.await.unwrap();
}

/// A connection that was accepted elsewhere, as those below TLS are.
#[tokio::test(start_paused = true)]
async fn a_request_that_arrives_with_the_end_is_answered_below_tls_too() {
    let serve = || {
        let (client, server) = tokio::net::UnixStream::pair().unwrap();
        let mirror = Mirror { gate: Arc::new(Semaphore::new(0)), begun: Arc::new(Semaphore::new(0)) };
        let shutdown = Shutdown::default();
        tokio::spawn(serve_connection(server, mirror, Config::default(), shutdown.ending()));
        (RawConnection::over(client), shutdown)
    };
    let began = tokio::time::Instant::now();
    let (mut busy, shutdown) = serve();
    busy.send(GET).await;
    assert_eq!(busy.answer().await.unwrap().status, 200);
    shutdown.end();
    // The server comes to know of the end, and nothing has come yet.
    tokio::task::yield_now().await;
    busy.send(GET).await;
    let answer = busy.answer().await.expect("an answer and not a closed connection");
    assert_eq!((answer.status, answer.closes()), (200, true));
    let (mut resting, shutdown) = serve();
    resting.send(GET).await;
    assert_eq!(resting.answer().await.unwrap().status, 200);
    shutdown.end();
    assert!(resting.is_closed().await);
    assert!(began.elapsed() < Duration::from_secs(1), "it is listened to for a moment and no longer");
}

#[tokio::test]
async fn a_head_that_has_begun_may_be_finished_after_the_end_was_asked_for() {
    let server = Server::start();
    let mut connection = RawConnection::open(server.address).await;
    connection.send(GET).await;
    assert_eq!(connection.answer().await.unwrap().status, 200);
    let mut resting = RawConnection::open(server.address).await;
    resting.send(GET).await;
    assert_eq!(resting.answer().await.unwrap().status, 200);
    let (begun, rest) = GET.split_at(10);
    connection.send(begun).await;
    server.shutdown.end();
    assert!(resting.is_closed().await, "the end has come");
    connection.send(rest).await;
    let answer = connection.answer().await.expect("an answer and not a closed connection");
    assert_eq!((answer.status, answer.closes()), (200, true));
    server.task.await.unwrap();
}

#[tokio::test]
async fn more_connections_than_allowed_wait_their_turn() {
    let server = Server::start_with(Config { max_connections: 2, ..Config::default() });
    let mut first = RawConnection::open(server.address).await;
    let second = RawConnection::open(server.address).await;
    first.send(GET).await;
    assert_eq!(first.answer().await.unwrap().status, 200);
    let mut third = RawConnection::open(server.address).await;
    third.send(GET).await;
    drop((first, second));
    assert_eq!(third.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn one_listener_that_is_full_leaves_another_its_places() {
    let room = Room::new(8, 2);
    let config = || Config { room: room.clone(), ..Config::default() };
    let (crowded, other) = (Server::start_with(config()), Server::start_with(config()));
    let mut held = Vec::new();
    for _ in 0..room.most() {
        let mut connection = RawConnection::open(crowded.address).await;
        connection.send(GET).await;
        assert_eq!(connection.answer().await.unwrap().status, 200);
        held.push(connection);
    }
    let mut waiting = RawConnection::open(crowded.address).await;
    waiting.send(GET).await;
    for _ in 0..3 {
        let mut connection = RawConnection::open(other.address).await;
        connection.send(GET).await;
        assert_eq!(connection.answer().await.unwrap().status, 200);
        held.push(connection);
    }
    held.remove(0);
    assert_eq!(waiting.answer().await.unwrap().status, 200);
}

#[tokio::test]
async fn listeners_to_which_nobody_connects_keep_no_places_from_others() {
    let room = Room::new(4, 8);
    let servers = [(); 8].map(|()| Server::start_with(Config { room: room.clone(), ..Config::default() }));
    for server in servers.iter().flat_map(|server| [server; 2]) {
        let mut connection = RawConnection::open(server.address).await;
        connection.send(GET).await;
        let answer = tokio::time::timeout(Duration::from_secs(10), connection.answer()).await.expect("a place");
        assert_eq!(answer.unwrap().status, 200);
    }
}
