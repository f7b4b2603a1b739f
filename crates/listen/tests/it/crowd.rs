//! Ten thousand connections that rest. Their far ends lie in a process of their own: few systems let one process
//! hold both.

use std::io::{BufRead, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use testkit::raw::exchange;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use super::*;

const CROWD: usize = 10_000;
const GET: &[u8] = b"GET /p HTTP/1.1\r\nHost: a\r\n\r\n";

/// One crowd after the other: this process has descriptors for one. The first is left in peace, so that it is there
/// while another is served; the second is shown out.
#[tokio::test]
async fn ten_thousand_resting_connections_disturb_nobody_and_are_closed() {
    raise_descriptors();
    let patient = Config { head_timeout: Duration::from_secs(3_600), ..Config::default() };
    let server = Server::start_with(patient);
    let mut crowd = Crowd::gather(server.address).await;
    assert_eq!(crowd.says().await.as_deref(), Some("all are there"));
    assert_eq!(exchange(server.address, GET).await.expect("an answer").status, 200);
    assert!(crowd.child.try_wait().expect("our own child").is_none(), "the crowd is still there");
    crowd.child.kill().await.expect("our own child");
    server.shutdown.end();
    server.task.await.expect("it ends");

    let server = Server::start_with(Config { head_timeout: Duration::from_secs(1), ..Config::default() });
    let mut crowd = Crowd::gather(server.address).await;
    assert_eq!(crowd.says().await.as_deref(), Some("all are there"));
    assert_eq!(crowd.says().await.as_deref(), Some("all were closed"));
    assert_eq!(exchange(server.address, GET).await.expect("an answer").status, 200);
}

/// The crowd's own process: every second one sends half a head.
#[test]
#[ignore = "it is started by the test above, which tells it on standard input where to go"]
fn a_crowd() {
    let mut address = String::new();
    std::io::stdin().lock().read_line(&mut address).unwrap();
    let Ok(address) = address.trim().parse::<SocketAddr>() else { return };
    let gather = |number| {
        let mut connection = TcpStream::connect(address).unwrap();
        if number % 2 == 0 {
            drop(connection.write_all(b"GET /p HTTP/1.1\r\nHo"));
        }
        connection
    };
    let crowd: Vec<_> = (0..CROWD).map(gather).collect();
    eprintln!("all are there");
    for mut connection in crowd {
        assert_eq!(connection.read(&mut [0]).unwrap_or(0), 0);
    }
    eprintln!("all were closed");
}

struct Crowd {
    child: Child,
    says: Lines<BufReader<ChildStderr>>,
}

impl Crowd {
    async fn gather(around: SocketAddr) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["crowd::a_crowd", "--exact", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it runs");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(format!("{around}\n").as_bytes()).await.expect("it reads");
        let says = BufReader::new(child.stderr.take().expect("piped")).lines();
        Self { child, says }
    }

    async fn says(&mut self) -> Option<String> {
        self.says.next_line().await.expect("text")
    }
}

/// A test with fewer than ten thousand would prove something else, so it fails.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    assert!(most >= 10_500, "a process may open only {most} files here; raise the hard limit (ulimit -Hn) to 10500");
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .expect("up to the hard limit");
}
