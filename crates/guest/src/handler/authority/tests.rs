use std::sync::Mutex;

use domain::{ManualClock, Timestamp};

use super::*;

/// Fails a number of times.
struct Flaky(Mutex<Vec<Failure>>);

impl Flaky {
    fn new(mut failures: Vec<Failure>) -> Self {
        failures.reverse();
        Self(Mutex::new(failures))
    }
}

impl Probe for Flaky {
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        let next = self.0.lock().unwrap().pop();
        std::future::ready(next.map_or(Ok(()), Err)).boxed()
    }
}

fn trouble(word: &str) -> Failure {
    Failure::new(Code::Name, word)
}

fn time() -> Time {
    Time::manual(ManualClock::new(Timestamp::from_unix(0)))
}

const BUDGET: Duration = Duration::from_secs(210);

#[tokio::test]
async fn a_trouble_that_passes_is_told_once_and_waited_out() {
    let probe = Flaky::new(vec![trouble("a"), trouble("a"), trouble("b"), trouble("a")]);
    let mut told = Vec::new();
    reach(&probe, &time(), BUDGET, |trouble| told.push(trouble.message.clone())).await.unwrap();
    assert_eq!(told, ["a", "b", "a"]);
}

#[tokio::test]
async fn what_works_at_once_is_not_told() {
    let time = time();
    reach(&Flaky::new(Vec::new()), &time, BUDGET, |trouble| panic!("{trouble}")).await.unwrap();
    assert_eq!(time.clock().now().unix(), 0);
}

#[tokio::test]
async fn a_trouble_that_stays_is_the_answer_when_the_time_is_up() {
    let time = time();
    let probe = Flaky::new(vec![trouble("a"); 1_000]);
    let error = reach(&probe, &time, BUDGET, |_| {}).await.unwrap_err();
    assert_eq!(error, trouble("a"));
    assert_eq!(time.clock().now().unix(), 210, "no longer, and no shorter");
    let asked = 1_000 - probe.0.lock().unwrap().len();
    assert!((15..30).contains(&asked), "{asked}");
}

struct NoNames;

impl Resolve for NoNames {
    fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<std::net::IpAddr>>> {
        std::future::ready(Err(io::ErrorKind::NotFound.into())).boxed()
    }
}

fn at(url: &str) -> Authority {
    Authority { url: url.to_owned(), certificates: String::new() }
}

#[tokio::test]
async fn the_trouble_names_the_host_or_the_address() {
    let names: Arc<dyn Resolve> = Arc::new(NoNames);
    let probe = NetworkProbe::new(at("https://authority.test:1"), Arc::clone(&names), time().clock().clone()).unwrap();
    let error = probe.probe().await.unwrap_err();
    assert_eq!(error.code, Code::Name);
    assert!(error.message.contains("authority.test, doesn't resolve: entity not found"), "{error}");

    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", closed.local_addr().unwrap());
    drop(closed);
    let error = NetworkProbe::new(at(&url), names, time().clock().clone()).unwrap().probe().await.unwrap_err();
    assert_eq!(error.code, Code::Unreachable);
    assert!(error.message.starts_with(&format!("the token authority at {url} can't be reached: ")), "{error}");
    assert!(error.message.contains("refused"), "{error}");
}

#[test]
fn clocks_may_differ_by_five_minutes() {
    let off = |ours: i64, theirs: i64| {
        let done = compare("https://a", Timestamp::from_unix(ours), Timestamp::from_unix(theirs));
        done.map_err(|failure| (failure.code, failure.message))
    };
    let told = |how: &str| {
        let message = format!("this machine's clock is {how} that of the token authority at https://a; set the clock");
        Err((Code::Clock, message))
    };
    assert_eq!((off(1_300, 1_000), off(1_000, 1_300)), (Ok(()), Ok(())));
    assert_eq!((off(1_301, 1_000), off(1_000, 1_301)), (told("301 s ahead of"), told("301 s behind")));
}

#[test]
fn an_address_that_is_none_is_told() {
    let names: Arc<dyn Resolve> = Arc::new(NoNames);
    let wrong = [
        at("http://a"),
        at(""),
        Authority { url: "https://a".to_owned(), certificates: "no PEM".to_owned() },
        Authority {
            url: "https://a".to_owned(),
            certificates: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
        },
    ];
    for address in wrong {
        assert_eq!(client(&address, Arc::clone(&names)).map(drop).unwrap_err().code, Code::Credential, "{address:?}");
    }
}
