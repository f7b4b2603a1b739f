use super::*;

#[tokio::test]
async fn an_identity_that_is_taken_away_gets_no_token_at_once() {
    let world = World::new(fixtures::vm(true, 1));
    let user = format!("{TOKEN}&client_id={}", fixtures::client_id(1));
    assert_eq!(world.get(&user).await.status, 200);
    assert_eq!(world.get(TOKEN).await.status, 200);
    world.vm.update(fixtures::vm(true, 0));
    let answer = world.get(&user).await;
    assert!(answer.status == 400 && answer.body.contains("Identity not found"));
    assert_eq!(world.vm.cached_tokens(), 1, "the other identity's token is kept");
    world.vm.update(fixtures::vm(true, 1));
    assert!(world.get(&user).await.body.contains("token-2"), "assigned again, it starts from nothing");
}

#[tokio::test]
async fn a_token_that_was_being_made_for_it_is_not_handed_out_nor_kept() {
    let world = World::new(fixtures::vm(true, 1));
    world.source.hold();
    let user = format!("{TOKEN}&client_id={}", fixtures::client_id(1));
    let taken_away = async {
        while world.source.asked() == 0 {
            tokio::task::yield_now().await;
        }
        world.vm.update(fixtures::vm(true, 0));
        world.source.let_pass(1);
    };
    let (answer, ()) = tokio::join!(world.get(&user), taken_away);
    assert!(answer.status == 400 && answer.body.contains("Identity not found"));
    assert_eq!(world.vm.cached_tokens(), 0);
}
