//! The commands in the order in which agents run them.

use std::fs;
use std::time::Duration;

use contract::guest_agent::handler::Heartbeat;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use testkit::fixtures;

use super::machine::{Machine, NAME, mode};

fn read(path: impl AsRef<std::path::Path>) -> String {
    fs::read_to_string(path).expect("a file")
}

fn heartbeat(machine: &Machine) -> String {
    Heartbeat::parse(&fs::read(machine.handler().join("heartbeat.log")).expect("a heartbeat")).expect("one").status
}

#[tokio::test]
async fn from_the_first_command_to_the_last() {
    let machine = Machine::new().await;
    machine.settings(0, &[0]);
    machine.done("install", 0).await;
    assert_eq!(machine.status(0).word, "transitioning");

    machine.done("enable", 0).await;
    let status = machine.status(0);
    let url = format!("http://localhost:{}", machine.port);
    assert_eq!((status.word.as_str(), status.operation.as_str(), status.code), ("success", "Enable", 0));
    assert_eq!(status.message, format!("Tokens are served at {url}/oauth2/token"));
    assert_eq!(machine.token("").await.unwrap(), fixtures::client_id(0).to_string());
    for file in machine.discovery_files() {
        assert_eq!((read(&file), mode(&file)), (format!("{{\"url\":\"{url}\"}}"), 0o644), "{}", file.display());
    }
    assert_eq!((read(machine.handler().join("mrseq")), heartbeat(&machine).as_str()), ("0".to_owned(), "Ready"));

    // Again, as for each change of anything and at each start of the agent: nothing is started.
    let first = machine.serving();
    machine.done("enable", 0).await;
    assert_eq!((machine.serving(), machine.status(0).word.as_str()), (first, "success"));

    // Another number alone, as a changed force-update tag makes it: another process, on the same port.
    machine.settings(1, &[0]);
    machine.done("enable", 1).await;
    let second = machine.serving();
    assert_ne!(second, first);
    assert!(!fs::exists(format!("/proc/{first}/exe")).unwrap_or(false), "the first one is gone");
    assert_eq!(machine.token("").await.unwrap(), fixtures::client_id(0).to_string());

    machine.done("disable", 1).await;
    let status = machine.status(1);
    assert_eq!((status.word.as_str(), status.operation.as_str()), ("success", "Disable"));
    assert!(!machine.listens() && machine.discovery_files().iter().all(|file| !file.exists()));
    assert_eq!(heartbeat(&machine), "NotReady");
    machine.done("disable", 1).await;

    // By hand, as the document's readers did: without an agent's environment.
    let by_hand = machine.command("enable").output().await.expect("run");
    assert!(by_hand.status.success(), "{by_hand:?}");
    assert_eq!((machine.status(1).word.as_str(), machine.listens()), ("success", true));

    machine.done("uninstall", 1).await;
    assert!(!machine.listens() && machine.discovery_files().iter().all(|file| !file.exists()));
    assert!(!machine.root().join("var/lib/symbolon").exists(), "no key, no state");
    assert!(machine.log().contains("Tokens are served"), "the logs stay");
    machine.done("uninstall", 1).await;
}

#[tokio::test]
async fn identities_come_and_go_without_another_process() {
    let machine = Machine::new().await;
    machine.settings(3, &[0]);
    machine.done("enable", 3).await;
    let process = machine.serving();
    let second = format!("&client_id={}", fixtures::client_id(1));
    assert_eq!(machine.token(&second).await.unwrap_err(), "Identity not found");
    machine.settings(3, &[0, 1]);
    machine.done("enable", 3).await;
    assert_eq!(machine.token(&second).await.unwrap(), fixtures::client_id(1).to_string());
    machine.settings(3, &[1]);
    machine.done("enable", 3).await;
    let first = format!("&client_id={}", fixtures::client_id(0));
    assert_eq!(machine.token(&first).await.unwrap_err(), "Identity not found");
    let left: Vec<_> =
        fs::read_dir(machine.identities()).expect("a folder").flatten().map(|file| file.file_name()).collect();
    assert_eq!(left, [format!("{}.json", fixtures::client_id(1)).as_str()]);
    assert_eq!(machine.serving(), process);
}

#[tokio::test]
async fn a_process_that_died_is_started_again_and_one_that_asks_another_authority_too() {
    let machine = Machine::new().await;
    machine.settings(0, &[0]);
    machine.done("enable", 0).await;
    let first = machine.serving();
    kill_process(Pid::from_raw(first).expect("a pid"), Signal::KILL).expect("killed");
    machine.done("enable", 0).await;
    let second = machine.serving();
    assert_ne!(first, second);
    assert!(machine.token("").await.is_ok());
    let other = machine.credentials(&format!("https://localhost:{}", machine.authority.address.port()), &[0]);
    machine.settings_with(0, &json!({"port": machine.port}), Some(&other));
    machine.done("enable", 0).await;
    assert_ne!(machine.serving(), second);
    assert!(machine.token("").await.is_ok());
}

fn kill(process: i32) {
    kill_process(Pid::from_raw(process).expect("a pid"), Signal::KILL).expect("killed");
}

fn is_there(process: i32) -> bool {
    fs::exists(format!("/proc/{process}/exe")).unwrap_or(false)
}

#[tokio::test]
async fn a_process_that_died_is_back_by_itself_where_it_is_watched_over() {
    let machine = Machine::new().await;
    let set = |number, public| {
        let credentials = machine.credentials(&machine.authority.url(), &[0]);
        machine.settings_with(number, &public, Some(&credentials));
    };
    set(0, json!({"port": machine.port, "supervised": true}));
    machine.done("enable", 0).await;
    let (first, watch) = (machine.serving(), machine.watching());
    machine.done("enable", 0).await;
    assert_eq!((machine.serving(), machine.watching()), (first, watch), "nothing is started");

    kill(first);
    let time = guest::time::Time::system();
    let another = || machine.process("endpoint").is_some_and(|process| process != first);
    let back = time.within(Duration::from_secs(60), Duration::from_millis(50), another);
    assert!(back.await, "{}", machine.log());
    let second = machine.serving();
    let served = time.within(Duration::from_secs(60), Duration::from_millis(50), || machine.listens());
    assert!(served.await && is_there(second) && machine.watching() == watch);
    assert_eq!(machine.token("").await.unwrap(), fixtures::client_id(0).to_string());
    assert!(machine.log().contains("is gone and is started again"));

    // The one that watches is itself started again by the next command.
    kill(watch);
    machine.done("enable", 0).await;
    let watch = machine.watching();
    assert!(is_there(watch) && machine.serving() == second);

    // What is ended on purpose stays so.
    machine.done("disable", 0).await;
    assert!(!is_there(watch) && !is_there(second) && !machine.listens());
    machine.done("enable", 0).await;
    let watch = machine.watching();
    set(1, json!({"port": machine.port}));
    machine.done("enable", 1).await;
    assert!(!is_there(watch) && machine.listens(), "it is wanted no more");
    set(2, json!({"port": machine.port, "supervised": true}));
    machine.done("enable", 2).await;
    let processes = [machine.serving(), machine.watching()];
    machine.done("uninstall", 2).await;
    assert!(!processes.into_iter().any(is_there) && !machine.root().join("var/lib/symbolon").exists());

    set(3, json!({"port": machine.port, "supervised": "yes"}));
    let (code, message) = machine.failed("enable", 3).await;
    assert_eq!(code, 10);
    assert!(message.contains("'supervised' of the extension is \"yes\"; it must be true or false"), "{message}");
}

#[tokio::test]
async fn an_update_takes_over_in_the_order_of_agents() {
    let mut machine = Machine::new().await;
    machine.settings(5, &[0]);
    machine.done("install", 5).await;
    machine.done("enable", 5).await;
    let old = machine.serving();
    machine.unpack("1.0.1.0");
    machine.done("disable", 5).await;
    machine.version = "1.0.1.0";
    machine.settings(5, &[0]);
    let mut update = machine.command("update");
    update.env("ConfigSequenceNumber", "5").env("AZURE_GUEST_AGENT_UPDATING_FROM_VERSION", "1.0.0.0");
    assert!(update.output().await.expect("run").status.success());
    assert_eq!(read(machine.handler().join("mrseq")), "5");
    machine.version = "1.0.0.0";
    machine.done("uninstall", 5).await;
    fs::remove_dir_all(machine.handler()).expect("the agent removes it");
    machine.version = "1.0.1.0";
    machine.done("install", 5).await;
    machine.done("enable", 5).await;
    assert_ne!(machine.serving(), old);
    assert!(machine.token("").await.is_ok());
    let exe = fs::read_link(format!("/proc/{}/exe", machine.serving())).expect("a program");
    assert_eq!(exe, machine.home().join(format!("{NAME}-1.0.1.0/bin/symbolon-guest")));
}

#[tokio::test]
async fn a_new_version_replaces_an_old_one_that_was_not_disabled() {
    let mut machine = Machine::new().await;
    machine.settings(0, &[0]);
    machine.done("enable", 0).await;
    let old = machine.serving();
    machine.unpack("1.0.1.0");
    machine.version = "1.0.1.0";
    machine.settings(0, &[0]);
    machine.done("enable", 0).await;
    assert_ne!(machine.serving(), old);
}

#[tokio::test]
async fn the_process_leaves_whoever_started_it_and_tells_others_nothing() {
    let machine = Machine::new().await;
    machine.settings(0, &[0]);
    // Whoever reads what the command says reads to its end, which doesn't come as long as anybody has it open.
    machine.done("enable", 0).await;
    let pid = machine.serving();
    let stat = read(format!("/proc/{pid}/stat"));
    let fields: Vec<_> = stat.rsplit_once(')').expect("fields").1.split_whitespace().collect();
    assert_eq!(
        (fields[2], fields[3]),
        (pid.to_string().as_str(), pid.to_string().as_str()),
        "its own group and session"
    );
    let null = |number: u32| fs::read_link(format!("/proc/{pid}/fd/{number}"));
    if let (Ok(stdin), Ok(stdout), Ok(stderr)) = (null(0), null(1), null(2)) {
        assert!([stdin, stdout, stderr].iter().all(|open| open == std::path::Path::new("/dev/null")));
    }
    assert_eq!(
        read(format!("/proc/{pid}/limits"))
            .lines()
            .find(|line| line.starts_with("Max core file size"))
            .map(|line| { line.split_whitespace().nth(4).map(str::to_owned) }),
        Some(Some("0".to_owned()))
    );
}
