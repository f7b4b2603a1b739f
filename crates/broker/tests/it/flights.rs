use broker::cache::MAX_BYTES;
use futures_util::future::join_all;
use tokio::sync::oneshot;

use super::*;

#[tokio::test]
async fn a_hundred_callers_share_one_token() {
    let world = World::held();
    let callers = join_all((0..100).map(|_| world.token()));
    let all = async {
        settle().await;
        world.let_pass(1);
    };
    let (served, ()) = tokio::join!(callers, all);
    assert!(served.iter().all(|served| served.as_ref().is_ok_and(|served| served.entry.body == "t0")));
    assert_eq!(world.asked(), 1);
}

#[tokio::test]
async fn different_identities_and_resources_do_not_share() {
    let world = World::new();
    for (number, resource) in [(1, "r"), (1, "r/"), (2, "r"), (1, "r"), (2, "r")] {
        world.broker.token(&world.cache, wanted(number, resource), false).await.unwrap();
    }
    assert_eq!((world.asked(), world.cache.len()), (3, 3));
    assert_eq!(world.cache.find(principal(1), "r/").unwrap().body, "t1");
    assert!(world.cache.find(principal(2), "r/").is_none());
}

#[tokio::test]
async fn all_who_wait_get_the_same_failure_and_none_asks_again_by_itself() {
    let world = World::held();
    world.take_down();
    let callers = join_all((0..10).map(|_| world.token()));
    let all = async {
        settle().await;
        world.let_pass(1);
    };
    let (served, ()) = tokio::join!(callers, all);
    assert!(served.iter().all(|served| matches!(served, Err(SourceError::Unreachable { .. }))));
    assert_eq!(world.asked(), 1);
    world.bring_up();
    world.let_pass(1);
    assert_eq!(world.body().await, "t1");
}

#[tokio::test]
async fn a_caller_that_hangs_up_does_not_end_the_flight() {
    let world = World::held();
    {
        let first = world.token();
        tokio::pin!(first);
        assert!(first.as_mut().now_or_never().is_none());
        settle().await;
    }
    world.let_pass(1);
    settle().await;
    assert!(world.broker.ready(&world.cache, (principal(1), "r")).is_some());
    assert_eq!(world.asked(), 1);
}

#[tokio::test]
async fn bypass_always_makes_a_token_and_stores_it() {
    let world = World::new();
    assert_eq!(world.body().await, "t0");
    let served = world.broker.token(&world.cache, wanted(1, "r"), true).await.unwrap();
    assert_eq!(served.entry.body, "t1");
    assert_eq!(world.body().await, "t1");
    assert_eq!(world.asked(), 2);
}

/// Each token is made when the test says so: the order of landing isn't that of departure.
#[tokio::test]
async fn a_token_that_lands_late_does_not_push_out_one_that_was_begun_later() {
    struct OneByOne(ManualClock, Arc<Mutex<Vec<oneshot::Sender<()>>>>);
    impl TokenSource for OneByOne {
        fn token(&self, _: Wanted) -> BoxFuture<'static, Result<Minted, SourceError>> {
            let (pass, passed) = oneshot::channel();
            let mut waiting = self.1.lock().expect("sound");
            waiting.push(pass);
            let (number, now) = (waiting.len(), self.0.now());
            async move {
                passed.await.expect("it passes");
                let access_token = AccessToken::new(format!("t{number}"));
                Ok(Minted { access_token, not_before: now, expires_on: now.plus(LIFE) })
            }
            .boxed()
        }
    }
    let world = World::new();
    let waiting = Arc::default();
    let source = Arc::new(OneByOne(world.clock.clone(), Arc::clone(&waiting)));
    let broker = Broker::new(source, Arc::new(world.clock.clone()), Freshness::default(), Counters::register("test"));
    let first = broker.token(&world.cache, wanted(1, "r"), false);
    let second = broker.token(&world.cache, wanted(1, "r"), true);
    let land = async {
        for index in [1, 0] {
            while waiting.lock().expect("sound").len() <= index {
                tokio::task::yield_now().await;
            }
            waiting.lock().expect("sound").remove(index).send(()).expect("somebody waits");
            settle().await;
        }
    };
    let (first, second, ()) = tokio::join!(first, second, land);
    assert_eq!([first, second].map(|served| served.expect("a token").entry.body.clone()), ["t1", "t2"]);
    assert_eq!(world.cache.find(principal(1), "r").expect("cached").body, "t2");
}

#[tokio::test]
async fn a_source_that_panics_is_a_failure_of_ours() {
    struct Panics;
    impl TokenSource for Panics {
        fn token(&self, _: Wanted) -> BoxFuture<'static, Result<Minted, SourceError>> {
            async { panic!("a bug") }.boxed()
        }
    }
    let world = World::new();
    let broker =
        Broker::new(Arc::new(Panics), Arc::new(world.clock.clone()), Freshness::default(), Counters::register("test"));
    for _ in 0..2 {
        let failed = broker.token(&world.cache, wanted(1, "r"), false).await;
        assert!(matches!(failed, Err(SourceError::Internal(_))));
    }
}

#[tokio::test]
async fn spent_tokens_are_forgotten_when_another_comes() {
    let world = World::new();
    let get = |resource| world.broker.token(&world.cache, wanted(1, resource), false);
    for resource in ["a", "b"] {
        get(resource).await.unwrap();
        world.clock.advance(LIFE / 2);
    }
    assert_eq!(world.cache.len(), 2);
    get("c").await.unwrap();
    assert!(world.cache.len() == 2 && world.cache.find(principal(1), "a").is_none(), "b lives on");
}

/// The longest resource in its longest form, as often as a VM may ask for tokens.
#[tokio::test]
async fn a_vm_that_asks_for_much_keeps_no_more_than_its_bytes() {
    struct Long(ManualClock);
    impl TokenSource for Long {
        fn token(&self, wanted: Wanted) -> BoxFuture<'static, Result<Minted, SourceError>> {
            let (now, access_token) = (self.0.now(), AccessToken::new(wanted.resource.repeat(8)));
            async move { Ok(Minted { access_token, not_before: now, expires_on: now.plus(LIFE) }) }.boxed()
        }
    }
    let clock = World::new().clock;
    let source = Arc::new(Long(clock.clone()));
    let broker = Broker::new(source, Arc::new(clock.clone()), Freshness::default(), Counters::register("test"));
    let cache = Arc::new(TokenCache::new(|_, minted: &Minted| minted.access_token.expose().to_owned()));
    for number in 0..2_000 {
        let resource = format!("{number:02048}");
        broker.token(&cache, wanted(1, &resource), false).await.unwrap();
        clock.advance(Duration::from_secs(1));
    }
    let bytes = cache.len() * 2_048 * (8 + 1);
    assert!((MAX_BYTES / 4..MAX_BYTES).contains(&bytes), "{bytes}");
    assert!(cache.find(principal(1), &format!("{:02048}", 1_999)).is_some());
    assert!(cache.find(principal(1), &format!("{:02048}", 0)).is_none());
}

#[tokio::test]
async fn a_body_that_cannot_be_made_keeps_no_later_one_from_being_made() {
    static BROKEN: AtomicUsize = AtomicUsize::new(1);
    let world = World::new();
    let cache = Arc::new(TokenCache::new(|_, minted: &Minted| {
        assert_eq!(BROKEN.swap(0, Ordering::SeqCst), 0, "a bug");
        minted.access_token.expose().to_owned()
    }));
    let failed = world.broker.token(&cache, wanted(1, "r"), false).await;
    assert!(matches!(failed, Err(SourceError::Internal(_))));
    assert_eq!(world.broker.token(&cache, wanted(1, "r"), false).await.unwrap().entry.body, "t1");
}

#[tokio::test]
async fn a_full_cache_forgets_the_oldest() {
    let world = World::new();
    let cache = Arc::new(TokenCache::with_capacity(|_, minted| minted.access_token.expose().to_owned(), 2));
    for resource in ["a", "b", "c"] {
        world.broker.token(&cache, wanted(1, resource), false).await.unwrap();
        world.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(cache.len(), 2);
    assert!(cache.find(principal(1), "a").is_none());
    assert!(cache.find(principal(1), "c").is_some());
}
