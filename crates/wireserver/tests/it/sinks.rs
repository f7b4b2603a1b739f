//! What agents say that changes nothing here, and how much of it.

use super::*;

#[tokio::test]
async fn reports_are_taken_with_the_status_that_agents_want() {
    let world = World::new();
    let health = r#"{"Api":"reporttargethealth","Version":"1.0","Source":"WALinuxAgent","Observations":[
        {"ObservationName":"InstanceMetadataHeartbeat","IsHealthy":false,"Description":"x","Value":""}]}"#;
    for (target, lines, body, status) in [
        ("/machine?comp=health", WIRE, "<Health/>", 200),
        ("/machine?comp=roleProperties", WIRE, "<RoleProperties/>", 202),
        ("/machine?comp=telemetrydata", WIRE, "<TelemetryData/>", 200),
        ("/machine?comp=telemetrydata", WIRE, "", 200),
        ("/HealthService", "Content-Type: application/json\r\n", health, 200),
        ("/HealthService", "", "not JSON", 200),
        ("/HealthService", "", "{\"Observations\":[{\"IsHealthy\":\"?\"}]}", 200),
    ] {
        let answer = world.send("POST", target, lines, body).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, ""), "{target}");
        assert!(!answer.closes(), "{target}");
    }
}

#[tokio::test]
async fn more_than_a_report_may_be_is_refused() {
    const KIB: usize = 1024;
    let world = World::new();
    for (method, target, lines, most) in [
        ("POST", "/machine?comp=telemetrydata", WIRE, 64 * KIB),
        ("POST", "/machine?comp=health", WIRE, KIB * KIB),
        ("POST", "/machine?comp=roleProperties", WIRE, KIB * KIB),
        ("POST", "/HealthService", "", KIB * KIB),
    ] {
        let answer = world.send(method, target, lines, &"x".repeat(most)).await;
        assert!(answer.status < 300, "{target}: {}", answer.status);
        let answer = world.send(method, target, lines, &"x".repeat(most + 1)).await;
        assert_eq!((answer.status, answer.closes()), (413, true), "{target}");
    }
    for (target, lines) in [("/status", PLUGIN), (&format!("/status/{CONTAINER}"), "")] {
        let answer = world.send("PUT", target, lines, &"x".repeat(KIB * KIB + 1)).await;
        assert_eq!((answer.status, answer.closes()), (413, true), "{target}");
        let answer = world.send("PUT", target, lines, &"x".repeat(KIB * KIB)).await;
        assert_eq!(answer.status, 400, "{target}: it is no status");
    }
}

#[tokio::test]
async fn a_body_that_is_announced_and_does_not_come_is_the_callers_fault() {
    let world = World::new();
    let host = format!("Host: {}\r\n", world.wire);
    let request = format!("POST /machine?comp=health HTTP/1.1\r\n{host}{WIRE}Content-Length: 10\r\n\r\nabc");
    let mut connection = testkit::raw::RawConnection::open(world.wire).await;
    connection.send(request.as_bytes()).await;
    connection.finish().await;
    let answer = connection.answer().await;
    assert!(answer.as_ref().is_none_or(|answer| answer.status == 400), "{answer:?}");
    assert_eq!(world.get("/?comp=versions", "").await.status, 200);
}
