//! Many VMs in one process: what a cached token costs when 100,000 VMs hold three each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use broker::source::AccessToken;
use broker::{Broker, Counters, Freshness, Minted, SourceError, TokenCache, TokenSource, Wanted};
use contract::imds::{Echo, TokenBody, TokenFields};
use domain::{
    AssignedIdentities, IdentityKind, ManagedIdentity, PrincipalId, ResourceId, SharedClock, SystemClock, TenantId,
    VmSnapshot, derived_ids, select,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::Effort;
use crate::table::{Table, median};

const RESOURCES: [&str; 3] = ["https://management.azure.com/", "https://vault.azure.net", "https://storage.azure.com/"];
/// The length of a real token.
const TOKEN: usize = 1_350;

struct Long(SharedClock);

impl TokenSource for Long {
    fn token(&self, _: Wanted) -> BoxFuture<'static, Result<Minted, SourceError>> {
        let now = self.0.now();
        async move {
            Ok(Minted {
                access_token: AccessToken::new("x".repeat(TOKEN)),
                not_before: now,
                expires_on: now.plus(Duration::from_secs(86_400)),
            })
        }
        .boxed()
    }
}

struct Machine {
    snapshot: VmSnapshot,
    tokens: Arc<TokenCache<TokenBody>>,
}

/// `request` is what a cached request of one VM costs, in microseconds.
pub(crate) fn measure(effort: Effort, request: f64, table: &mut Table) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let clock: SharedClock = Arc::new(SystemClock::new());
    let source = Arc::new(Long(clock.clone()));
    let broker = Broker::new(source, clock, Freshness::default(), Counters::register("bench"));
    let before = resident()?;
    let machines = runtime.block_on(async {
        let mut machines = Vec::with_capacity(effort.machines);
        for number in 0..effort.machines {
            machines.push(fill(&broker, number).await?);
        }
        anyhow::Ok(machines)
    })?;
    let held = resident()? - before;
    let tokens = f64::from(u32::try_from(machines.len() * RESOURCES.len())?);
    let one = machines.get(..1).context("no machine")?;
    let (mut many, mut single) = (Vec::new(), Vec::new());
    for _ in 0..=effort.rounds {
        many.push(lookups(&broker, &machines, effort.requests)?);
        single.push(lookups(&broker, one, effort.requests)?);
    }
    let (many, single) = (many.get(1..).unwrap_or_default(), single.get(1..).unwrap_or_default());
    // The lookup is a part of the request that was measured with one VM.
    let rest = request - median(single);
    let added: Vec<f64> = many.iter().map(|time| rest + time).collect();
    let base: Vec<f64> = single.iter().map(|time| rest + time).collect();
    let name = format!("{} VMs × 3 tokens held vs. one VM: CPU a request (lookup in process)", machines.len());
    table.ratio(&name, "µs", &added, &base, 1.2);
    table.figure("memory a cached token, all told", held * 1024.0 / tokens, "kB", 2.5);
    Ok(())
}

async fn fill(broker: &Broker, number: usize) -> Result<Machine> {
    let subscription = derived_ids::subscription_id("bench");
    let id = ResourceId::for_virtual_machine(subscription, "bench", &format!("vm{number}"))?;
    let tenant: TenantId = derived_ids::tenant_id("bench");
    let identity = ManagedIdentity {
        kind: IdentityKind::SystemAssigned,
        tenant,
        principal_id: derived_ids::principal_id(&id),
        client_id: derived_ids::client_id(&id),
        id: id.clone(),
    };
    let snapshot = VmSnapshot {
        vm_id: derived_ids::vm_id(&id),
        tenant,
        identities: AssignedIdentities::new(Some(identity), Vec::new()),
        id,
    };
    let tokens = Arc::new(TokenCache::new(body));
    let identity = select(&snapshot.identities, None)?.clone();
    for resource in RESOURCES {
        let wanted = Wanted { identity: identity.clone(), resource: resource.into(), vm: snapshot.id.clone() };
        broker.token(&tokens, wanted, false).await?;
    }
    Ok(Machine { snapshot, tokens })
}

fn body(wanted: &Wanted, minted: &Minted) -> TokenBody {
    TokenBody::new(&TokenFields {
        access_token: minted.access_token.expose(),
        client_id: &wanted.identity.client_id.to_string(),
        expires_on: minted.expires_on.unix(),
        not_before: minted.not_before.unix(),
        resource: &wanted.resource,
        ext_expires_in: 86_399,
    })
}

/// Time of a lookup, in microseconds: selection, cache, and the body of the answer, of VMs far apart.
fn lookups(broker: &Broker, machines: &[Machine], count: usize) -> Result<f64> {
    let start = Instant::now();
    let mut at = 0;
    let mut bytes = 0;
    for number in 0..count {
        // A stride that is prime to the count visits them in no order that a processor foresees.
        at = (at + 7_919) % machines.len();
        let machine = machines.get(at).context("no machine")?;
        let principal: PrincipalId = select(&machine.snapshot.identities, None)?.principal_id;
        let resource = RESOURCES.get(number % RESOURCES.len()).context("no resource")?;
        let served = broker.ready(&machine.tokens, (principal, resource)).context("not cached")?;
        bytes += served.entry.body.render(served.remaining, Echo::None).len();
    }
    anyhow::ensure!(bytes > count * TOKEN, "bodies are missing");
    Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(count)?))
}

/// Resident memory of this process, in MB.
fn resident() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}
