//! `symbolon event`: scheduled events that somebody makes, and what their VM sees of them.

use serde_json::json;

use super::*;

const EVENTS: &str = "/metadata/scheduledevents?api-version=2020-07-01";

/// Runs `symbolon event`.
fn event(home: &Path, args: &[&str]) -> Output {
    let all: Vec<_> = ["event"].iter().chain(args).chain(&["--data-dir=data"]).copied().collect();
    run(home, &all)
}

/// What happens to the VM `dev` as the program lists it.
fn listed(home: &Path) -> Value {
    let output = event(home, &["list", "dev", "--json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told(&output, &[])))
}

/// The same as text, with the ids and times of those in `list` replaced by the numbers that they have there.
fn text(output: &Output, list: &Value) -> String {
    let mut replace = Vec::new();
    for (number, event) in list["value"].as_array().expect("a list").iter().enumerate() {
        replace.push((event["eventId"].as_str().expect("an id"), format!("[id {number}]")));
        replace.push((event["notBefore"].as_str().expect("a time"), format!("[time {number}]")));
    }
    let replace: Vec<_> = replace.iter().map(|(from, to)| (*from, to.as_str())).collect();
    told(output, &replace)
}

/// What the VM's own metadata service answers.
fn ask(up: &Up, method: &str, body: &str) -> Value {
    let address = up.text("imds").trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let length = body.len();
    write!(
        connection,
        "{method} {EVENTS} HTTP/1.0\r\nHost: {address}\r\nMetadata: true\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    assert!(head.starts_with("HTTP/1.0 200 "), "{answer}");
    if body.is_empty() { Value::Null } else { serde_json::from_str(body).expect("JSON") }
}

#[test]
fn every_kind_is_fired_listed_and_told_to_its_vm() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let fire = |kind: &str, notice: &str| {
        let fired = event(home.path(), &["fire", "dev", "--type", kind, "--notice", notice]);
        text(&fired, &listed(home.path()))
    };
    // In the order of their times, which is that of the list.
    let mut fired = String::new();
    for (kind, notice) in
        [("freeze", "1000"), ("reboot", "2000"), ("redeploy", "3000"), ("preempt", "4000"), ("terminate", "5000")]
    {
        fired += &fire(kind, notice);
    }
    insta::assert_snapshot!(fired, @r"
    exit 0
    --- stdout
    VM 'dev': Freeze at [time 0] or when the VM approves it ([id 0])
    --- stderr
    exit 0
    --- stdout
    VM 'dev': Reboot at [time 1] or when the VM approves it ([id 1])
    --- stderr
    exit 0
    --- stdout
    VM 'dev': Redeploy at [time 2] or when the VM approves it ([id 2])
    --- stderr
    exit 0
    --- stdout
    VM 'dev': Preempt at [time 3] or when the VM approves it ([id 3])
    --- stderr
    exit 0
    --- stdout
    VM 'dev': Terminate at [time 4] or when the VM approves it ([id 4])
    --- stderr
    ");
    let list = listed(home.path());
    insta::assert_snapshot!(text(&event(home.path(), &["list", "dev"]), &list), @r"
    exit 0
    --- stdout
     id                                    type       status     not before                         description
     [id 0]  Freeze     Scheduled  [time 0]
     [id 1]  Reboot     Scheduled  [time 1]
     [id 2]  Redeploy   Scheduled  [time 2]
     [id 3]  Preempt    Scheduled  [time 3]
     [id 4]  Terminate  Scheduled  [time 4]
    --- stderr
    ");
    let seen = ask(&up, "GET", "");
    let member =
        |name: &str| -> Vec<_> { seen["Events"].as_array().unwrap().iter().map(|event| event[name].clone()).collect() };
    assert_eq!(member("EventType"), ["Freeze", "Reboot", "Redeploy", "Preempt", "Terminate"]);
    let ids: Vec<_> = list["value"].as_array().unwrap().iter().map(|event| event["eventId"].clone()).collect();
    assert_eq!((member("EventId"), &seen["DocumentIncarnation"]), (ids, &json!(5)));
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

#[test]
fn an_event_that_its_vm_approves_begins_and_lasts_as_long_as_it_was_said_to() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let approve = |duration: &str| {
        let args = ["fire", "dev", "--type=freeze", "--duration", duration, "--description=why", "--json"];
        let fired: Value = serde_json::from_slice(&event(home.path(), &args).stdout).unwrap();
        let duration: u64 = duration.parse().unwrap();
        assert_eq!((&fired["eventStatus"], &fired["durationInSeconds"]), (&json!("Scheduled"), &json!(duration)));
        ask(&up, "POST", &json!({"StartRequests": [{"EventId": fired["eventId"]}]}).to_string());
    };
    approve("600");
    approve("0");
    // One is over at once; what looks after such things has gone by the other one too.
    let list = eventually("the end of the short one", || {
        let list = listed(home.path());
        (list["value"].as_array().unwrap().len() == 1).then_some(list)
    });
    insta::assert_snapshot!(text(&event(home.path(), &["list", "dev"]), &list), @r"
    exit 0
    --- stdout
     id                                    type    status   not before                         description
     [id 0]  Freeze  Started  [time 0]  why
    --- stderr
    ");
    let seen = &ask(&up, "GET", "")["Events"][0];
    assert_eq!(
        (&seen["EventStatus"], &seen["NotBefore"], &seen["DurationInSeconds"]),
        (&json!("Started"), &json!(""), &json!(600))
    );
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

#[test]
fn an_event_whose_time_has_come_does_what_it_says() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &[]);
    let fired = event(home.path(), &["fire", "dev", "--type=terminate", "--notice=0"]);
    assert!(fired.status.success(), "{}", told(&fired, &[]));
    let gone = eventually("the end of the VM", || {
        let list = event(home.path(), &["list", "dev"]);
        (!list.status.success()).then_some(list)
    });
    assert!(told(&gone, &[]).contains("error: ResourceNotFound: "), "{}", told(&gone, &[]));
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}

#[test]
fn what_is_wrong_is_told() {
    let home = tempfile::tempdir().unwrap();
    let say = |args: &[&str]| told(&event(home.path(), args), &[]);
    insta::assert_snapshot!(say(&["fire", "dev", "--type=explode"]), @r"
    exit 2
    --- stdout
    --- stderr
    error: invalid value 'explode' for '--type <TYPE>'
      [possible values: freeze, reboot, redeploy, preempt, terminate]

      tip: a similar value exists: 'redeploy'

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(say(&["fire", "dev", "--type=freeze"]), @r"
    exit 1
    --- stdout
    --- stderr
    error: no symbolon is up with the data directory data; start one with: symbolon up
    ");
    let up = Up::start(home.path(), &[]);
    insta::assert_snapshot!(say(&["fire", "nobody", "--type=freeze"]), @r"
    exit 1
    --- stdout
    --- stderr
    error: ResourceNotFound: The Resource 'Microsoft.Compute/virtualMachines/nobody' under resource group 'dev' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix
    the `list` commands say what is there; another resource group is named with -g
    ");
    insta::assert_snapshot!(say(&["list", "nobody"]), @r"
    exit 1
    --- stdout
    --- stderr
    error: ResourceNotFound: The Resource 'Microsoft.Compute/virtualMachines/nobody' under resource group 'dev' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix
    the `list` commands say what is there; another resource group is named with -g
    ");
    insta::assert_snapshot!(say(&["fire", "dev", "--type=freeze", "--notice=604801"]), @r"
    exit 1
    --- stdout
    --- stderr
    error: InvalidParameter: The value of parameter noticeInSeconds is invalid: it must be a whole number of seconds, at most a week.
      target: noticeInSeconds
    correct what it names and try again
    ");
    assert_eq!(up.end(Signal::TERM).0, Some(0));
}
