//! What becomes of the certificates on a machine's disk.

use super::extensions::{body, path, stored, with};
use super::*;

/// Certificates on the disk of `vm1`, by the day on which they end, and whether they are revoked.
async fn certificates(arm: &Arm) -> Vec<(i64, bool)> {
    let vm = ResourceId::parse(&vm("vm1")).unwrap();
    let found = arm.world.store.read(move |tx| tx.certificate_credentials_of_vm(&vm)).await.unwrap();
    found.iter().map(|one| ((one.not_after.unix() - NOW) / 86_400, one.revoked_at.is_some())).collect()
}

/// Its system-assigned identity gets a certificate on the disk that ends so many days from now.
async fn certificate(arm: &Arm, days: u8) {
    let (id, now) = (ResourceId::parse(&vm("vm1")).unwrap(), Timestamp::from_unix(NOW));
    let put = arm.world.store.write(Act::new("test", "certificate", "", now), move |tx| {
        let identity = tx.virtual_machine(&id)?.and_then(|vm| vm.system_assigned).expect("an identity");
        tx.put_certificate_credential(&CertificateCredential {
            holder: identity.principal_id,
            tenant: identity.tenant,
            client_id: identity.client_id,
            vm: Some(id),
            extension: None,
            thumbprint_sha1: [days; 20],
            thumbprint_sha256: [days; 32],
            certificate_der: vec![days],
            not_before: Timestamp::from_unix(NOW + i64::from(days)),
            not_after: Timestamp::from_unix(NOW + 86_400 * i64::from(days)),
            revoked_at: None,
        })
    });
    put.await.unwrap();
}

#[tokio::test]
async fn what_a_guest_never_took_away_signs_in_no_more() {
    let mut arm = Arm::new().await;
    arm.vm("vm1").await;
    arm.patch(&vm("vm1"), json!({"identity": {"type": "SystemAssigned"}})).await.is(200);
    arm.put(&path(LINUX), body(LINUX)).await.is(201);
    arm.settle(&Guest::SOUND).await;
    certificate(&arm, 9).await;
    // One whose guest is late with another change keeps what it has.
    arm.put(&path(LINUX), with("forceUpdateTag", json!("1"))).await.is(200);
    arm.after(90).await;
    assert_eq!(certificates(&arm).await, [(9, false)]);
    arm.delete(&path(LINUX)).await.is(202);
    arm.after(24).await;
    assert_eq!(certificates(&arm).await, [(9, false)]);
    arm.after(1).await;
    assert_eq!(certificates(&arm).await, [(9, true)]);
}

#[tokio::test]
async fn another_extension_still_signs_with_what_a_guest_never_took_away() {
    let mut arm = Arm::new().await;
    arm.vm("vm1").await;
    arm.patch(&vm("vm1"), json!({"identity": {"type": "SystemAssigned"}})).await.is(200);
    arm.put(&path(LINUX), body(LINUX)).await.is(201);
    arm.settle(&Guest::SOUND).await;
    let (of, act) = (stored(&arm).await, Act::new("test", "extension", "", Timestamp::from_unix(NOW)));
    let other = VmExtension {
        id: of.vm.child("extensions", WINDOWS).unwrap(),
        name: WINDOWS.to_owned(),
        spec: ExtensionSpec { extension_type: WINDOWS.to_owned(), ..of.spec.clone() },
        ..of
    };
    arm.world.store.write(act, move |tx| tx.put_vm_extension(&other)).await.unwrap();
    certificate(&arm, 9).await;
    arm.delete(&path(LINUX)).await.is(202);
    arm.after(90).await;
    assert_eq!(certificates(&arm).await, [(9, false)]);
}

/// The worker begins with what is old.
#[tokio::test]
async fn certificates_are_forgotten_a_day_after_their_end() {
    let arm = Arm::new().await;
    arm.vm("vm1").await;
    arm.patch(&vm("vm1"), json!({"identity": {"type": "SystemAssigned"}})).await.is(200);
    for days in [1, 2, 3] {
        certificate(&arm, days).await;
    }
    arm.world.clock.advance(Duration::from_secs(3 * 86_400));
    let mut saved = arm.world.store.saved();
    let running = tokio::spawn(control::arm::keep_deploying(arm.world.app.clone()));
    saved.changed().await.expect("it forgets");
    assert_eq!(certificates(&arm).await, [(2, false), (3, false)]);
    running.abort();
}
