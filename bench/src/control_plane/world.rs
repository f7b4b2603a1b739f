//! A control plane in this process, on a database in a folder of its own, with one client that may do everything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use authority::Authority;
use authority::issuer::Issuers;
use authority::kek::FileKek;
use authority::secret::SecretKey;
use authority::signing_pool::SigningPool;
use axum::Router;
use axum::body::Body;
use control::external_issuer::ExternalKeys;
use control::keys::Keys;
use control::seed::{self, SeedApplication, World as Seed};
use control::{App, Ids, Settled};
use domain::{
    Application, ClientId, IdentityKind, ManagedIdentity, PowerState, PrincipalId, ResourceGroup, ResourceId,
    RotationPolicy, Scope, SharedClock, Subscription, SubscriptionId, SystemClock, Tenant, TenantId, Timestamp,
    VirtualMachine, derived_ids,
};
use http::{HeaderMap, Request, StatusCode};
use secrecy::SecretString;
use serde_json::Value;
use store::{Act, Founding, Handle, sqlite};
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

const BASE: &str = "https://localhost:16926";
const SECRET: &str = "bench-bench-bench-bench";

/// The control plane.
pub(super) struct World {
    pub(super) app: Arc<App>,
    pub(super) clock: SharedClock,
    router: Router,
    token: String,
    folder: TempDir,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl World {
    /// With so many machines in the group `bench`.
    pub(super) async fn new(machines: usize) -> Result<Self> {
        let folder = tempfile::tempdir_in("target")?;
        let founding = Founding { installation: Uuid::from_u128(1), epoch: Uuid::from_u128(2) };
        let store = Handle::new(Arc::new(sqlite::open(&folder.path().join("state.db"), &founding)?));
        let kek = Arc::new(FileKek::generate()?);
        let clock: SharedClock = Arc::new(SystemClock::new());
        let now = clock.now();
        let secrets = SecretKey::derive(&*kek)?;
        let world = described();
        let (tenant, client) = (tenant(), client());
        store.write(Act::new("bench", "seed", "", now), move |tx| seed::apply(tx, &world, &secrets)).await?;
        store.write(Act::new("bench", "machines", "", now), move |tx| fill(tx, machines, now)).await?;
        let issuers = Arc::new(Issuers::default());
        let policy = RotationPolicy::default();
        let keys = Keys::open(store.clone(), kek.clone(), issuers.clone(), clock.clone(), policy).await?;
        let app = Arc::new(App {
            authority: Authority::new(keys.ring().clone(), SigningPool::start()?, issuers, clock.clone()),
            store,
            secrets: SecretKey::derive(&*kek)?,
            external: ExternalKeys::new(clock.clone(), &[])?,
            base_url: BASE.to_owned(),
            hosts: control::tls::hosts(&["127.0.0.1:16926".parse()?]),
            kek,
            key_maker: control::vm_credential::KeyMaker::default(),
            ids: Ids::Random,
            settled: Settled::at_once(),
            device_codes: control::DeviceCodes::default(),
            agents: Arc::new(control::Agents::new(clock.now())),
            playbooks: playbook::Playbooks::new(clock.clone()),
        });
        let router = control::router(app.clone());
        let mut world = Self { app, clock, router, token: String::new(), folder };
        let form = format!(
            "client_id={client}&client_secret={SECRET}&grant_type=client_credentials&\
             scope=https%3A%2F%2Fmanagement.azure.com%2F.default"
        );
        let request = Request::post(format!("/{tenant}/oauth2/v2.0/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form))?;
        let answer: Value = serde_json::from_slice(&world.answer(request).await?.body)?;
        world.token = answer.get("access_token").and_then(Value::as_str).context("no token")?.to_owned();
        Ok(world)
    }

    /// A request, which must be answered well.
    pub(super) async fn send(&self, method: &str, path: &str, body: String) -> Result<Answer> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Body::from(body))?;
        let answer = self.answer(request).await?;
        ensure!(
            answer.status.is_success(),
            "{method} {path}: {} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        Ok(answer)
    }

    async fn answer(&self, request: Request<Body>) -> Result<Answer> {
        let (head, body) = self.router.clone().oneshot(request).await?.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await?.to_vec();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// Where the database is.
    pub(super) fn database(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    /// The folder that ends with the value.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The path of the group.
pub(super) fn group() -> String {
    format!("/subscriptions/{}/resourceGroups/bench", subscription())
}

/// The path of a machine, or of anything else of this type in the group.
pub(super) fn compute(kind: &str, name: &str) -> String {
    format!("{}/providers/Microsoft.Compute/{kind}/{name}", group())
}

fn tenant() -> TenantId {
    derived_ids::tenant_id("bench")
}

fn subscription() -> SubscriptionId {
    derived_ids::subscription_id("bench")
}

fn client() -> Uuid {
    Uuid::from_u128(3)
}

fn described() -> Seed {
    let id = ResourceId::for_resource_group(subscription(), "bench");
    Seed {
        tenants: vec![Tenant { id: tenant(), name: "bench".to_owned(), created_at: None }],
        subscriptions: vec![Subscription { id: subscription(), name: "bench".to_owned(), tenant: tenant() }],
        resource_groups: id
            .map(|id| ResourceGroup {
                id,
                name: "bench".to_owned(),
                location: "westus".to_owned(),
                tags: Default::default(),
                subscription: subscription(),
            })
            .into_iter()
            .collect(),
        applications: vec![SeedApplication {
            application: Application {
                tenant: tenant(),
                client_id: ClientId::from_uuid(client()),
                principal_id: PrincipalId::from_uuid(Uuid::from_u128(4)),
                name: "bench".to_owned(),
                secrets: Vec::new(),
                federated: Vec::new(),
            },
            secret: Some(SecretString::from(SECRET.to_owned())),
            certificates: Vec::new(),
            roles: vec![("Owner".to_owned(), Scope::Root)],
        }],
        ..Seed::default()
    }
}

fn fill(tx: &mut dyn store::Tx, machines: usize, now: Timestamp) -> Result<(), store::Error> {
    for number in 0..machines {
        let name = format!("vm{number}");
        let Ok(id) = ResourceId::for_virtual_machine(subscription(), "bench", &name) else { continue };
        let identity = ManagedIdentity {
            kind: IdentityKind::SystemAssigned,
            tenant: tenant(),
            principal_id: derived_ids::principal_id(&id),
            client_id: derived_ids::client_id(&id),
            id: id.clone(),
        };
        tx.put_virtual_machine(&VirtualMachine {
            vm_id: derived_ids::vm_id(&id),
            tenant: tenant(),
            name,
            location: "westus".to_owned(),
            size: "Standard_B1s".to_owned(),
            tags: Default::default(),
            system_assigned: Some(identity),
            user_assigned: Vec::new(),
            attachment: None,
            document: "{}".to_owned(),
            power: PowerState::Running,
            generation: 0,
            created_at: now,
            instance: None,
            id,
        })?;
    }
    Ok(())
}
