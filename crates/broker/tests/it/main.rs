//! The broker as its users see it: a source that does what a test says, and a clock that moves when told.

#![expect(clippy::expect_used, reason = "a test whose set-up fails has failed")]

mod flights;
mod renewal;
mod withdrawal;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::source::AccessToken;
use broker::{Broker, Counters, Freshness, Minted, Served, SourceError, TokenCache, TokenSource, Wanted};
use domain::{Clock, IdentityKind, ManagedIdentity, ManualClock, PrincipalId, ResourceId, Timestamp};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

const LIFE: Duration = Duration::from_secs(86_400);

/// Makes tokens named `t0`, `t1`, … once the gate lets it.
struct Source {
    clock: ManualClock,
    asked: AtomicUsize,
    gate: Semaphore,
    down: Mutex<Option<SourceError>>,
}

/// The source as the broker holds it.
struct Shared(Arc<Source>);

impl TokenSource for Shared {
    fn token(&self, _wanted: Wanted) -> BoxFuture<'static, Result<Minted, SourceError>> {
        let this = Arc::clone(&self.0);
        async move {
            let number = this.asked.fetch_add(1, Ordering::SeqCst);
            this.gate.acquire().await.expect("never closed").forget();
            if let Some(why) = this.down.lock().expect("sound").clone() {
                return Err(why);
            }
            let now = this.clock.now();
            Ok(Minted {
                access_token: AccessToken::new(format!("t{number}")),
                not_before: now.minus(Duration::from_secs(300)),
                expires_on: now.plus(LIFE),
            })
        }
        .boxed()
    }
}

struct World {
    clock: ManualClock,
    source: Arc<Source>,
    broker: Broker,
    cache: Arc<TokenCache<String>>,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::new(Timestamp::from_unix(1_800_000_000));
        let source = Arc::new(Source {
            clock: clock.clone(),
            asked: AtomicUsize::new(0),
            gate: Semaphore::new(1_000_000),
            down: Mutex::new(None),
        });
        let broker = Broker::new(
            Arc::new(Shared(Arc::clone(&source))),
            Arc::new(clock.clone()),
            Freshness::default(),
            Counters::register("test"),
        );
        let cache = Arc::new(TokenCache::new(|_, minted| minted.access_token.expose().to_owned()));
        Self { clock, source, broker, cache }
    }

    /// A world in which no token is made before [`World::let_pass`].
    fn held() -> Self {
        let world = Self::new();
        world.source.gate.forget_permits(1_000_000);
        world
    }

    fn let_pass(&self, tokens: usize) {
        self.source.gate.add_permits(tokens);
    }

    fn asked(&self) -> usize {
        self.source.asked.load(Ordering::SeqCst)
    }

    fn take_down(&self) {
        let why = Arc::new(std::io::Error::other("no route"));
        let down = SourceError::Unreachable { authority: "https://authority".into(), why };
        *self.source.down.lock().expect("sound") = Some(down);
    }

    fn bring_up(&self) {
        *self.source.down.lock().expect("sound") = None;
    }

    async fn token(&self) -> Result<Served<String>, SourceError> {
        self.broker.token(&self.cache, wanted(1, "r"), false).await
    }

    async fn body(&self) -> String {
        self.token().await.expect("a token").entry.body.clone()
    }
}

fn principal(number: u8) -> PrincipalId {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().expect("a GUID")
}

fn wanted(number: u8, resource: &str) -> Wanted {
    let sub = "00000000-0000-4000-8000-0000000000ff".parse().expect("a GUID");
    let vm = ResourceId::for_virtual_machine(sub, "dev", "dev").expect("an id");
    Wanted {
        identity: Arc::new(ManagedIdentity {
            kind: IdentityKind::SystemAssigned,
            id: vm.clone(),
            tenant: "00000000-0000-4000-8000-0000000000fe".parse().expect("a GUID"),
            principal_id: principal(number),
            client_id: format!("10000000-0000-4000-8000-0000000000{number:02x}").parse().expect("a GUID"),
        }),
        resource: resource.into(),
        vm,
    }
}

/// Lets everything that can run do so.
async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}
