use super::*;

const HALF: Duration = Duration::from_secs(43_200);

#[tokio::test]
async fn a_fresh_token_is_served_with_what_remains_of_it() {
    let world = World::new();
    assert_eq!(world.token().await.unwrap().remaining, 86_400);
    world.clock.advance(Duration::from_secs(83));
    let served = world.broker.ready(&world.cache, (principal(1), "r")).unwrap();
    assert_eq!((served.entry.body.as_str(), served.remaining), ("t0", 86_317));
}

#[tokio::test]
async fn an_ageing_token_is_served_while_another_is_made_once() {
    let world = World::new();
    world.body().await;
    world.clock.advance(HALF - Duration::from_secs(60));
    assert!(world.broker.ready(&world.cache, (principal(1), "r")).is_none());
    world.source.gate.forget_permits(1_000_000);
    for _ in 0..5 {
        assert_eq!(world.body().await, "t0");
        settle().await;
    }
    assert_eq!(world.asked(), 2, "one replacement, not five");
    world.let_pass(1);
    settle().await;
    assert_eq!(world.body().await, "t1");
}

#[tokio::test]
async fn nobody_is_handed_a_token_with_less_than_half_of_its_life() {
    let world = World::new();
    world.body().await;
    world.clock.advance(HALF);
    let served = world.token().await.unwrap();
    assert_eq!((served.entry.body.as_str(), served.remaining), ("t1", 86_400));
}

#[tokio::test]
async fn an_old_token_is_better_than_none_until_it_is_spent() {
    let world = World::new();
    world.body().await;
    world.take_down();
    world.clock.advance(HALF);
    assert_eq!(world.body().await, "t0");
    assert_eq!(world.asked(), 2);
    assert_eq!(world.body().await, "t0");
    assert_eq!(world.asked(), 2, "a failed replacement is not tried again at once");
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(world.body().await, "t0");
    assert_eq!(world.asked(), 3);
    world.clock.advance(HALF - Duration::from_secs(69));
    assert!(world.token().await.is_err(), "less than a minute is left");
    world.bring_up();
    assert_eq!(world.token().await.unwrap().remaining, 86_400);
}

/// The tolerance for clocks that part is longer than the margin before the end.
#[tokio::test]
async fn a_token_past_its_end_by_the_wall_clock_is_never_served() {
    let world = World::new();
    world.body().await;
    world.take_down();
    world.clock.advance(LIFE - Duration::from_secs(100));
    assert_eq!(world.token().await.unwrap().remaining, 100);
    for ahead in [41, 100, 299] {
        world.clock.set_wall(Timestamp::from_unix(1_800_000_000 + 86_400 - 100 + ahead));
        assert!(world.token().await.is_err(), "{ahead}");
    }
}

#[tokio::test]
async fn a_wall_clock_that_jumps_ahead_makes_cached_tokens_worthless() {
    let world = World::new();
    world.body().await;
    world.clock.set_wall(Timestamp::from_unix(1_800_000_000 + 4 * 365 * 86_400));
    let served = world.token().await.unwrap();
    assert_eq!((served.entry.body.as_str(), served.remaining), ("t1", 86_400));
}

/// Behind the latest that was seen, not behind the start of the process.
#[tokio::test]
async fn a_wall_clock_that_jumps_ahead_and_back_is_refused() {
    let world = World::new();
    world.body().await;
    world.clock.set_wall(Timestamp::from_unix(1_800_000_000 + 86_400));
    let other = world.broker.token(&world.cache, wanted(2, "r"), false).await;
    assert_eq!(other.unwrap().entry.body, "t1");
    world.clock.set_wall(Timestamp::from_unix(1_800_000_000));
    for number in [1, 2] {
        assert!(world.broker.ready(&world.cache, (principal(number), "r")).is_none());
        for bypass in [false, true] {
            let refused = world.broker.token(&world.cache, wanted(number, "r"), bypass).await;
            assert!(matches!(refused, Err(SourceError::ClockBehind { behind }) if behind.as_secs() == 86_400));
        }
    }
    assert_eq!(world.asked(), 2, "nothing is made in a past that is over");
}

#[tokio::test]
async fn a_wall_clock_that_jumps_back_is_refused() {
    let world = World::new();
    world.body().await;
    world.clock.set_wall(Timestamp::from_unix(1_800_000_000 - 86_400));
    assert!(world.broker.ready(&world.cache, (principal(1), "r")).is_none());
    assert!(matches!(world.token().await, Err(SourceError::ClockBehind { .. })));
    world.clock.set_wall(Timestamp::from_unix(1_800_000_010));
    assert_eq!(world.body().await, "t0", "a clock set right again serves what it had");
}
