//! Documents beside the tokens, over a socket.

use std::sync::Mutex;

use async_trait::async_trait;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use contract::api_version::ApiVersion;
use contract::imds::{InboundRule, LoadBalancer, ScheduledEvent, ScheduledEvents};
use domain::{Clock as _, ResourceId, Timestamp};
use imds::{ControlPlane, ControlPlaneError, Description};
use tokio::task::JoinSet;

use super::*;

const INSTANCE: &str = "/metadata/instance?api-version=2021-02-01";

/// A host that signs by turning the text round, and knows one event.
struct StubControlPlane {
    clock: ManualClock,
    approved: Mutex<Vec<String>>,
    busy: std::sync::atomic::AtomicBool,
    /// Nothing is signed while it is taken.
    key: tokio::sync::Mutex<()>,
}

#[async_trait]
impl ControlPlane for StubControlPlane {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn attest(&self, content: Vec<u8>) -> Result<Vec<u8>, ControlPlaneError> {
        if self.busy.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(ControlPlaneError::Busy);
        }
        let _key = self.key.lock().await;
        Ok(content.into_iter().rev().collect())
    }

    async fn approve(&self, vm: &ResourceId, events: &[String]) -> Result<(), ControlPlaneError> {
        assert_eq!(*vm, fixtures::vm_id());
        if let Some(unknown) = events.iter().find(|event| *event != "E1") {
            return Err(ControlPlaneError::NoEvent(unknown.clone()));
        }
        self.approved.lock().expect("the list").extend_from_slice(events);
        Ok(())
    }
}

fn with_control_plane() -> (World, Arc<StubControlPlane>) {
    let clock = fixtures::clock();
    let host = Arc::new(StubControlPlane {
        clock,
        approved: Mutex::default(),
        busy: Default::default(),
        key: Default::default(),
    });
    let world = World::hosted(fixtures::vm(true, 0), Arc::clone(&host) as Arc<dyn ControlPlane>);
    (world, host)
}

/// The world's VM under another name.
fn named(name: &str) -> Description {
    let mut description = Description::of(&fixtures::vm(true, 0));
    description.instance.compute.name = name.to_owned();
    description
}

#[tokio::test]
async fn a_vm_of_which_nothing_is_known_knows_its_ids() {
    let world = World::new(fixtures::vm(true, 0));
    let answer = world.get(INSTANCE).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json; charset=utf-8")));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("server").is_some_and(|server| server.starts_with("IMDS/")));
    let id = fixtures::vm_id();
    for part in [
        "\"name\":\"dev\"",
        "\"resourceGroupName\":\"dev\"",
        &format!("\"resourceId\":\"{id}\""),
        &format!("\"subscriptionId\":\"{}\"", fixtures::SUBSCRIPTION),
    ] {
        assert!(answer.body.contains(part), "{part}: {}", answer.body);
    }
}

#[tokio::test]
async fn values_nodes_and_indexes_have_the_forms_of_the_contract() {
    let world = World::new(fixtures::vm(true, 0));
    let mut description = named("vm1");
    description.instance.interfaces = vec![Default::default(); 2];
    world.vm.describe(description);
    let text = Some("text/plain; charset=utf-8");
    for (path, status, body) in [
        ("compute/name?format=text", 200, "vm1"),
        ("compute/name/?format=TEXT", 200, "vm1"),
        ("network/interface?format=text", 200, "0/\n1/"),
        ("network/interface/1?format=text", 200, "ipv4/\nipv6/\nmacAddress"),
        ("network/interface/1/macAddress?format=text", 200, ""),
    ] {
        let answer = world.get(&format!("/metadata/instance/{path}&api-version=2025-04-07")).await;
        assert_eq!(
            (answer.status, answer.body.as_str(), answer.header("content-type")),
            (status, body, text),
            "{path}"
        );
    }
    let leaf = r#"{"error":"Bad request. The requested element is a leaf, use format=text"}"#;
    let nothing = r#"{"error":"The requested element was not found"}"#;
    let format = r#"{"error":"Bad request. The format \"xml\" is not supported, use json or text"}"#;
    for (path, status, body) in [
        ("compute/name?", 400, leaf),
        ("compute/name?format=json", 400, leaf),
        ("compute/nosuch?", 404, nothing),
        ("compute/name/x?format=text", 404, nothing),
        ("network/interface/2?", 404, nothing),
        ("network/interface/-1?", 404, nothing),
        ("compute/tags%4cist?", 404, nothing),
        ("compute?format=xml", 400, format),
        ("compute/userData/?format=xml", 400, format),
    ] {
        let answer = world.get(&format!("/metadata/instance/{path}&api-version=2025-04-07")).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"), "{path}");
    }
    let early = world.get("/metadata/instance/compute/userData?api-version=2020-12-01&format=text").await;
    assert_eq!(early.status, 404, "a later version's field");
}

#[tokio::test]
async fn a_change_is_seen_by_the_next_request() {
    let world = World::new(fixtures::vm(true, 0));
    for name in ["a", "b", "b"] {
        world.vm.describe(named(name));
        for _ in 0..2 {
            let answer = world.get("/metadata/instance/compute/name?api-version=2017-04-02&format=text").await;
            assert_eq!(answer.body, name);
        }
    }
}

#[tokio::test]
async fn versions_are_all_there_are() {
    let world = World::new(fixtures::vm(true, 0));
    let body = world.get("/metadata/versions").await.body;
    let dates = ApiVersion::ALL.map(|version| format!("\"{}\"", version.as_str())).join(",");
    assert_eq!(body, format!("{{\"apiVersions\":[{dates}]}}"));
}

#[tokio::test]
async fn each_attested_document_is_signed_for_its_nonce() {
    let (world, host) = with_control_plane();
    let get =
        async |query: &str| world.get(&format!("/metadata/attested/document?api-version=2025-04-07{query}")).await;
    for (query, nonce) in [("&nonce=1234576656", "1234576656"), ("&nonce=abc", "abc"), ("", "20270115-080000")] {
        let answer = get(query).await;
        let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!(body["encoding"], "pkcs7");
        let signed = BASE64_STANDARD.decode(body["signature"].as_str().expect("text").as_bytes());
        let signed: Vec<u8> = signed.expect("base64").into_iter().rev().collect();
        let content: serde_json::Value = serde_json::from_slice(&signed).expect("JSON");
        assert_eq!(content["nonce"], nonce);
        assert_eq!(content["timeStamp"]["createdOn"], "01/15/27 08:00:00 -0000");
        assert_eq!(content["timeStamp"]["expiresOn"], "01/15/27 14:00:00 -0000");
        assert_eq!(content["subscriptionId"], fixtures::SUBSCRIPTION);
    }
    let wrong = get("&nonce=a%20b").await;
    let body = r#"{"error":"Bad request. The nonce must be 1 to 32 letters, digits or hyphens"}"#;
    assert_eq!((wrong.status, wrong.body.as_str()), (400, body));
    host.busy.store(true, std::sync::atomic::Ordering::SeqCst);
    let busy = get("").await;
    assert_eq!((busy.status, busy.header("retry-after")), (503, Some("1")));
}

#[tokio::test]
async fn one_vm_has_few_documents_signed_at_once() {
    let (world, host) = with_control_plane();
    let key = host.key.lock().await;
    let path = "/metadata/attested/document?api-version=2025-04-07";
    let request = format!("GET {path} HTTP/1.1\r\n{}Metadata: true\r\n\r\n", world.host());
    let mut asked = JoinSet::new();
    for _ in 0..5 {
        let (address, request) = (world.address, request.clone());
        asked.spawn(async move { exchange(address, request).await.expect("an answer") });
    }
    let refused = asked.join_next().await.expect("one more than may").expect("its end");
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    drop(key);
    assert!(asked.join_all().await.iter().all(|answer| answer.status == 200));
    assert_eq!(world.get(path).await.status, 200);
}

#[tokio::test]
async fn scheduled_events_are_told_and_approved() {
    let (world, host) = with_control_plane();
    let path = "/metadata/scheduledevents?api-version=2020-07-01";
    assert_eq!(world.get(path).await.body, r#"{"DocumentIncarnation":0,"Events":[]}"#);
    let event = ScheduledEvent {
        id: "E1".to_owned(),
        event_type: "Reboot",
        resources: vec!["dev".to_owned()],
        not_before: Some(fixtures::NOW + 900),
        description: String::new(),
        by_user: true,
        duration: -1,
    };
    let scheduled_events = ScheduledEvents { incarnation: 1, events: vec![event] };
    world.vm.describe(Description { scheduled_events, ..named("dev") });
    let told = world.get(path).await.body;
    assert!(told.contains("\"NotBefore\":\"Fri, 15 Jan 2027 08:15:00 GMT\""), "{told}");

    let post = async |lines: &str, body: &str| {
        let request = format!("POST {path} HTTP/1.1\r\n{}Metadata: true\r\n{lines}\r\n{body}", world.host());
        world.send(&request).await
    };
    let approval = r#"{"StartRequests":[{"EventId":"E1"}]}"#;
    let length = format!("Content-Length: {}\r\n", approval.len());
    let chunked = format!("{:x}\r\n{approval}\r\n0\r\n\r\n", approval.len());
    for (lines, body) in
        [(length.as_str(), approval), (length.as_str(), approval), ("Transfer-Encoding: chunked\r\n", &chunked)]
    {
        let answer = post(lines, body).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "{}"), "{lines}");
    }
    assert_eq!(*host.approved.lock().expect("the list"), ["E1"; 3]);

    let wrong = r#"{"error":"Bad request. The body must be {\"StartRequests\":[{\"EventId\":\"...\"}]}"}"#;
    let unknown = r#"{"error":"Bad request. There is no scheduled event \"E2\""}"#;
    for (body, refusal) in [
        ("", wrong),
        ("{}", wrong),
        ("not JSON", wrong),
        (r#"{"StartRequests":[]}"#, wrong),
        (r#"{"StartRequests":[{"EventId":"E2"}]}"#, unknown),
        (r#"{"StartRequests":[{"EventId":"E1"},{"EventId":"E2"}]}"#, unknown),
    ] {
        let answer = post(&format!("Content-Length: {}\r\n", body.len()), body).await;
        assert_eq!((answer.status, answer.body.as_str()), (400, refusal), "{body}");
    }
    let long = post("Content-Length: 16385\r\n", &"x".repeat(16_385)).await;
    assert_eq!(long.status, 400);
    assert_eq!(host.approved.lock().expect("the list").len(), 3, "a refused request approves nothing");
}

#[tokio::test]
async fn a_load_balancer_is_told_of_where_there_is_one() {
    let world = World::new(fixtures::vm(true, 0));
    let path = "/metadata/loadbalancer?api-version=2020-10-01";
    let none = world.get(path).await;
    let text = "No load balancer metadata is found. Check if your VM is using any non-basic SKU load balancer and retry \
                later.";
    assert_eq!((none.status, none.body), (404, format!("{{\"error\":\"{text}\"}}")));
    let rule = InboundRule {
        frontend_ip_address: "203.0.113.5".to_owned(),
        protocol: "tcp".to_owned(),
        frontend_port: 80,
        backend_port: 8_080,
        private_ip_address: "10.0.0.4".to_owned(),
    };
    let load_balancer = Some(LoadBalancer { inbound_rules: vec![rule], ..LoadBalancer::default() });
    world.vm.describe(Description { load_balancer, ..named("dev") });
    assert_eq!(
        world.get(path).await.body,
        r#"{"loadbalancer":{"publicIpAddresses":[],"inboundRules":[{"frontendIpAddress":"203.0.113.5","protocol":"tcp","frontendPort":80,"backendPort":8080,"privateIpAddress":"10.0.0.4"}],"outboundRules":[]}}"#
    );
    let xml = world.get(&format!("{path}&format=xml")).await;
    let text = r#"Parameter value \"xml\" isn't allowed for parameter \"format\". Fix the request and retry."#;
    assert_eq!((xml.status, xml.body), (400, format!("{{\"error\":\"{text}\"}}")));
}

#[tokio::test]
async fn documents_have_a_throttle_of_their_own() {
    let world = World::throttled(fixtures::vm(true, 0));
    for _ in 0..5 {
        assert_eq!(world.get(INSTANCE).await.status, 200);
    }
    for target in [INSTANCE, "/metadata/versions", "/metadata/instance?a=1&a=1"] {
        let answer = world.get(target).await;
        let body = r#"{"error":"Too many requests"}"#;
        assert_eq!((answer.status, answer.body.as_str(), answer.header("retry-after")), (429, body, Some("1")));
    }
    assert_eq!(world.get(TOKEN).await.status, 200, "tokens are counted apart");
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(world.get(INSTANCE).await.status, 200);
}
