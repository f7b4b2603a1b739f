//! What can go wrong, each with its own code and words that say what to do.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use broker::names::Resolve;
use domain::{Clock, ManualClock, SystemClock, Timestamp};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use guest::handler::place::Place;
use guest::handler::{self, Command};
use guest::time::Time;
use serde_json::json;

use super::authority::{FakeAuthority, NAME as AUTHORITY};
use super::machine::Machine;

#[tokio::test]
async fn a_machine_without_an_identity_is_told_so_and_keeps_no_credential() {
    let machine = Machine::new().await;
    // Nothing was set at all, so the agent's file is empty.
    machine.settings_text(0, "");
    let (code, message) = machine.failed("enable", 0).await;
    assert_eq!(code, 1);
    assert!(message.contains("no identity is assigned to the virtual machine"), "{message}");
    // What the document's own sample has.
    machine.settings_text(
        0,
        "{\"runtimeSettings\":[{\"handlerSettings\":{\"publicSettings\":{\"port\":1},\"protectedSettings\":{}}}]}",
    );
    assert_eq!(machine.failed("enable", 0).await.0, 1);

    machine.settings(1, &[0]);
    machine.done("enable", 1).await;
    machine.settings(1, &[]);
    assert_eq!(machine.failed("enable", 1).await.0, 1);
    assert!(!machine.identities().exists());
    assert_eq!(machine.token("").await.unwrap_err(), "Identity not found");
    machine.settings(1, &[0]);
    machine.done("enable", 1).await;
}

#[tokio::test]
async fn a_port_that_is_taken_names_its_holder_and_works_once_it_is_free() {
    let machine = Machine::new().await;
    machine.settings(0, &[0]);
    let holder = std::net::TcpListener::bind(("127.0.0.1", machine.port)).expect("free");
    let (code, message) = machine.failed("enable", 0).await;
    assert_eq!(code, 12);
    let port = machine.port;
    assert!(message.starts_with(&format!("127.0.0.1:{port} can't be listened on (it is taken by ")), "{message}");
    assert!(machine.discovery_files().iter().all(|file| !file.exists()));
    drop(holder);
    machine.done("enable", 0).await;
}

#[tokio::test]
async fn settings_that_are_none_are_told_and_what_works_goes_on() {
    let machine = Machine::new().await;
    machine.settings(0, &[0]);
    machine.done("enable", 0).await;
    let wrong = [("{", 10), ("[]", 10), ("{\"runtimeSettings\":[{\"handlerSettings\":7}]}", 10)];
    for (number, (text, code)) in (1..).zip(wrong) {
        machine.settings_text(number, text);
        assert_eq!(machine.failed("enable", number).await.0, code, "{text}");
    }
    machine.settings_with(4, &json!({"port": 70_000}), None);
    let (code, message) = machine.failed("enable", 4).await;
    assert!(code == 11 && message.contains("'port' of the extension is 70000"), "{message}");
    let output = machine.command("enable").env("ConfigSequenceNumber", "x").output().await.expect("run");
    assert_eq!(
        (output.status.code(), output.stderr),
        (Some(10), b"10: ConfigSequenceNumber isn't a number\n".to_vec())
    );
    assert!(machine.token("").await.is_ok());
    machine.done("enable", 0).await;
}

#[tokio::test]
async fn credentials_that_cannot_be_had_are_told_without_what_is_in_them() {
    let machine = Machine::new().await;
    machine.settings(0, &[0]);
    let key = machine.home().join(format!("{}.prv", machine.thumbprint()));
    let kept = fs::read(&key).expect("a key");

    fs::remove_file(&key).expect("removed");
    let (code, message) = machine.failed("enable", 0).await;
    assert!(
        code == 20 && message.contains(".prv, which is needed") && message.ends_with("it isn't there"),
        "{message}"
    );

    fs::write(&key, "no PEM").expect("written");
    assert_eq!(machine.failed("enable", 0).await.0, 20);

    let other = Machine::new().await;
    let others = fs::read(other.home().join(format!("{}.prv", other.thumbprint()))).expect("a key");
    fs::write(&key, others).expect("written");
    let (code, message) = machine.failed("enable", 0).await;
    assert!(code == 20 && message.contains("can't be decrypted with the machine's key"), "{message}");

    fs::write(&key, kept).expect("written");
    let mut broken = machine.credentials(&machine.authority.url(), &[0, 1]);
    broken.identities[1].private_key = "c2VjcmV0".to_owned().into();
    machine.settings_with(0, &json!({"port": machine.port}), Some(&broken));
    let (code, message) = machine.failed("enable", 0).await;
    assert_eq!(
        (code, message.as_str()),
        (21, "credential 1 of the protected settings can't be used: its private key is none")
    );
    assert!(!machine.identities().exists(), "nothing was changed");

    machine.settings(0, &[0]);
    machine.done("enable", 0).await;
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_waited_for_and_named_meanwhile() {
    let machine = Machine::new().await;
    let credentials = machine.credentials(&machine.authority.named_url(), &[0]);
    machine.settings_with(0, &json!({"port": machine.port}), Some(&credentials));
    fs::create_dir(machine.root().join("etc")).expect("made");
    // The name has an address, but not one that a name server need be asked for.
    let hosts = machine.root().join("etc/hosts");
    fs::write(&hosts, format!("bad-address {AUTHORITY}\n")).expect("written");
    // Nobody answers there.
    fs::write(machine.root().join("etc/resolv.conf"), "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        .expect("written");
    let mut enable = machine.command("enable").env("ConfigSequenceNumber", "0").spawn().expect("run");
    let waiting = || {
        let path = machine.handler().join("status/0.status");
        path.exists() && machine.status(0).message.contains(&format!("{AUTHORITY}, doesn't resolve"))
    };
    assert!(Time::system().within(Duration::from_secs(60), Duration::from_millis(20), waiting).await);
    assert_eq!(machine.status(0).word, "transitioning");
    fs::write(&hosts, format!("127.0.0.1 {AUTHORITY}\n")).expect("written");
    assert!(enable.wait().await.expect("ended").success(), "{:?}", machine.status(0));
    assert!(machine.token("").await.is_ok());
}

struct NoNames;

impl Resolve for NoNames {
    fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        std::future::ready(Err(io::Error::other("no such name"))).boxed()
    }
}

/// Runs `enable` in this process, where time passes as fast as it is waited for.
async fn enabled_by(machine: &Machine, clock: &ManualClock) -> Result<(), (u8, String)> {
    let program = machine.handler().join("bin/symbolon-guest");
    let inner = handler::Machine {
        place: Place::of(&program).expect("a place"),
        program,
        names: Arc::new(NoNames),
        time: Time::manual(clock.clone()),
        sequence: Some(0),
        updating_from: None,
    };
    let done = handler::run(Command::Enable, &inner).await;
    let status = machine.status(0);
    let Err(failure) = done else {
        assert_eq!((status.word.as_str(), status.code), ("success", 0), "{status:?}");
        return Ok(());
    };
    let code = u8::from(failure.code);
    assert_eq!((status.word.as_str(), status.code, &status.message), ("error", i64::from(code), &failure.message));
    Err((code, failure.message))
}

/// The same where it must fail: the code, the words, and the seconds that it took.
async fn enabled_in_no_time(machine: &Machine) -> (u8, String, i64) {
    let clock = ManualClock::new(Timestamp::from_unix(0));
    let (code, message) = enabled_by(machine, &clock).await.expect_err("it fails");
    (code, message, clock.now().unix())
}

#[tokio::test]
async fn a_name_that_never_resolves_is_an_error_before_the_agent_gives_up() {
    let machine = Machine::new().await;
    let credentials = machine.credentials(&machine.authority.named_url(), &[0]);
    machine.settings_with(0, &json!({"port": machine.port}), Some(&credentials));
    let (code, message, took) = enabled_in_no_time(&machine).await;
    assert_eq!(code, 30);
    assert!(message.contains("the name of the token authority, authority.test, doesn't resolve"), "{message}");
    assert!((200..=250).contains(&took), "an agent waits 300 s: {took}");
}

#[tokio::test]
async fn an_authority_that_does_not_answer_or_is_not_the_one_is_an_error_too() {
    let machine = Machine::new().await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let mut nobody = machine.credentials(&format!("https://{gone}"), &[0]);
    machine.settings_with(0, &json!({"port": machine.port}), Some(&nobody));
    let (code, message, _) = enabled_in_no_time(&machine).await;
    assert!(code == 31 && message.contains(&gone.to_string()), "{message}");

    nobody.authority.url = machine.authority.url();
    nobody.authority.certificates = Machine::new().await.authority.certificate.clone();
    machine.settings_with(0, &json!({"port": machine.port}), Some(&nobody));
    let (code, message, _) = enabled_in_no_time(&machine).await;
    assert!(code == 31 && message.contains("certificate"), "{message}");
}

#[tokio::test]
async fn a_clock_that_is_a_day_off_is_told_until_it_is_set() {
    const DAY: Duration = Duration::from_secs(86_400);
    let right = Timestamp::from_unix(1_800_000_000);
    let mut machine = Machine::new().await;
    machine.authority = FakeAuthority::with(Arc::new(ManualClock::new(right)), 1975).await;
    machine.settings(0, &[0]);
    let url = machine.authority.url();
    let told = |how: &str| {
        let message = format!("this machine's clock is {how} that of the token authority at {url}; set the clock");
        Err((32, message))
    };
    let clock = ManualClock::new(right);

    // It is waited for as long as an agent lets a command work, and time goes on meanwhile.
    clock.set_wall(right.plus(DAY));
    assert_eq!(enabled_by(&machine, &clock).await, told("86610 s ahead of"));
    clock.set_wall(right.minus(DAY));
    assert_eq!(enabled_by(&machine, &clock).await, told("86190 s behind"));
    assert!(!machine.listens() && machine.discovery_files().iter().all(|file| !file.exists()));

    clock.set_wall(right);
    enabled_by(&machine, &clock).await.unwrap();
    assert!(machine.token("").await.is_ok());

    // Of an endpoint that is there it is told at once.
    let serving = machine.serving();
    for (wrong, how) in [(right.plus(DAY), "86400 s ahead of"), (right.minus(DAY), "86400 s behind")] {
        clock.set_wall(wrong);
        assert_eq!(enabled_by(&machine, &clock).await, told(how));
        clock.set_wall(right);
        enabled_by(&machine, &clock).await.unwrap();
        assert_eq!(machine.serving(), serving, "it goes on");
    }
}

#[tokio::test]
async fn a_clock_before_the_authoritys_certificate_is_told_too() {
    let mut machine = Machine::new().await;
    machine.authority = FakeAuthority::with(Arc::new(SystemClock::new()), 2_200).await;
    machine.settings(0, &[0]);
    let (code, message, _) = enabled_in_no_time(&machine).await;
    assert!(code == 32 && message.starts_with("this machine's clock is at least "), "{message}");
    assert!(
        message
            .ends_with(&format!(" s behind that of the token authority at {}; set the clock", machine.authority.url()))
    );
}

#[tokio::test]
async fn only_listed_distributions_are_taken_where_that_is_wanted() {
    let machine = Machine::new().await;
    fs::create_dir(machine.root().join("etc")).expect("made");
    let release = machine.root().join("etc/os-release");
    fs::write(&release, "ID=debian\nVERSION_ID=\"12\"\n").expect("written");
    let credentials = machine.credentials(&machine.authority.url(), &[0]);
    let strict = json!({"port": machine.port, "strictDistributions": true});
    machine.settings_with(0, &strict, Some(&credentials));
    let (code, message) = machine.failed("enable", 0).await;
    assert!(code == 51 && message.starts_with("this is debian 12; "), "{message}");
    fs::write(&release, "ID=ubuntu\nVERSION_ID=\"16.04\"\n").expect("written");
    machine.done("enable", 0).await;
    machine.settings(1, &[0]);
    fs::remove_file(&release).expect("removed");
    machine.done("enable", 1).await;
}

#[tokio::test]
async fn a_program_outside_of_a_handlers_folder_says_so() {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_symbolon-guest")).arg("enable").output().await;
    let output = output.expect("run");
    assert_eq!(output.status.code(), Some(60));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no HandlerEnvironment.json above "));
}
