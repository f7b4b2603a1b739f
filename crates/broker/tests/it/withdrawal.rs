use super::*;

#[tokio::test]
async fn tokens_of_a_withdrawn_identity_are_forgotten_and_others_kept() {
    let world = World::new();
    world.body().await;
    world.broker.token(&world.cache, wanted(2, "r"), false).await.unwrap();
    world.cache.retain(|kept| kept != principal(1));
    assert!(world.broker.ready(&world.cache, (principal(1), "r")).is_none());
    assert!(world.broker.ready(&world.cache, (principal(2), "r")).is_some());
}

#[tokio::test]
async fn a_token_that_was_being_made_is_neither_handed_out_nor_cached() {
    let world = World::held();
    let caller = world.token();
    let all = async {
        settle().await;
        world.cache.retain(|_| false);
        world.let_pass(1);
    };
    let (served, ()) = tokio::join!(caller, all);
    assert!(matches!(served, Err(SourceError::Withdrawn)));
    assert!(world.cache.is_empty());
}

#[tokio::test]
async fn one_assigned_again_starts_a_flight_of_its_own() {
    let world = World::held();
    let first = world.token();
    let all = async {
        settle().await;
        world.cache.retain(|_| false);
        let second = world.token();
        let pass = async {
            settle().await;
            world.let_pass(2);
        };
        tokio::join!(second, pass).0
    };
    let (first, second) = tokio::join!(first, all);
    assert!(matches!(first, Err(SourceError::Withdrawn)));
    assert_eq!(second.unwrap().entry.body, "t1");
    assert_eq!(world.cache.find(principal(1), "r").unwrap().body, "t1");
}
