//! The authority's surface: the whole app over a store of its own, with a clock that moves when told.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test whose set-up fails has failed"
)]

mod arm;
mod attestation;
mod device_code;
mod documents;
mod external_issuer;
mod goal_state;
mod keys;
mod refusals;
mod seeds;
mod tls;
mod token;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use authority::Authority;
use authority::issuer::Issuers;
use authority::kek::FileKek;
use authority::secret::SecretKey;
use authority::signer::{NewKey, Signer, SoftwareSigner};
use authority::signing_pool::SigningPool;
use axum::Router;
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::jose;
use control::App;
use control::external_issuer::ExternalKeys;
use control::keys::Keys;
use control::seed::{self, SeedApplication, World as Seed};
use domain::{
    Application, CertificateCredential, ExtensionSpec, ExternalIssuer, FederatedCredential, IdentityKind, JwksSource,
    ManagedIdentity, ManualClock, PowerState, ProvisioningState, ResourceGroup, ResourceId, RotationPolicy, Scope,
    Subscription, Tenant, Timestamp, UserAssignedIdentity, VirtualMachine, VmExtension,
};
use http::{Request, StatusCode};
use secrecy::SecretString;
use serde_json::Value;
use store::{Act, Founding, Handle};
use tower::ServiceExt;
use uuid::Uuid;

const NOW: i64 = 1_800_000_000;
const TENANT: &str = "10000000-0000-4000-8000-000000000001";
const CLIENT: &str = "30000000-0000-4000-8000-0000000000c1";
const SECRET: &str = "correct horse battery staple";
const ISSUER: &str = "https://issuer.example/";
const BASE: &str = "https://localhost:16926";

struct World {
    clock: ManualClock,
    store: Handle,
    kek: Arc<FileKek>,
    keys: Keys,
    app: Arc<App>,
    router: Router,
    /// The application's registered key.
    own: NewKey,
    /// The external issuer's key.
    external: NewKey,
}

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The `AADSTS` number of a refusal.
    fn code(&self) -> u64 {
        self.json()["error_codes"][0].as_u64().expect("a code")
    }

    /// A part of the token.
    fn token(&self, part: usize) -> Value {
        let body = self.json();
        let jwt = body["access_token"].as_str().unwrap_or_else(|| panic!("no token: {}", self.body));
        serde_json::from_slice(&jose::decode(jwt.split('.').nth(part).unwrap()).unwrap()).unwrap()
    }
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With something else in the seed.
    async fn with(change: impl FnOnce(&mut Seed)) -> Self {
        Self::founded(store::sqlite::ephemeral(&Self::FOUNDING).expect("a store"), change).await
    }

    /// A process that begins on a new store, which has a seed.
    async fn founded(store: store::sqlite::Sqlite, change: impl FnOnce(&mut Seed)) -> Self {
        let (store, kek) = (Handle::new(Arc::new(store)), Arc::new(FileKek::generate().expect("a key")));
        let (own, external) = (key("own"), key("external"));
        let mut seed = seed(&own, &external);
        change(&mut seed);
        apply(&store, seed, &kek).await.expect("the seed");
        Self::open(store, kek, own, external).await
    }

    const FOUNDING: Founding = Founding { installation: Uuid::from_u128(1), epoch: Uuid::from_u128(2) };

    /// A process that begins on a store, with whatever one before it left there.
    async fn open(store: Handle, kek: Arc<FileKek>, own: NewKey, external: NewKey) -> Self {
        let clock = ManualClock::new(Timestamp::from_unix(NOW));
        let secrets = SecretKey::derive(&*kek).expect("a key");
        let issuers = Arc::new(Issuers::default());
        let shared: domain::SharedClock = Arc::new(clock.clone());
        let policy = RotationPolicy::default();
        let keys = Keys::open(store.clone(), kek.clone(), issuers.clone(), shared.clone(), policy).await.expect("keys");
        let pool = SigningPool::with(NonZeroUsize::MIN, 16).expect("a thread");
        let app = Arc::new(App {
            authority: Authority::new(keys.ring().clone(), pool, issuers, shared.clone()),
            store: store.clone(),
            secrets,
            external: ExternalKeys::new(shared.clone(), &[]).expect("a client"),
            base_url: BASE.to_owned(),
            hosts: control::tls::hosts(&["127.0.0.1:16926".parse().expect("an address")]),
            kek: kek.clone(),
            key_maker: control::vm_credential::KeyMaker::default(),
            ids: control::Ids::Derived,
            device_codes: control::DeviceCodes::default(),
            agents: Arc::new(control::Agents::new(Timestamp::from_unix(NOW))),
            settled: control::Settled::at_once(),
            playbooks: playbook::Playbooks::new(shared),
        });
        let router = control::router(app.clone());
        Self { clock, store, kek, keys, app, router, own, external }
    }

    /// Whatever is asked, the failure is never ours.
    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        let body = String::from_utf8(body.to_vec()).expect("text");
        assert!(!head.status.is_server_error(), "{}: {body}", head.status);
        Answer { status: head.status, headers: head.headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    async fn post(&self, path: &str, form: &str) -> Answer {
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_owned())).expect("a request")).await
    }

    /// A request to the v2 token endpoint with this proof.
    async fn token(&self, proof: &str) -> Answer {
        let form = format!("client_id={CLIENT}&scope=https%3A%2F%2Fr%2F.default&grant_type=client_credentials&{proof}");
        self.post(&format!("/{TENANT}/oauth2/v2.0/token"), &form).await
    }

    /// The same with an assertion.
    async fn assert(&self, jwt: &str) -> Answer {
        let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        self.token(&format!("client_assertion_type={kind}&client_assertion={jwt}")).await
    }

    /// The claims of an assertion of the application's own key.
    fn own_claims() -> Value {
        serde_json::json!({
            "aud": format!("{BASE}/{TENANT}/oauth2/v2.0/token"), "iss": CLIENT, "sub": CLIENT,
            "exp": NOW + 600, "nbf": NOW, "jti": "j",
        })
    }

    fn own_header(&self) -> Value {
        serde_json::json!({"alg": "RS256", "x5t": jose::encode(self.own.certificate.thumbprint_sha1)})
    }

    /// The claims of an assertion of the external issuer.
    fn external_claims() -> Value {
        serde_json::json!({
            "aud": "api://AzureADTokenExchange", "iss": ISSUER, "sub": "repo:x", "exp": NOW + 600,
        })
    }
}

/// Signs a JWT with RS256, whatever its header says.
fn sign(key: &NewKey, header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", jose::encode(header.to_string()), jose::encode(claims.to_string()));
    let signer = SoftwareSigner::new("k".to_owned(), &key.pkcs8).expect("a key");
    format!("{signed}.{}", jose::encode(signer.sign(signed.as_bytes()).expect("a signature")))
}

fn key(name: &str) -> NewKey {
    let now = Timestamp::from_unix(NOW);
    NewKey::generate(name, now.minus(Duration::from_secs(60)), now.plus(Duration::from_secs(86_400))).expect("a key")
}

async fn apply(store: &Handle, world: Seed, kek: &FileKek) -> Result<(), seed::SeedConflict> {
    let secrets = SecretKey::derive(kek).expect("a key");
    let act = Act::new("test", "seed.apply", "", Timestamp::from_unix(NOW));
    store.write(act, move |tx| seed::apply(tx, &world, &secrets)).await
}

/// A tenant with a VM, an identity, an external issuer, and an application that can sign in in every way.
fn seed(own: &NewKey, external: &NewKey) -> Seed {
    let tenant = TENANT.parse().unwrap();
    let subscription = "20000000-0000-4000-8000-000000000001".parse().unwrap();
    let group = ResourceId::for_resource_group(subscription, "dev").unwrap();
    let vm = ResourceId::for_virtual_machine(subscription, "dev", "vm").unwrap();
    let app = ResourceId::for_user_assigned_identity(subscription, "dev", "app").unwrap();
    let identity = |kind, id: &ResourceId, number: u8| ManagedIdentity {
        kind,
        id: id.clone(),
        tenant,
        principal_id: format!("40000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap(),
        client_id: format!("30000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap(),
    };
    let (n, e) = external.certificate.modulus_and_exponent().unwrap();
    let jwks = serde_json::json!({"keys": [
        {"kty": "RSA", "kid": "ext", "use": "sig", "n": jose::encode(n), "e": jose::encode(e)},
    ]});
    Seed {
        tenants: vec![Tenant { id: tenant, name: "dev".to_owned(), created_at: None }],
        subscriptions: vec![Subscription { id: subscription, name: "dev".to_owned(), tenant }],
        resource_groups: vec![ResourceGroup {
            id: group,
            name: "dev".to_owned(),
            location: "westeurope".to_owned(),
            tags: Default::default(),
            subscription,
        }],
        user_assigned_identities: vec![UserAssignedIdentity {
            identity: identity(IdentityKind::UserAssigned, &app, 1),
            name: "app".to_owned(),
            location: "westeurope".to_owned(),
            tags: Default::default(),
        }],
        virtual_machines: vec![VirtualMachine {
            vm_id: "50000000-0000-4000-8000-000000000001".parse().unwrap(),
            tenant,
            name: "vm".to_owned(),
            location: "westeurope".to_owned(),
            size: "Standard_B1s".to_owned(),
            tags: Default::default(),
            system_assigned: Some(identity(IdentityKind::SystemAssigned, &vm, 2)),
            user_assigned: vec![app],
            attachment: None,
            document: "{}".to_owned(),
            power: PowerState::Running,
            generation: 0,
            created_at: Timestamp::from_unix(0),
            instance: None,
            id: vm.clone(),
        }],
        vm_extensions: vec![extension(&vm, "msi")],
        external_issuers: vec![ExternalIssuer { url: ISSUER.to_owned(), jwks: JwksSource::Inline(jwks.to_string()) }],
        applications: vec![SeedApplication {
            application: Application {
                tenant,
                client_id: CLIENT.parse().unwrap(),
                principal_id: "40000000-0000-4000-8000-0000000000c1".parse().unwrap(),
                name: "ci".to_owned(),
                secrets: Vec::new(),
                federated: vec![FederatedCredential {
                    name: "github".to_owned(),
                    issuer: ISSUER.to_owned(),
                    subject: "repo:x".to_owned(),
                    audience: "api://AzureADTokenExchange".to_owned(),
                }],
            },
            secret: Some(SecretString::from(SECRET.to_owned())),
            certificates: vec![pem(own)],
            roles: vec![("Owner".to_owned(), Scope::Root)],
        }],
    }
}

fn extension(vm: &ResourceId, name: &str) -> VmExtension {
    VmExtension {
        id: vm.child("extensions", name).unwrap(),
        vm: vm.clone(),
        name: name.to_owned(),
        location: "westeurope".to_owned(),
        tags: Default::default(),
        spec: ExtensionSpec {
            publisher: "Microsoft.ManagedIdentity".to_owned(),
            extension_type: "ManagedIdentityExtensionForLinux".to_owned(),
            type_handler_version: "1.0".to_owned(),
            auto_upgrade_minor_version: true,
            enable_automatic_upgrade: None,
            force_update_tag: None,
            settings: Some(r#"{"port":50342}"#.to_owned()),
            protected_settings: None,
        },
        disabled: false,
        sequence: 1,
        state: ProvisioningState::Creating,
        status: None,
    }
}

fn pem(key: &NewKey) -> Vec<u8> {
    let text = STANDARD.encode(&key.certificate.der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n").into_bytes()
}
