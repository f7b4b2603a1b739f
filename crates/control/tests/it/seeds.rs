use control::seed::SeedConflict;

use super::*;

async fn audited(world: &World) -> usize {
    world.store.read(|tx| tx.audit(0, 1_000)).await.unwrap().len()
}

#[tokio::test]
async fn the_same_seed_twice_changes_nothing() {
    let world = World::new().await;
    let before = audited(&world).await;
    apply(&world.store, seed(&world.own, &world.external), &world.kek).await.unwrap();
    assert_eq!(audited(&world).await, before);
}

#[tokio::test]
async fn what_differs_is_named_and_nothing_is_half_applied() {
    let world = World::new().await;
    let before = audited(&world).await;
    type Change = fn(&mut Seed);
    let cases: [(Change, &str); 7] = [
        (
            |seed| seed.tenants[0].name = "other".into(),
            "tenant '10000000-0000-4000-8000-000000000001' is there already with another name",
        ),
        (
            |seed| seed.resource_groups[0].location = "x".into(),
            "resource group 'dev' is there already with another location: it has westeurope, the seed says x",
        ),
        (|seed| seed.virtual_machines[0].size = "x".into(), "virtual machine 'vm' is there already with another size"),
        (|seed| seed.virtual_machines[0].user_assigned.clear(), "another set of user-assigned identities"),
        (
            |seed| seed.applications[0].secret = Some(SecretString::from("other".to_owned())),
            "application 'ci' is there already with another secret",
        ),
        (
            |seed| seed.external_issuers[0].jwks = JwksSource::Inline("{}".into()),
            "issuer 'https://issuer.example/' is there already with another jwks",
        ),
        (
            |seed| seed.applications[0].certificates.push(b"nothing".to_vec()),
            "the certificate of application 'ci' can't be used",
        ),
    ];
    for (change, text) in cases {
        let mut wanted = seed(&world.own, &world.external);
        wanted.tenants.push(Tenant {
            id: "10000000-0000-4000-8000-0000000000ff".parse().unwrap(),
            name: "new".into(),
            created_at: None,
        });
        change(&mut wanted);
        let conflict: SeedConflict = apply(&world.store, wanted, &world.kek).await.unwrap_err();
        let error = conflict.to_string();
        assert!(error.contains(text), "{error}");
        assert!(!error.contains("other horse") && !error.contains(SECRET), "{error}");
    }
    assert_eq!(audited(&world).await, before);
    let new = "10000000-0000-4000-8000-0000000000ff".parse().unwrap();
    assert_eq!(world.store.read(move |tx| tx.tenant(new)).await.unwrap(), None, "not even what agreed");
}
