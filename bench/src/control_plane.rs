//! The control plane: how it grows with what it holds, and what a durable change costs beside bare SQLite.

mod bare;
mod goal_state;
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use control::arm::guest::{Report, report};
use domain::{HandlerOutcome, HandlerStatus};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use self::bare::{Bare, Rows};
use self::world::{World, compute, group};
use crate::Effort;
use crate::table::{Curve, Table};

/// How many machines are few.
const FEW: usize = 100;
/// The most that a scale set may have.
const CAPACITY: usize = 1_000;
const EXTENSION: &str = "ManagedIdentityExtensionForLinux";

pub(crate) fn measure(effort: Effort, table: &mut Table) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        reads(effort, table).await?;
        writes(effort, table).await?;
        scale_sets(effort, table).await
    })
}

/// A part of its own: guest agents that ask what is wanted of their machines.
pub(crate) fn goal_states(effort: Effort, table: &mut Table) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(goal_state::measure(effort, table))
}

/// The path of a thing, by its number.
type PathOf = fn(usize) -> String;

/// What is read of machines, and how.
const READS: [(&str, PathOf); 3] = [
    ("one VM", |number| compute("virtualMachines", &format!("vm{number}"))),
    ("a page of 50 VMs", |_| format!("{}/providers/Microsoft.Compute/virtualMachines", group())),
    ("a page of 50 resources", |_| format!("{}/resources", group())),
];

/// A machine and pages, among few and among many.
async fn reads(effort: Effort, table: &mut Table) -> Result<()> {
    let (few, many) = (World::new(FEW).await?, World::new(effort.machines).await?);
    for (what, path) in READS {
        let count = effort.requests / 100;
        let (mut of_many, mut of_few) = (Vec::new(), Vec::new());
        for _ in 0..=effort.rounds {
            of_many.push(gets(&many, path, effort.machines, count).await?);
            of_few.push(gets(&few, path, FEW, count).await?);
        }
        let name = format!("ARM GET of {what} among {} vs. among {FEW}: CPU", effort.machines);
        // The first round warms up.
        table.ratio(&name, "µs", of_many.get(1..).unwrap_or_default(), of_few.get(1..).unwrap_or_default(), 1.3);
    }
    Ok(())
}

/// CPU of this process for each request, in microseconds.
async fn gets(world: &World, path: PathOf, machines: usize, count: usize) -> Result<f64> {
    let start = used()?;
    for number in 0..count {
        // A stride that is prime to the number visits them in no order that a cache foresees.
        let path = format!("{}?api-version=2024-07-01", path(number * 7_919 % machines));
        world.send("GET", &path, String::new()).await?;
    }
    Ok((used()? - start).as_secs_f64() * 1e6 / count as f64)
}

/// CPU that this process has used.
fn used() -> Result<Duration> {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).context("a clock before its start")
}

/// PUT of a machine, durable, by the clock of the wall, against the same rows in one bare transaction on a database of the same size.
async fn writes(effort: Effort, table: &mut Table) -> Result<()> {
    let (ours, other) = (Arc::new(World::new(FEW).await?), World::new(FEW).await?);
    let before = Rows::read(&other.database())?;
    put(&other, "measured").await?;
    let rows = Rows::read(&other.database())?.beyond(&before);
    ensure!(rows.count() > 3, "a machine is more than {} rows", rows.count());
    let copy = other.folder().join("bare.db");
    rusqlite::Connection::open(other.database())?.execute("VACUUM INTO ?1", [copy.to_str().context("a path")?])?;
    let name = format!("PUT of a VM, durable, vs. a bare transaction of the same {} rows", rows.count());
    let mut bare = Bare::new(&copy, rows, "measured")?;
    let count = effort.requests / 200;
    let (mut us, mut them) = (Vec::new(), Vec::new());
    for round in 0..=effort.rounds {
        let ours = Arc::clone(&ours);
        // A task, as a connection is: what it takes to leave its thread and to come back counts.
        let puts = tokio::spawn(async move {
            let start = Instant::now();
            for number in 0..count {
                put(&ours, &format!("new{round}-{number}")).await?;
            }
            anyhow::Ok(micros(start, count))
        });
        us.push(puts.await??);
        let start = Instant::now();
        for _ in 0..count {
            bare.write()?;
        }
        them.push(micros(start, count));
    }
    table.ratio(&name, "µs", us.get(1..).unwrap_or_default(), them.get(1..).unwrap_or_default(), 1.5);
    Ok(())
}

async fn put(world: &World, name: &str) -> Result<()> {
    let body = json!({
        "location": "westus",
        "identity": {"type": "SystemAssigned"},
        "properties": {"hardwareProfile": {"vmSize": "Standard_B1s"}},
    });
    let path = format!("{}?api-version=2024-07-01", compute("virtualMachines", name));
    world.send("PUT", &path, body.to_string()).await.map(drop)
}

/// One template makes scale sets whose machines all have the extension, and every guest reports.
async fn scale_sets(effort: Effort, table: &mut Table) -> Result<()> {
    let mut curve = Curve::new("extensions made by one template of scale sets, until every guest has reported");
    let most = effort.machines / 10;
    for part in [10, 5, 2, 1] {
        let machines = most / part;
        let start = Instant::now();
        deploy(machines).await?;
        curve.add(machines, start.elapsed());
    }
    table.curve(&curve, 1.5);
    Ok(())
}

async fn deploy(machines: usize) -> Result<()> {
    let world = World::new(0).await?;
    let capacity = CAPACITY.min(machines);
    let template = json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [{
            "type": "Microsoft.Compute/virtualMachineScaleSets",
            "apiVersion": "2024-07-01",
            "name": "[format('set{0}', copyIndex())]",
            "location": "westus",
            "copy": {"name": "sets", "count": machines / capacity},
            "identity": {"type": "SystemAssigned"},
            "sku": {"name": "Standard_B1s", "capacity": capacity},
            "properties": {
                "upgradePolicy": {"mode": "Automatic"},
                "virtualMachineProfile": {"extensionProfile": {"extensions": [{
                    "name": EXTENSION,
                    "properties": {
                        "publisher": "Microsoft.ManagedIdentity",
                        "type": EXTENSION,
                        "typeHandlerVersion": "1.0",
                        "settings": {"port": 50342},
                    },
                }]}},
            },
        }],
    });
    let path = format!("{}/providers/Microsoft.Resources/deployments/many?api-version=2024-11-01", group());
    let body = json!({"properties": {"mode": "Incremental", "template": template}});
    let answer = world.send("PUT", &path, body.to_string()).await?;
    let status = answer.headers.get("azure-asyncoperation").context("no operation")?.to_str()?;
    let status = status.strip_prefix("https://localhost:16926").context("an operation elsewhere")?.to_owned();
    let mut reported = 0;
    let mut last = Value::Null;
    for _ in 0..100 {
        while control::arm::deploy_once(&world.app).await? {}
        reported += guests(&world).await?;
        let body = world.send("GET", &status, String::new()).await?.body;
        let operation: Value = serde_json::from_slice(&body)?;
        match operation.get("status").and_then(Value::as_str) {
            Some("Succeeded") => {
                ensure!(reported == machines, "{reported} extensions were made, not {machines}");
                return Ok(());
            }
            Some("Running" | "Accepted") => last = operation,
            Some(_) | None => anyhow::bail!("the deployment ended: {operation}"),
        }
    }
    anyhow::bail!("after {reported} reports the deployment hasn't ended: {last}")
}

/// Every guest that has something to do says that it did it; how many extensions that were.
async fn guests(world: &World) -> Result<usize> {
    let (wanted, power) = world
        .app
        .store
        .read(|tx| {
            let mut machines = Vec::new();
            for set in tx.scale_sets(&domain::Scope::Root, &store::Page::ALL)? {
                machines.extend(tx.virtual_machines_of_scale_set(&set.id)?);
            }
            let (mut wanted, mut power) = (Vec::new(), Vec::new());
            for machine in machines {
                let extensions = tx.vm_extensions(&machine.id)?;
                let new = extensions.into_iter().filter(|one| one.status.is_none());
                wanted.extend(new.map(|one| (machine.vm_id, one.id, one.sequence)));
                if tx.operation_on(&machine.id)?.is_some() {
                    power.push((machine.vm_id, Report::Power { vm: machine.id, generation: machine.generation }));
                }
            }
            Ok::<_, store::Error>((wanted, power))
        })
        .await?;
    let (count, now) = (wanted.len(), world.clock.now());
    for (machine, extension, sequence) in wanted {
        let status = HandlerStatus {
            sequence,
            outcome: HandlerOutcome::Success,
            version: "1.0.0.0".to_owned(),
            message: String::new(),
            at: now,
        };
        report(&world.app.store, now, machine, Report::Handler { extension, status }).await?;
    }
    for (machine, power) in power {
        report(&world.app.store, now, machine, power).await?;
    }
    Ok(count)
}

fn micros(start: Instant, count: usize) -> f64 {
    start.elapsed().as_secs_f64() * 1e6 / count as f64
}
