use control::seed::SeedConflict;

use super::*;

const OTHER_SECRET: &str = "incorrect horse";

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
    let cases: [(Change, &str); 13] = [
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
            |seed| seed.applications[0].secret = Some(SecretString::from(OTHER_SECRET.to_owned())),
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
        (
            |seed| seed.applications[0].certificates.clear(),
            "application 'ci' is there already with another set of certificates",
        ),
        (
            |seed| seed.applications[0].certificates = vec![pem(&key("newer"))],
            "application 'ci' is there already with another set of certificates",
        ),
        (|seed| seed.applications[0].roles.clear(), r#"another set of roles: it has {"Owner on /"}, the seed says {}"#),
        (
            |seed| seed.applications[0].roles = vec![("Reader".to_owned(), Scope::Root)],
            r#"another set of roles: it has {"Owner on /"}, the seed says {"Reader on /"}"#,
        ),
        (
            |seed| seed.vm_extensions.clear(),
            r#"virtual machine 'vm' is there already with another set of extensions: it has {"msi"}, the seed says {}"#,
        ),
        (
            |seed| {
                let vm = seed.virtual_machines[0].id.clone();
                seed.vm_extensions.push(extension(&vm, "other"));
            },
            r#"another set of extensions: it has {"msi"}, the seed says {"msi", "other"}"#,
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
        assert!(!error.contains(OTHER_SECRET) && !error.contains(SECRET), "{error}");
    }
    assert_eq!(audited(&world).await, before);
    let new = "10000000-0000-4000-8000-0000000000ff".parse().unwrap();
    assert_eq!(world.store.read(move |tx| tx.tenant(new)).await.unwrap(), None, "not even what agreed");
}

#[tokio::test]
async fn what_others_gave_later_is_no_business_of_the_seed() {
    let world = World::new().await;
    let act = Act::new("test", "roleAssignment.create", "", Timestamp::from_unix(NOW));
    let later = domain::RoleAssignment {
        id: "70000000-0000-4000-8000-000000000001".parse().unwrap(),
        principal: "40000000-0000-4000-8000-0000000000c1".parse().unwrap(),
        role: "Reader".to_owned(),
        scope: Scope::Root,
        created_at: None,
        created_by: None,
    };
    world.store.write(act, move |tx| tx.put_role_assignment(&later)).await.unwrap();
    let before = audited(&world).await;
    apply(&world.store, seed(&world.own, &world.external), &world.kek).await.unwrap();
    assert_eq!(audited(&world).await, before);
}
