//! Who is which VM, at listeners that are opened for an attachment.

use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use domain::{Attachment, Reachable};
use imds::{Attached, Host, open_now};
use listen::{Opener, Room};
use testkit::raw::RawConnection;
use tokio::net::{TcpSocket, UnixStream};

use super::*;

const GET: &str = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r";

fn host(world: &World, connections: usize) -> (Host, Opener) {
    let opener = Opener::start(|| {}).expect("a thread");
    (Host::new(world.broker.clone(), Room::new(1_000, 4), connections, opener.clone()), opener)
}

fn request(host: &str) -> String {
    format!("GET {GET} HTTP/1.1\r\nHost: {host}\r\nMetadata: true\r\n\r\n")
}

/// An address that nobody listens on.
fn free_address() -> SocketAddr {
    bind("127.0.0.1:0".parse().expect("an address")).expect("a port").local_addr().expect("an address")
}

async fn connect_from(source: &str, to: SocketAddr) -> RawConnection {
    let source: IpAddr = source.parse().expect("an address");
    loop {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::new(source, 0)).expect("an address of the loopback");
        match socket.connect(to).await {
            Ok(stream) => return RawConnection::over(stream),
            // The listener is opened in the background.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// What a connection gets; none when it is hung up on.
async fn ask(connection: &mut RawConnection, host: &str) -> Option<RawAnswer> {
    connection.send(request(host).as_bytes()).await;
    connection.answer().await
}

#[tokio::test]
async fn a_unix_socket_is_its_vms_alone_and_goes_with_the_service() {
    let world = World::new(fixtures::vm(true, 0));
    let (host, opener) = host(&world, 64);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).expect("ours");
    let path = folder.path().join("vm.sock");
    let attachment = Attachment::Unix { path: path.clone(), group: false };
    let listener = open_now(&opener, &attachment).await.expect("a socket");
    let attached = Attached::start(&host, world.vm.clone(), attachment, listener);
    let well_known = contract::imds::ADDRESS.to_string();
    for (name, status) in [(well_known.as_str(), 200), ("localhost", 200), ("evil.example", 400)] {
        let mut connection = RawConnection::over(UnixStream::connect(&path).await.expect("it listens"));
        assert_eq!(ask(&mut connection, name).await.expect("an answer").status, status, "{name}");
    }
    attached.close().await.await.expect("it ends well");
    assert!(!path.exists());
}

#[tokio::test]
async fn two_vms_at_one_address_are_told_apart_by_theirs_and_strangers_are_hung_up_on() {
    let (one, two) = (World::new(fixtures::vm(true, 0)), World::new(fixtures::vm(false, 2)));
    let (host, _) = host(&one, 64);
    let at = Reachable { address: free_address(), hop_limit: None };
    // One of them has the address in its other form.
    let mapped: SocketAddr = format!("[::ffff:127.0.0.1]:{}", at.address.port()).parse().expect("an address");
    let from = |source: &str, at| Attachment::Source { source: source.parse().expect("an address"), at };
    let first = Attached::start(&host, one.vm.clone(), from("127.0.0.2", Reachable { address: mapped, ..at }), None);
    let second = Attached::start(&host, two.vm.clone(), from("127.0.0.3", at), None);
    let name = at.address.to_string();
    let mut kept = connect_from("127.0.0.2", at.address).await;
    for name in [&mapped.to_string(), &name] {
        assert_eq!(ask(&mut kept, name).await.expect("the first VM is served").status, 200);
    }
    // The second has two identities, and says so; whichever joined last is there in a moment.
    let refused = loop {
        if let Some(answer) = ask(&mut connect_from("127.0.0.3", at.address).await, &name).await {
            break answer;
        }
    };
    assert_eq!(refused.status, 400);
    assert!(ask(&mut connect_from("127.0.0.4", at.address).await, &name).await.is_none(), "a stranger");
    // A VM that is gone is a stranger too, and what it kept open ends.
    first.close().await.await.expect("it ends well");
    assert!(kept.is_closed().await);
    assert!(ask(&mut connect_from("127.0.0.2", at.address).await, &name).await.is_none());
    assert!(ask(&mut connect_from("127.0.0.3", at.address).await, &name).await.is_some());
    second.close().await.await.expect("it ends well");
    bind(at.address).expect("the last one leaves the address free");
}

#[tokio::test]
async fn a_service_ends_while_it_waits_for_the_opener() {
    let world = World::new(fixtures::vm(true, 0));
    let (free, held) = std::sync::mpsc::channel::<()>();
    let opener = Opener::start(move || held.recv().unwrap_or_default()).expect("a thread");
    let (broker, room) = (world.broker.clone(), Room::default());
    let attached = Attached::start(
        &Host::new(broker, room, 64, opener),
        world.vm.clone(),
        Attachment::Listen(free_address()),
        None,
    );
    tokio::task::yield_now().await;
    attached.close().await.await.expect("it ends well");
    drop(free);
}

#[tokio::test]
async fn no_vm_takes_the_place_of_another_that_has_its_address() {
    let (one, two) = (World::new(fixtures::vm(true, 0)), World::new(fixtures::vm(false, 2)));
    let (host, _) = host(&one, 64);
    let at = Reachable { address: free_address(), hop_limit: None };
    let attachment = Attachment::Source { source: "127.0.0.2".parse().expect("an address"), at };
    let first = Attached::start(&host, one.vm.clone(), attachment.clone(), None);
    let mut stream = connect_from("127.0.0.2", at.address).await;
    assert_eq!(ask(&mut stream, &at.address.to_string()).await.expect("served").status, 200);
    let second = Attached::start(&host, two.vm.clone(), attachment, None);
    for _ in 0..10 {
        let answer = ask(&mut connect_from("127.0.0.2", at.address).await, &at.address.to_string()).await;
        assert_eq!(answer.expect("served").status, 200, "it is still the first one");
    }
    second.end().await.expect("it ends well");
    first.end().await.expect("it ends well");
}

#[tokio::test]
async fn one_vm_that_holds_all_its_connections_keeps_no_other_out() {
    let (greedy, other) = (World::new(fixtures::vm(true, 0)), World::new(fixtures::vm(true, 0)));
    let (host, _) = host(&greedy, 8);
    let at = Reachable { address: free_address(), hop_limit: None };
    let from = |source: &str| Attachment::Source { source: source.parse().expect("an address"), at };
    let _first = Attached::start(&host, greedy.vm.clone(), from("127.0.0.2"), None);
    let _second = Attached::start(&host, other.vm.clone(), from("127.0.0.3"), None);
    let name = at.address.to_string();
    let mut held = Vec::new();
    // Each that is accepted has been answered, so its place is taken.
    while held.len() < 8 {
        let mut stream = connect_from("127.0.0.2", at.address).await;
        if ask(&mut stream, &name).await.is_some() {
            held.push(stream);
        }
    }
    for _ in 0..4 {
        assert!(ask(&mut connect_from("127.0.0.2", at.address).await, &name).await.is_none(), "a ninth");
    }
    let answer = loop {
        if let Some(answer) = ask(&mut connect_from("127.0.0.3", at.address).await, &name).await {
            break answer;
        }
    };
    assert_eq!(answer.status, 200);
    // What it gives back it may take again.
    drop(held.pop());
    let again = async { while ask(&mut connect_from("127.0.0.2", at.address).await, &name).await.is_none() {} };
    tokio::time::timeout(Duration::from_secs(10), again).await.expect("a place is free again");
}
