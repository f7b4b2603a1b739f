//! How often a VM may ask.

use super::*;

const BLOB: &str = r#"{"aggregateStatus":{"guestAgentStatus":{}}}"#;

/// A world whose time only passes by hand, in milliseconds.
fn still() -> (World, Arc<AtomicU64>) {
    let now = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&now);
    (World::at(Arc::new(move || Duration::from_millis(clock.load(Ordering::Relaxed)))), now)
}

fn assert_too_many(answer: &RawAnswer) {
    assert_eq!((answer.status, answer.header("retry-after"), answer.closes()), (429, Some("1"), true), "{answer:?}");
    assert!(answer.body.contains("too_many_requests"), "{}", answer.body);
}

#[tokio::test]
async fn a_hundred_requests_at_once_and_fifty_a_second() {
    let (world, now) = still();
    for (burst, passes) in [(100, 1_000), (50, 60_000), (100, 0)] {
        for asked in 0..burst {
            // Refused ones count too, on whichever port they come.
            let (to, target, status) = match asked % 3 {
                0 => (world.wire, "/?comp=versions", 200),
                1 => (world.plugin, "/versions", 200),
                _ => (world.wire, "/nowhere", 404),
            };
            assert_eq!(send(to, "GET", target, "", "").await.status, status, "{asked} of {burst}");
        }
        assert_too_many(&world.get("/?comp=versions", "").await);
        assert_too_many(&world.get("/nowhere", "").await);
        now.fetch_add(passes, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn what_is_no_request_counts_too() {
    let (world, now) = still();
    let broken = async || {
        let answer = exchange(world.wire, "GET / HTTP/1.1\r\nHost : a\r\n\r\n").await;
        answer.expect("an answer").status
    };
    for _ in 0..100 {
        assert_eq!(broken().await, 400);
    }
    assert_eq!(broken().await, 429);
    assert_too_many(&world.get("/?comp=versions", "").await);
    now.fetch_add(1_000, Ordering::Relaxed);
    assert_eq!((broken().await, world.get("/?comp=versions", "").await.status), (400, 200));
}

#[tokio::test]
async fn twenty_statuses_at_once_and_five_a_second() {
    let (world, now) = still();
    let target = format!("/status/{CONTAINER}");
    for (burst, passes) in [(20, 1_000), (5, 0)] {
        for _ in 0..burst {
            assert_eq!(world.send("PUT", &target, "", BLOB).await.status, 201);
        }
        assert_too_many(&world.send("PUT", &target, "", BLOB).await);
        assert_too_many(&world.ask_plugin("PUT", "/status", PLUGIN, "{}").await);
        now.fetch_add(passes, Ordering::Relaxed);
    }
    assert_eq!(world.machine.statuses.lock().unwrap().len(), 25);
    assert_eq!(world.get("/?comp=versions", "").await.status, 200, "everything else is answered");
}
