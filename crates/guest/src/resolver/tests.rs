use tokio::net::UdpSocket;

use super::*;

fn machine(hosts: Option<&str>, servers: Option<&str>) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("etc")).unwrap();
    for (name, text) in [("etc/hosts", hosts), ("etc/resolv.conf", servers)] {
        if let Some(text) = text {
            std::fs::write(root.path().join(name), text).unwrap();
        }
    }
    root
}

/// Knows `authority.test`, 192.0.2.7, and says of each other name that there is none.
async fn name_server() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query).await {
            socket.send_to(&answer(&query[..length]), from).await.unwrap();
        }
    });
    port
}

/// RFC 1035, 4.1: the header with the counts changed, the question as it came, and a record that points back at it.
fn answer(query: &[u8]) -> Vec<u8> {
    let name = b"\x09authority\x04test\x00";
    let question = 12..12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
    let known = query[12..].to_ascii_lowercase().starts_with(name);
    let is_a = query[question.end - 4..question.end] == [0, 1, 0, 1];
    let records = u8::from(known && is_a);
    let code = if known { 0 } else { 3 };
    let mut answer = query[..2].to_vec();
    answer.extend([0x81, 0x80 | code, 0, 1, 0, records, 0, 0, 0, 0]);
    answer.extend(&query[question]);
    if records == 1 {
        answer.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
    }
    answer
}

#[tokio::test]
async fn the_hosts_file_comes_first_and_is_read_each_time() {
    let root = machine(Some("# 192.0.2.9 authority.test\n192.0.2.1 a.test Authority.TEST # b.test\n"), None);
    let resolver = Resolver::new(root.path());
    let found = |name: &'static str| resolver.resolve(name);
    assert_eq!(found("authority.test.").await.unwrap(), ["192.0.2.1".parse::<IpAddr>().unwrap()]);
    std::fs::write(root.path().join("etc/hosts"), "192.0.2.2 authority.test\n2001:db8::2 authority.test\n").unwrap();
    let both = ["192.0.2.2", "2001:db8::2"].map(|address| address.parse::<IpAddr>().unwrap());
    assert_eq!(found("authority.test").await.unwrap(), both);
    assert_eq!(found("192.0.2.3").await.unwrap(), ["192.0.2.3".parse::<IpAddr>().unwrap()]);
    assert!(found("localhost").await.unwrap().iter().all(IpAddr::is_loopback));
}

#[tokio::test]
async fn a_name_server_is_asked_for_what_no_file_has() {
    let root = machine(None, Some("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"));
    let resolver = Resolver { port: name_server().await, ..Resolver::new(root.path()) };
    assert_eq!(resolver.resolve("authority.test").await.unwrap(), ["192.0.2.7".parse::<IpAddr>().unwrap()]);
    assert!(resolver.resolve("nobody.test").await.is_err());
    assert!(resolver.resolve("not a name").await.is_err());
}

#[tokio::test]
async fn a_machine_without_a_list_of_servers_asks_itself() {
    for servers in [None, Some(""), Some("search test\n")] {
        let root = machine(None, servers);
        let resolver = Resolver { port: name_server().await, ..Resolver::new(root.path()) };
        assert!(resolver.resolve("authority.test.").await.is_ok(), "{servers:?}");
    }
}
