//! A guest agent that asks what is wanted and finds nothing new: what that costs the host of many machines.

use std::sync::Arc;

use anyhow::{Result, ensure};
use contract::guest_agent::protected;
use control::goal_state::{GoalStates, Versions};
use domain::{ResourceId, Tenant};
use futures_util::future::try_join_all;
use serde_json::json;
use store::Act;
use uuid::Uuid;

use super::world::{World, compute};
use super::{EXTENSION, used};
use crate::Effort;
use crate::table::Table;

/// How many machines there are, all with the extension.
const MACHINES: usize = 1_000;
/// One of so many has an agent: a machine's first goal state costs two RSA keys.
const STRIDE: usize = 10;
/// How often a round goes through the agents.
const TURNS: usize = 10;
/// The most that a poll may cost, in microseconds of CPU.
const TARGET: f64 = 200.0;
const HOST: &str = "http://host.example";

struct Packages;

impl Versions for Packages {
    fn of(&self, _: &str) -> std::io::Result<Vec<String>> {
        Ok(vec!["1.0.0.0".to_owned(), "1.0.1.0".to_owned()])
    }
}

/// The agents of a control plane, each with a goal state.
struct Agents {
    world: World,
    states: GoalStates,
    /// The machines with the number of the goal state that each has.
    told: Vec<(ResourceId, u64)>,
}

pub(super) async fn measure(effort: Effort, table: &mut Table) -> Result<()> {
    let agents = Agents::new().await?;
    let (mut same, mut saved) = (Vec::new(), Vec::new());
    for round in 0..=effort.rounds {
        same.push(agents.round(None).await?);
        saved.push(agents.round(Some(round)).await?);
    }
    for (when, sample) in [("nothing", &same), ("something else", &saved)] {
        let name = format!("a goal state of one of {MACHINES} VMs, {when} saved since the last: CPU");
        // The first round warms up.
        table.sample(&name, sample.get(1..).unwrap_or_default(), None, "µs", TARGET);
    }
    Ok(())
}

impl Agents {
    async fn new() -> Result<Self> {
        let world = World::new(MACHINES).await?;
        let body = json!({"location": "westus", "properties": {
            "publisher": "Microsoft.ManagedIdentity",
            "type": EXTENSION,
            "typeHandlerVersion": "1.0",
            "autoUpgradeMinorVersion": true,
            "settings": {"port": 50342},
        }});
        for number in 0..MACHINES {
            let vm = compute("virtualMachines", &format!("vm{number}"));
            let path = format!("{vm}/extensions/{EXTENSION}?api-version=2024-07-01");
            world.send("PUT", &path, body.to_string()).await?;
        }
        let authority = protected::Authority { url: world.app.base_url.clone(), certificates: String::new() };
        let states = GoalStates::new(Arc::clone(&world.app), authority, Arc::new(Packages));
        let told = try_join_all((0..MACHINES).step_by(STRIDE).map(async |number| {
            let vm = ResourceId::parse(&compute("virtualMachines", &format!("vm{number}")))?;
            let told = states.current(&vm, HOST).await?;
            ensure!(told.has_certificates, "nothing of {vm} is protected");
            anyhow::Ok((vm, told.incarnation))
        }))
        .await?;
        Ok(Self { world, states, told })
    }

    /// CPU of this process for each goal state, in microseconds. With a number, something that concerns no machine is
    /// saved before each turn; that isn't counted.
    async fn round(&self, number: Option<usize>) -> Result<f64> {
        let mut microseconds = 0.0;
        for turn in 0..TURNS {
            if let Some(number) = number {
                self.save((number * TURNS + turn) as u128).await?;
            }
            let start = used()?;
            for (vm, incarnation) in &self.told {
                let told = self.states.current(vm, HOST).await?;
                ensure!(told.incarnation == *incarnation, "the goal state of {vm} is another");
            }
            microseconds += (used()? - start).as_secs_f64() * 1e6;
        }
        Ok(microseconds / (TURNS * self.told.len()) as f64)
    }

    async fn save(&self, number: u128) -> Result<()> {
        let id = domain::TenantId::from_uuid(Uuid::from_u128(1_000 + number));
        let tenant = Tenant { id, name: format!("bench{number}"), created_at: None };
        let act = Act::new("bench", "tenant", "", self.world.clock.now());
        self.world.app.store.write(act, move |tx| tx.put_tenant(&tenant)).await?;
        Ok(())
    }
}
