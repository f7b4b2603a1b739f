//! The metadata service behind a playbook.

use std::time::Duration;

use contract::gate::{Refusal, Surface};
use domain::SubscriptionId;
use imds::Expired;
use playbook::{Call, Faulty, Front, Playbooks, parse};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::{
    AllowedHosts, Arc, Broker, Counters, Freshness, ManualClock, MetadataService, RawAnswer, Shutdown, SocketAddr,
    StubSource, TOKEN, Throttle, Vm, bind, exchange, fixtures, serve,
};

const GONE: &str = r#"{"error":"gone","error_description":"The service is being updated, retry later"}"#;

struct World {
    clock: ManualClock,
    source: StubSource,
    vm: Arc<Vm>,
    playbooks: Playbooks,
    address: SocketAddr,
    _shutdown: Shutdown,
}

fn subscription() -> SubscriptionId {
    fixtures::SUBSCRIPTION.parse().expect("a GUID")
}

fn broker(source: &StubSource, clock: &ManualClock) -> Broker {
    Broker::new(Arc::new(source.clone()), Arc::new(clock.clone()), Freshness::default(), Counters::register("test"))
}

impl World {
    fn new(steps: &str) -> Self {
        Self::throttled(steps, |_| Throttle::off())
    }

    fn throttled(steps: &str, throttle: impl FnOnce(&ManualClock) -> Throttle) -> Self {
        let (clock, past) = (fixtures::clock(), fixtures::clock());
        past.set_wall(clock_before());
        let source = StubSource::new(clock.clone());
        let vm = Arc::new(Vm::new(fixtures::vm(true, 1), throttle(&clock)));
        let listener = bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let hosts = AllowedHosts::imds(address, []);
        let counters = imds::Counters::register();
        let service = MetadataService::new(vm.clone(), broker(&source, &clock), hosts.clone(), counters, 7);
        let playbooks = Playbooks::new(Arc::new(clock.clone()));
        let expired = broker(&StubSource::new(past.clone()), &past);
        let front = Front {
            playbooks: Some(playbooks.clone()),
            vm: fixtures::vm_id(),
            surface: Surface::Imds,
            hosts,
            internal: Refusal::Internal,
            expire: Some(Arc::new(move |extensions| {
                extensions.insert(Expired(expired.clone()));
            })),
        };
        playbooks.run(subscription(), parse(steps).expect("a playbook"));
        let shutdown = Shutdown::default();
        tokio::spawn(serve(listener, Faulty::new(service, front), imds::listener_config(), shutdown.ending()));
        Self { clock, source, vm, playbooks, address, _shutdown: shutdown }
    }

    fn request(&self, target: &str, lines: &str) -> String {
        format!("GET {target} HTTP/1.1\r\nHost: {}\r\n{lines}\r\n", self.address)
    }

    async fn get(&self) -> RawAnswer {
        exchange(self.address, self.request(TOKEN, "Metadata: true\r\n")).await.expect("an answer")
    }

    async fn statuses(&self, count: usize) -> Vec<u16> {
        let mut statuses = Vec::new();
        for _ in 0..count {
            statuses.push(self.get().await.status);
        }
        statuses
    }

    /// Everything that comes until the server closes.
    async fn bytes(&self) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("the server listens");
        stream.write_all(self.request(TOKEN, "Metadata: true\r\n").as_bytes()).await.expect("the server is there");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.expect("the server is there");
        String::from_utf8(bytes).expect("text")
    }

    fn calls(&self) -> Vec<Call> {
        self.playbooks.show(subscription()).expect("it runs").calls
    }
}

/// So long ago that what was given for a day is over for an hour.
fn clock_before() -> domain::Timestamp {
    domain::Timestamp::from_unix(fixtures::NOW).minus(fixtures::LIFE + Duration::from_secs(3_600))
}

#[tokio::test]
async fn an_outage_has_the_bytes_of_the_contract_and_ends() {
    let world = World::new("steps: [{status: 410, for: 70s}]");
    let refused = world.get().await;
    assert_eq!((refused.status, refused.body.as_str()), (410, GONE));
    assert!(refused.header("server").unwrap().starts_with("IMDS/") && refused.header("x-ms-request-id").is_some());
    assert_eq!(refused.header("content-type"), Some("application/json; charset=utf-8"));
    world.clock.advance(Duration::from_secs(70));
    assert_eq!(world.statuses(2).await, [200, 200]);
    assert_eq!(world.source.asked(), 1, "nothing is made for who is refused");
    let told: Vec<_> = world.calls().into_iter().map(|call| (call.after_ms, call.step, call.status)).collect();
    assert_eq!(told, [(0, Some(1), Some(410)), (70_000, None, Some(200)), (70_000, None, Some(200))]);
}

#[tokio::test]
async fn retry_after_is_as_ever_or_as_the_step_says() {
    let world = World::new(
        "steps: [{status: 429, count: 1}, {status: 429, retryAfter: 9, count: 1}, {status: 429, retryAfter: none, \
         count: 1}, {status: 503, count: 1}, {status: 404, retryAfter: 2, count: 1}]",
    );
    for expected in [Some("1"), Some("9"), None, Some("5"), Some("2")] {
        assert_eq!(world.get().await.header("retry-after"), expected);
    }
    assert_eq!(world.get().await.status, 200);
}

#[tokio::test]
async fn what_lies_before_the_service_answers_with_a_page() {
    let world = World::new("steps: [{status: 502, body: <h1>Bad Gateway</h1>}]");
    let page = world.get().await;
    assert_eq!((page.status, page.body.as_str()), (502, "<h1>Bad Gateway</h1>"));
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
}

#[tokio::test]
async fn a_dropped_connection_ends_without_a_byte() {
    let world = World::new("steps: [{drop: true, count: 1}]");
    assert_eq!(world.bytes().await, "");
    assert_eq!(world.get().await.status, 200);
    let dropped = &world.calls()[0];
    assert_eq!((dropped.fault.as_deref(), dropped.status), (Some("dropped"), None));
}

#[tokio::test]
async fn partial_data_is_less_than_was_announced() {
    for (bytes, arrives) in [(10, 10), (0, 0), (100_000, usize::MAX)] {
        let world = World::new(&format!("steps: [{{partial: {bytes}, count: 1}}]"));
        let text = world.bytes().await;
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let whole = world.get().await.body;
        assert!(head.to_lowercase().contains(&format!("content-length: {}", whole.len())), "{head}");
        assert_eq!(Some(body), whole.get(..arrives.min(whole.len() - 1)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_latency_keeps_its_own_request_waiting_and_no_other() {
    let world = World::throttled("steps: [{latency: 20s, count: 1}, {latency: 3s, status: 500, count: 1}]", |clock| {
        Throttle::faithful(Arc::new(clock.clone()))
    });
    let begun = Instant::now();
    let (slow, quick) = tokio::join!(async { (world.get().await.status, begun.elapsed().as_secs()) }, async {
        (world.get().await.status, begun.elapsed().as_secs())
    });
    let mut seen = [slow, quick];
    seen.sort_unstable();
    assert_eq!(seen, [(200, 20), (500, 3)]);
    assert_eq!(world.calls().len(), 2);
}

#[tokio::test]
async fn an_expired_token_says_so_and_stays_nowhere() {
    let world = World::new("steps: [{expiredToken: true, from: 2, count: 1}]");
    let good = world.get().await.body;
    let expired = world.get().await;
    assert_eq!(expired.status, 200);
    let end = fixtures::NOW - 3_600;
    for part in
        [r#""expires_in":"0""#.to_owned(), format!(r#""expires_on":"{end}""#), r#""access_token":"token-0""#.to_owned()]
    {
        assert!(expired.body.contains(&part), "{part}: {}", expired.body);
    }
    assert_eq!(world.get().await.body, good, "the good one is still there");
    assert_eq!((world.vm.cached_tokens(), world.source.asked()), (1, 1));
}

#[tokio::test]
async fn an_identity_that_has_not_arrived_isnt_found() {
    let world = World::new("steps: [{notPropagated: true, count: 1}]");
    let refused = world.get().await;
    let body = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
    assert_eq!((refused.status, refused.body.as_str()), (400, body));
    assert_eq!(world.get().await.status, 200);
}

#[tokio::test]
async fn what_the_gate_refuses_is_neither_counted_nor_changed() {
    let world = World::new("steps: [{status: 503}]");
    for (lines, target) in [
        ("", TOKEN),
        ("Metadata: true\r\nX-Forwarded-For: 1.2.3.4\r\n", TOKEN),
        ("Metadata: true\r\n", "/metadata/identity/getplatformmetadata"),
    ] {
        let answer = exchange(world.address, world.request(target, lines)).await.expect("an answer");
        assert!([400, 404].contains(&answer.status), "{answer:?}");
    }
    assert_eq!(world.calls(), []);
    assert_eq!(world.get().await.status, 503);
}

#[tokio::test]
async fn what_ends_leaves_nothing_behind() {
    let world = World::new("steps: [{drop: true}]");
    assert_eq!(world.bytes().await, "");
    world.playbooks.stop(subscription());
    assert_eq!(world.statuses(2).await, [200, 200]);
}

/// A call is the request's path and what became of it; a token, a query or a header stands in none.
#[tokio::test]
async fn what_is_written_down_holds_no_token() {
    let world = World::new("steps: [{partial: 400, count: 1}]");
    world.bytes().await;
    let whole = world.get().await.body;
    assert!(whole.contains("token-0"));
    let told = serde_json::to_string(&world.playbooks.show(subscription())).unwrap();
    assert!(!told.contains("token-0") && !told.contains("resource=") && !told.contains("api-version"), "{told}");
}
