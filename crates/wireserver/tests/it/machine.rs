//! The WireServer: versions, goal state, what it leads to.

use super::*;

/// What stands between two tags, with its entities undone.
fn between(xml: &str, tag: &str) -> String {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let inner = xml.split_once(&open).and_then(|(_, rest)| rest.split_once(&close)).expect("the element").0;
    inner.replace("&amp;", "&")
}

#[tokio::test]
async fn the_versions_need_no_header() {
    let answer = World::new().get("/?comp=versions", "").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/xml; charset=utf-8")));
    assert!(answer.body.contains("<Preferred><Version>2012-11-30</Version></Preferred>"), "{}", answer.body);
}

/// As an agent does it: it follows the addresses that the goal state holds, to the letter.
#[tokio::test]
async fn every_address_in_the_goal_state_leads_to_its_document() {
    let world = World::new();
    *world.machine.certificates.lock().unwrap() = Some("QUJD".repeat(40));
    let answer = world.get("/machine/?comp=goalstate", WIRE).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/xml; charset=utf-8")));
    assert_eq!(*world.machine.joined.lock().unwrap(), 1);
    assert_eq!(between(&answer.body, "Incarnation"), "7");
    let base = format!("http://{}", world.wire);
    for (tag, what) in [
        ("HostingEnvironmentConfig", "<HostingEnvironmentConfig "),
        ("SharedConfig", "<SharedConfig "),
        ("ExtensionsConfig", "\"port\":50342"),
        ("Certificates", "<Format>Pkcs7BlobWithPfxContents</Format>"),
    ] {
        let address = between(&answer.body, tag);
        let target = address.strip_prefix(&base).expect("our own address");
        let header = format!("{WIRE}x-ms-guest-agent-public-x509-cert: bXk=\r\nx-ms-cipher-name: DES_EDE3_CBC\r\n");
        let document = world.get(target, &header).await;
        assert_eq!((document.status, document.header("content-type")), (200, Some("text/xml; charset=utf-8")), "{tag}");
        assert!(document.body.replace("&quot;", "\"").contains(what), "{tag}: {}", document.body);
    }
    assert_eq!(*world.machine.shown.lock().unwrap(), [b"my".to_vec()]);
}

#[tokio::test]
async fn the_old_spelling_of_the_goal_states_address_is_the_same() {
    let world = World::new();
    assert_eq!(world.get("/machine?comp=goalstate", WIRE).await.status, 200);
    assert_eq!(world.get("/machine/?comp=GoalState", WIRE).await.status, 200);
}

#[tokio::test]
async fn certificates_are_sealed_to_what_the_agent_shows_and_only_to_that() {
    let world = World::new();
    let target = format!("/machine/{CONTAINER}/{INSTANCE}?comp=certificates&incarnation=7");
    let shown = |value: &str| format!("{WIRE}x-ms-guest-agent-public-x509-cert: {value}\r\n");
    let answer = world.get(&target, &shown("bXk=")).await;
    assert_eq!((answer.status, answer.body.contains("There are no certificates")), (404, true));
    *world.machine.certificates.lock().unwrap() = Some("QUJD".repeat(40));
    let answer = world.get(&target, &shown("bXk=")).await;
    assert_eq!(between(&answer.body, "Data").split('\n').map(str::len).collect::<Vec<_>>(), [76, 76, 8]);
    let twice = format!("{}{}", shown("bXk="), shown("bXk=").replace(WIRE, ""));
    // base64 of `no certificate`, which the host refuses
    for wrong in [WIRE, &shown("%%%"), &shown("bm8gY2VydGlmaWNhdGU="), &twice] {
        let answer = world.get(&target, wrong).await;
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.body.contains("x-ms-guest-agent-public-x509-cert"), "{}", answer.body);
    }
}

#[tokio::test]
async fn another_container_in_an_address_is_gone() {
    let world = World::new();
    *world.machine.certificates.lock().unwrap() = Some("QUJD".to_owned());
    let other = CONTAINER.replace('c', "f");
    let header = format!("{WIRE}x-ms-guest-agent-public-x509-cert: bXk=\r\n");
    for comp in ["config&type=sharedConfig", "config&type=extensionsConfig", "certificates"] {
        for machine in [format!("{other}/{INSTANCE}"), format!("{CONTAINER}/{INSTANCE}x"), format!("{other}/")] {
            let target = format!("/machine/{machine}?comp={comp}&incarnation=7");
            assert_eq!(world.get(&target, &header).await.status, 410, "{target}");
        }
    }
    assert_eq!(world.machine.shown.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn an_address_of_an_older_goal_state_leads_to_what_is_now() {
    let world = World::new();
    let target = format!("/machine/{CONTAINER}/{INSTANCE}?comp=config&type=extensionsConfig&incarnation=3");
    let answer = world.get(&target, WIRE).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("goalStateIncarnation=\"7\""), "{}", answer.body);
}
