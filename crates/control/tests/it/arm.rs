//! The control plane as clients see it: requests that `az` and the SDKs really send, over a whole app.

mod catalogue;
mod certificates;
mod concurrency;
mod cutover;
mod deployments;
mod durability;
mod endings;
mod export;
mod extensions;
mod generic;
mod groups;
mod guest;
mod identities;
mod identity_rules;
mod lists;
mod machines;
mod matrix;
mod metadata;
mod patience;
mod playbook;
mod power;
mod refusals;
mod roles;
mod scale_sets;
mod scheduled_events;
mod secrets;
mod template_functions;
mod template_refusals;
mod tenants;
mod what_if;

use std::path::Path;

use serde_json::json;
use store::Page;

use self::guest::Guest;
use super::*;

const SUB: &str = "/subscriptions/20000000-0000-4000-8000-000000000001";
/// The resource group of the tests.
pub(super) const G: &str = "/subscriptions/20000000-0000-4000-8000-000000000001/resourceGroups/rg1";
pub(super) const LINUX: &str = "ManagedIdentityExtensionForLinux";
pub(super) const WINDOWS: &str = "ManagedIdentityExtensionForWindows";
/// Azure's instants: seven digits of a second, and the zone as an offset.
const TIME: &str = "2027-01-15T08:00:00.0000000+00:00";

/// A control plane with a client that may do everything.
pub(super) struct Arm {
    pub(super) world: World,
    token: String,
    /// The data directory.
    dir: tempfile::TempDir,
}

impl Arm {
    /// With the group `rg1` in `westus`.
    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let world = World::founded(database(dir.path()), |_| {}).await;
        let token = token_of(&world, CLIENT, BASE).await;
        let arm = Self { world, token, dir };
        arm.put(G, json!({"location": "westus"})).await.is(201);
        arm
    }

    /// The client gets another token: its own is a day old.
    pub(super) async fn sign_in_again(&mut self) {
        self.token = token_of(&self.world, CLIENT, BASE).await;
    }

    /// The process ends, and another begins with what it left on the disk.
    pub(super) async fn restart(self) -> Self {
        let Self { world, token, dir } = self;
        let World { clock, store, kek, keys, app, router, own, external } = world;
        drop((clock, store, keys, app, router));
        let world = World::open(Handle::new(Arc::new(database(dir.path()))), kek, own, external).await;
        Self { world, token, dir }
    }

    /// Another client with these roles; its token.
    async fn client(&self, number: u8, roles: &[(&str, &str)]) -> String {
        let clients = [(number, roles.iter().map(|(role, scope)| ((*role).to_owned(), scope_of(scope))).collect())];
        self.clients(&clients).await.remove(0)
    }

    /// Other clients; their tokens.
    async fn clients(&self, clients: &[(u8, Vec<(String, Scope)>)]) -> Vec<String> {
        let template = seed(&self.world.own, &self.world.external).applications.remove(0);
        let applications = clients.iter().map(|(number, roles)| {
            let mut new = template.clone();
            new.application.client_id = client_id(*number).parse().unwrap();
            new.application.principal_id = principal_id(*number).parse().unwrap();
            new.application.name = format!("client{number}");
            new.application.federated = Vec::new();
            new.certificates = Vec::new();
            new.roles = roles.clone();
            new
        });
        let world = Seed { applications: applications.collect(), ..Seed::default() };
        apply(&self.world.store, world, &self.world.kek).await.expect("the clients");
        let mut tokens = Vec::new();
        for (number, _) in clients {
            tokens.push(token_of(&self.world, &client_id(*number), BASE).await);
        }
        tokens
    }

    /// A request of a client to a path, which gets an api-version when it has none.
    async fn send(&self, token: &str, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let uri = versioned(path);
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(body.into())
            .expect("a request");
        let answer = self.world.send(request).await;
        for id in ["x-ms-request-id", "x-ms-correlation-request-id"] {
            let id = answer.headers.get(id).and_then(|id| id.to_str().ok()).unwrap_or_else(|| panic!("no {id}"));
            assert!(Uuid::parse_str(id).is_ok(), "{id}");
        }
        assert_eq!(answer.headers["cache-control"], "no-cache", "{method} {path}");
        if let Some(retry) = answer.headers.get("retry-after") {
            assert!(retry.to_str().unwrap().parse::<u32>().unwrap() >= 1, "0 would mean half a minute");
        }
        if !answer.body.is_empty() {
            assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8", "{method} {path}");
        }
        answer
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(&self.token, "GET", path, "").await
    }

    async fn head(&self, path: &str) -> Answer {
        self.send(&self.token, "HEAD", path, "").await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(&self.token, "PUT", path, body.to_string()).await
    }

    pub(super) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(&self.token, "PATCH", path, body.to_string()).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(&self.token, "POST", path, body).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.send(&self.token, "DELETE", path, "").await
    }

    /// A virtual machine without anything, in `rg1`; its path.
    pub(super) async fn vm(&self, name: &str) -> String {
        let path = vm(name);
        let body = json!({"location": "westus", "properties": {"hardwareProfile": {"vmSize": "Standard_B1s"}}});
        self.put(&path, body).await.is(201);
        path
    }

    /// User-assigned identities `prefix0`, `prefix1`, …; their ids.
    pub(super) async fn identities(&self, prefix: &str, count: usize) -> Vec<String> {
        let ids: Vec<_> = (0..count).map(|number| identity(&format!("{prefix}{number}"))).collect();
        let act = Act::new("test", "identities", "", Timestamp::from_unix(NOW));
        let named = ids.clone();
        let written = self.world.store.write(act, move |tx| {
            for id in named {
                let id = ResourceId::parse(&id).expect("an id");
                let identity = ManagedIdentity {
                    kind: IdentityKind::UserAssigned,
                    tenant: TENANT.parse().expect("an id"),
                    principal_id: domain::derived_ids::principal_id(&id),
                    client_id: domain::derived_ids::client_id(&id),
                    id: id.clone(),
                };
                let (name, location) = (id.name().to_owned(), "westus".to_owned());
                let new = UserAssignedIdentity { identity, name, location, tags: Default::default() };
                tx.put_user_assigned_identity(&new)?;
            }
            Ok::<_, store::Error>(())
        });
        written.await.expect("the identities");
        ids
    }

    /// Deployments and guests do what there is to do, until there is nothing more.
    async fn settle(&self, guest: &Guest) {
        for _ in 0..10_000 {
            let deployed = control::arm::deploy_once(&self.world.app).await.expect("the store");
            let reported = guest.work(&self.world).await;
            if !deployed && !reported {
                return;
            }
        }
        panic!("it never ends");
    }

    /// What the client polls: the body of `Azure-AsyncOperation` of an answer.
    pub(super) async fn poll(&self, answer: &Answer) -> Answer {
        self.get(&local(answer, "azure-asyncoperation")).await.is(200)
    }

    /// Every file of the data directory, one after the other.
    pub(super) fn disk(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.dir.path()).expect("the directory");
        files.flat_map(|file| std::fs::read(file.expect("a file").path()).expect("its bytes")).collect()
    }

    /// The audit, as actor, action and target.
    pub(super) async fn audit(&self) -> Vec<(String, String, String)> {
        let entries = self.world.store.read(|tx| tx.audit(0, 100_000)).await.expect("the audit");
        entries.into_iter().map(|entry| (entry.act.actor, entry.act.action, entry.act.target)).collect()
    }
}

impl Answer {
    /// The same, if it has this status.
    #[track_caller]
    pub(super) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }

    /// The same, if it has one of these statuses.
    #[track_caller]
    pub(super) fn one_of(self, statuses: &[u16]) -> Self {
        assert!(statuses.contains(&self.status.as_u16()), "{}: {}", self.status, self.body);
        self
    }

    /// The same, if it is this refusal.
    #[track_caller]
    pub(super) fn refuses(self, status: u16, code: &str) -> Self {
        let body = self.json();
        assert_eq!((self.status.as_u16(), body["error"]["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert!(body["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{}", self.body);
        self
    }

    /// The text of a refusal.
    fn message(&self) -> String {
        self.json()["error"]["message"].as_str().expect("a message").to_owned()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// The names of a list.
    fn names(&self) -> Vec<String> {
        let body = self.json();
        let items = body["value"].as_array().unwrap_or_else(|| panic!("no list: {}", self.body));
        items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
    }
}

fn database(dir: &Path) -> store::sqlite::Sqlite {
    store::sqlite::open(&dir.join("state.db"), &World::FOUNDING).expect("a store")
}

async fn token_of(world: &World, client: &str, resource: &str) -> String {
    let scope = format!("{resource}/.default").replace(':', "%3A").replace('/', "%2F");
    let secret = SECRET.replace(' ', "+");
    let form = format!("client_id={client}&scope={scope}&grant_type=client_credentials&client_secret={secret}");
    let answer = world.post(&format!("/{TENANT}/oauth2/v2.0/token"), &form).await;
    answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("no token: {}", answer.body)).to_owned()
}

fn client_id(number: u8) -> String {
    format!("30000000-0000-4000-8000-0000000001{number:02x}")
}

fn principal_id(number: u8) -> String {
    format!("40000000-0000-4000-8000-0000000001{number:02x}")
}

fn scope_of(text: &str) -> Scope {
    if text == "/" { Scope::Root } else { Scope::At(ResourceId::parse(text).expect("a scope")) }
}

fn versioned(path: &str) -> String {
    let path = path.replace(' ', "%20").replace('\'', "%27");
    match path.contains('?') {
        true if path.contains("api-version=") => path,
        true => format!("{path}&api-version=2024-11-01"),
        false => format!("{path}?api-version=2024-11-01"),
    }
}

/// A URL of an answer's header, as a path; clients follow it as it is.
#[track_caller]
fn local(answer: &Answer, header: &str) -> String {
    let url = answer.header(header).unwrap_or_else(|| panic!("no {header}: {}", answer.body));
    url.strip_prefix(BASE).unwrap_or_else(|| panic!("somewhere else: {url}")).to_owned()
}

pub(super) fn vm(name: &str) -> String {
    format!("{G}/providers/Microsoft.Compute/virtualMachines/{name}")
}

fn scale_set(name: &str) -> String {
    format!("{G}/providers/Microsoft.Compute/virtualMachineScaleSets/{name}")
}

fn identity(name: &str) -> String {
    format!("{G}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}")
}

fn deployment(name: &str) -> String {
    format!("{G}/providers/Microsoft.Resources/deployments/{name}")
}

/// The properties of the managed-identity extension, as `az vm extension set` sends them.
fn extension(handler: &str) -> Value {
    json!({
        "publisher": "Microsoft.ManagedIdentity", "type": handler, "typeHandlerVersion": "1.0",
        "autoUpgradeMinorVersion": true, "settings": {"port": 50342},
    })
}
