//! `enable`: tokens are served as the settings say. It is run for every change of anything, at each start of the
//! agent, and by hand; it starts the process that serves only where there isn't one that was started for just this.

use std::sync::Arc;
use std::time::Duration;

use super::Machine;
use crate::disk::Disk;
use crate::handler::authority::{self, NetworkProbe};
use crate::handler::credentials;
use crate::handler::distribution;
use crate::handler::failure::{Code, Failure};
use crate::handler::launch::{self, Launch};
use crate::handler::sequence;
use crate::handler::serve::url;
use crate::handler::settings::Settings;
use crate::handler::state::State;
use crate::handler::status::StatusFile;

/// How long the authority is waited for. An agent gives `enable` 300 s, and the processes need some too.
const BUDGET: Duration = Duration::from_secs(210);

pub(super) async fn enable(
    machine: &Machine,
    state: &State,
    sequence: u64,
    status: &StatusFile,
) -> Result<(), Failure> {
    let place = &machine.place;
    let Settings { public, protected } = Settings::read(place, sequence)?;
    if public.strict_distributions {
        distribution::check(&place.root)?;
    }
    let authority = credentials::renew(place, &Disk::new(&place.root), protected.as_ref())?.ok_or_else(|| {
        let why = "no identity is assigned to the virtual machine; assign one and provision the extension again";
        Failure::new(Code::NoIdentity, why)
    })?;
    let launch = Launch { program: &machine.program, sequence, port: public.port, authority: &authority };
    let running = launch::running(state, &machine.time).await?;
    if running.is_none_or(|running| running.launch != launch.digest()) {
        status.transitioning("The endpoint is being started")?;
        state.set_authority(&authority)?;
        await_authority(machine, &authority, status).await?;
        launch.replace(state, &machine.time).await?;
    }
    if public.supervised {
        launch.watch(state, &machine.time).await?;
    }
    sequence::set_applied(&place.folder, sequence)?;
    let port = public.port;
    status.success(&format!("Tokens are served at {}", url(port)), &[("port", port.to_string())])?;
    Ok(())
}

/// Waits until the authority can be reached, and says what is waited for.
async fn await_authority(
    machine: &Machine,
    authority: &contract::guest_agent::protected::Authority,
    status: &StatusFile,
) -> Result<(), Failure> {
    let probe = NetworkProbe::new(authority.clone(), Arc::clone(&machine.names))?;
    let told = |trouble: &Failure| {
        tracing::warn!(why = trouble.message, "the authority is waited for");
        // The status that is there says that the command is at work.
        drop(status.transitioning(&format!("Waiting: {trouble}")));
    };
    authority::reach(&probe, &machine.time, BUDGET, told).await
}
