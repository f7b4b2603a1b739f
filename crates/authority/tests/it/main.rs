//! The authority as its users see it.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test whose set-up fails has failed"
)]

mod assertions;
mod minting;
mod vectors;
mod verifying;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use authority::issuer::Issuers;
use authority::kek::{FileKek, Kek};
use authority::key_ring::{KeyRing, aad};
use authority::signer::NewKey;
use authority::signing_pool::SigningPool;
use authority::{Authority, Evidence, Subject, TokenSpec};
use contract::jose;
use domain::{KeyState, ManualClock, SigningKeyRecord, TenantId, Timestamp};
use serde_json::{Map, Value};

const NOW: i64 = 1_800_000_000;

struct World {
    clock: ManualClock,
    kek: FileKek,
    records: Vec<SigningKeyRecord>,
    authority: Authority,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::new(Timestamp::from_unix(NOW));
        let kek = FileKek::generate().expect("a key");
        let records = vec![record(&kek, KeyState::Active), record(&kek, KeyState::Next)];
        let ring = Arc::new(KeyRing::open(&records, &kek, "https://login/{tenantid}/v2.0").expect("a ring"));
        let pool = SigningPool::with(NonZeroUsize::MIN, 16).expect("a thread");
        let authority = Authority::new(ring, pool, Arc::new(Issuers::default()), Arc::new(clock.clone()));
        Self { clock, kek, records, authority }
    }

    async fn token(&self) -> String {
        self.authority.mint(&spec("https://management.azure.com/")).await.expect("a token").into_jwt()
    }
}

fn record(kek: &dyn Kek, state: KeyState) -> SigningKeyRecord {
    let now = Timestamp::from_unix(NOW);
    let key = NewKey::generate("test", now, now.plus(Duration::from_secs(86_400))).expect("a key");
    let mut record = SigningKeyRecord {
        kid: key.certificate.kid(),
        issuer: Issuers::default().v1,
        purpose: "access-token".to_owned(),
        version: 1,
        state,
        certificate_der: key.certificate.der,
        wrapped: Vec::new(),
        kek_id: kek.id().to_owned(),
        published_at: now,
        activated_at: (state == KeyState::Active).then_some(now),
        retired_at: None,
        revoked_at: None,
    };
    record.wrapped = kek.wrap(&aad(&record), &key.pkcs8).expect("wrapped");
    record
}

fn tenant() -> TenantId {
    "10000000-0000-4000-8000-000000000001".parse().expect("a GUID")
}

fn spec(resource: &str) -> TokenSpec {
    TokenSpec {
        tenant: tenant(),
        principal_id: "40000000-0000-4000-8000-000000000001".parse().expect("a GUID"),
        client_id: "30000000-0000-4000-8000-000000000001".parse().expect("a GUID"),
        subject: Subject::ManagedIdentity {
            resource_id: "/subscriptions/s/resourcegroups/dev/providers/Microsoft.Compute/virtualMachines/dev".into(),
            used_by: None,
        },
        audience: resource.into(),
        lifetime: Duration::from_secs(86_400),
        evidence: Evidence::Machine,
        tenant_created_at: Some(Timestamp::from_unix(1_700_000_000)),
        capabilities: Vec::new(),
    }
}

fn part(jwt: &str, number: usize) -> Map<String, Value> {
    let part = jwt.split('.').nth(number).expect("three parts");
    serde_json::from_slice(&jose::decode(part).expect("base64url")).expect("an object")
}
