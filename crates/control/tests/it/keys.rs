use authority::issuer::TokenVersion;
use authority::key_ring::RingError;
use control::keys::{KeysError, open_kek};
use domain::KeyState;

use super::*;

async fn kids(world: &World) -> Vec<String> {
    let set = world.get("/common/discovery/keys").await.json();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn signer(world: &World) -> String {
    let answer = world.token(&format!("client_secret={}", SECRET.replace(' ', "+"))).await;
    answer.token(0)["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_published_long_before_it_signs_and_long_after() {
    let world = World::new().await;
    world.keys.rotate().await.unwrap();
    let first = signer(&world).await;
    let published = kids(&world).await;
    assert_eq!((published.len(), &published[0]), (2, &first));
    world.clock.advance(Duration::from_secs(30 * 86_400));
    world.keys.rotate().await.unwrap();
    let second = signer(&world).await;
    assert_eq!(second, published[1], "the key that waited");
    let now = kids(&world).await;
    assert!(now.len() == 3 && now.contains(&first), "still published: its tokens live");
    world.clock.advance(Duration::from_secs(86_400 + 600));
    world.keys.rotate().await.unwrap();
    assert!(!kids(&world).await.contains(&first));
}

#[tokio::test]
async fn the_keys_outlive_a_restart_and_belong_to_their_issuer() {
    let world = World::new().await;
    world.keys.rotate().await.unwrap();
    let shared: domain::SharedClock = Arc::new(world.clock.clone());
    let open = |issuers: Issuers| {
        let (store, kek, clock) = (world.store.clone(), world.kek.clone(), shared.clone());
        async move { Keys::open(store, kek, Arc::new(issuers), clock, RotationPolicy::default()).await.unwrap() }
    };
    let again = open(Issuers::default()).await;
    assert!(again.ring().load().jwks_v1 == world.keys.ring().load().jwks_v1);
    let other = Issuers { v1: "https://other.example/{tenant}/".to_owned(), ..Issuers::default() };
    assert!(other.issuer(TokenVersion::V1, TENANT.parse().unwrap()).starts_with("https://other.example/1"));
    let other = open(other).await;
    let active = world.keys.ring().load().active.kid().to_owned();
    assert!(other.ring().load().published.iter().all(|key| key.kid != active));
}

#[tokio::test]
async fn every_step_is_in_the_audit_and_no_private_key_is_in_the_store() {
    let world = World::new().await;
    world.keys.rotate().await.unwrap();
    let audit = world.store.read(|tx| tx.audit(0, 100)).await.unwrap();
    let actions: Vec<_> = audit.iter().map(|entry| entry.act.action.as_str()).collect();
    assert_eq!(actions, ["seed.apply", "signingKey.create", "signingKey.publish"]);
    let records = world.store.read(|tx| tx.signing_keys()).await.unwrap();
    for record in records {
        // PKCS#8 of an RSA key holds this object id.
        let oid = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
        assert!(!record.wrapped.windows(oid.len()).any(|window| window == oid));
    }
}

#[tokio::test]
async fn a_revoked_key_is_gone_at_once_and_tokens_go_on() {
    let world = World::new().await;
    world.keys.rotate().await.unwrap();
    let (first, published) = (signer(&world).await, kids(&world).await);
    assert!(world.keys.revoke(&first, "test").await.unwrap());
    // Not a second has passed: the key that waited signs, and every verifier has had it for as long as it waited.
    assert_eq!((signer(&world).await, kids(&world).await), (published[1].clone(), vec![published[1].clone()]));
    assert!(world.keys.ring().load().published.iter().all(|key| key.kid != first), "nothing it signed is believed");
    assert_eq!(world.keys.rotate().await.unwrap(), 1, "another one to wait");
    assert_eq!(kids(&world).await.len(), 2);
    assert!(!world.keys.revoke(&first, "test").await.unwrap(), "it is gone already");
    assert!(!world.keys.revoke("../../x", "test").await.unwrap());

    let audit = world.store.read(|tx| tx.audit(0, 100)).await.unwrap();
    let acts: Vec<_> = audit.iter().map(|entry| (entry.act.action.as_str(), entry.act.actor.as_str())).collect();
    assert_eq!(acts[acts.len() - 2..], [("signingKey.revoke", "test"), ("signingKey.publish", "symbolon")]);
    let records = world.store.read(|tx| tx.signing_keys()).await.unwrap();
    let revoked = records.iter().find(|record| record.kid == first).unwrap();
    assert_eq!(revoked.revoked_at, Some(Timestamp::from_unix(NOW)));
}

#[tokio::test]
async fn the_only_key_may_be_revoked_too() {
    let world = World::new().await;
    let first = signer(&world).await;
    assert!(world.keys.revoke(&first, "test").await.unwrap());
    let second = signer(&world).await;
    assert_ne!(second, first);
    assert_eq!(kids(&world).await, [second]);
}

#[tokio::test]
async fn a_waiting_key_that_does_not_open_never_comes_to_sign() {
    let world = World::new().await;
    world.keys.rotate().await.unwrap();
    let (first, published) = (signer(&world).await, kids(&world).await);
    let records = world.store.read(|tx| tx.signing_keys()).await.unwrap();
    let mut broken = records.iter().find(|record| record.state == KeyState::Next).unwrap().clone();
    *broken.wrapped.last_mut().unwrap() ^= 1;
    let act = Act::new("test", "signingKey.break", "", Timestamp::from_unix(NOW));
    world.store.write(act, move |tx| tx.put_signing_key(&broken)).await.unwrap();
    let stored = world.store.read(|tx| tx.signing_keys()).await.unwrap();

    world.clock.advance(Duration::from_secs(30 * 86_400));
    let refused = world.keys.rotate().await.unwrap_err();
    assert!(matches!(&refused, KeysError::Ring(RingError::Kek { kid, .. }) if *kid == published[1]), "{refused:?}");
    assert_eq!(world.store.read(|tx| tx.signing_keys()).await.unwrap(), stored, "nothing was kept");
    assert_eq!((signer(&world).await, kids(&world).await), (first.clone(), published.clone()));

    // Taken out, another is made in its place.
    assert!(world.keys.revoke(&published[1], "test").await.unwrap());
    world.keys.rotate().await.unwrap();
    assert_eq!(signer(&world).await, first);
    assert!(!kids(&world).await.contains(&published[1]));
}

#[tokio::test]
async fn a_lost_key_encryption_key_is_told_and_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let founding = Founding { installation: Uuid::from_u128(1), epoch: Uuid::from_u128(2) };
    let empty = Handle::new(Arc::new(store::sqlite::ephemeral(&founding).unwrap()));
    let made = open_kek(folder.path(), &empty).await.unwrap();
    let again = open_kek(folder.path(), &World::new().await.store).await.unwrap();
    assert_eq!(authority::kek::Kek::id(&again), authority::kek::Kek::id(&made));

    let file = folder.path().join("kek.json");
    std::fs::remove_file(&file).unwrap();
    let lost = open_kek(folder.path(), &World::new().await.store).await.unwrap_err();
    assert!(matches!(&lost, KeysError::KekLost(path) if *path == file), "{lost:?}");
    assert!(lost.to_string().contains("kek.json is gone") && lost.to_string().contains("--data-dir"), "{lost}");
    assert!(!file.exists());
}
