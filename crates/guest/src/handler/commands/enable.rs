//! `enable`: tokens are served as the settings say. It is run for every change of anything, at each start of the
//! agent, and by hand; it starts the process that serves only where there isn't one that was started for just this.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use contract::guest_agent::protected::{Authority, Cutover, CutoverStep};
use contract::guest_agent::substatus::{CALLERS, CUTOVER, cutover_text};
use domain::ClientId;

use super::Machine;
use crate::disk::Disk;
use crate::forwarding::Forwarding;
use crate::handler::authority::{self, NetworkProbe, Probe};
use crate::handler::callers::CallersFile;
use crate::handler::credentials::{self, Brought};
use crate::handler::distribution;
use crate::handler::failure::{Code, Failure};
use crate::handler::launch::{self, Launch};
use crate::handler::sequence;
use crate::handler::serve::told;
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
    let brought = credentials::renew(place, &Disk::new(&place.root), protected.as_ref())?.ok_or_else(|| {
        let why = "no identity is assigned to the virtual machine; assign one and provision the extension again";
        Failure::new(Code::NoIdentity, why)
    })?;
    let Brought { authority, clients, cutover } = brought;
    let running = launch::running(state, &machine.time).await?;
    let (forward_to, reached) = match cutover {
        Some(Cutover { step: CutoverStep::Closed, .. }) => {
            launch::stop(state, &machine.time).await?;
            super::withdraw_address(&Disk::new(&place.root))?;
            sequence::set_applied(&place.folder, sequence)?;
            let told = "The endpoint is closed: tokens are to be had from the metadata service";
            status.success(told, &parts(state, public.port, cutover_text("closed", None)))?;
            return Ok(());
        }
        Some(Cutover { step: CutoverStep::Revoked, imds }) => (Some(imds), cutover_text("revoked", None)),
        Some(Cutover { step: CutoverStep::Forwarding, imds }) => match prove(machine, state, imds, clients).await? {
            None => (Some(imds), cutover_text("forwarding", None)),
            // It goes on as before, and it is tried again when it is enabled again.
            Some(why) => (None, cutover_text("serving", Some(&why))),
        },
        None => (None, cutover_text("serving", None)),
    };
    let launch = Launch { program: &machine.program, sequence, port: public.port, authority: &authority, forward_to };
    if running.is_none_or(|running| running.launch != launch.digest()) {
        status.transitioning("The endpoint is being started")?;
        state.set_authority(&authority)?;
        state.set_forward_to(forward_to)?;
        if forward_to.is_none() {
            await_authority(machine, &authority, status).await?;
        }
        launch.replace(state, &machine.time).await?;
    } else if forward_to.is_none() {
        check_clock(machine, &authority).await?;
    }
    if public.supervised {
        launch.watch(state, &machine.time).await?;
    }
    sequence::set_applied(&place.folder, sequence)?;
    let port = public.port;
    status.success(&told(port, forward_to), &parts(state, port, reached))?;
    Ok(())
}

/// What is told beside. A process that ended has written down who called it.
fn parts(state: &State, port: u16, reached: String) -> Vec<(&'static str, String)> {
    let callers = CallersFile::of(state).text().map(|text| (CALLERS, text));
    [("port", port.to_string()), (CUTOVER, reached)].into_iter().chain(callers).collect()
}

/// Why it can't be forwarded yet, if it can't: the metadata service has to answer for every identity, unless it is forwarded
/// already.
async fn prove(
    machine: &Machine,
    state: &State,
    imds: SocketAddr,
    clients: Vec<ClientId>,
) -> Result<Option<String>, Failure> {
    if state.forward_to()? == Some(imds) {
        return Ok(None);
    }
    Ok(Forwarding::to(imds).prove(clients, &machine.time).await.err().map(|why| why.to_string()))
}

/// Waits until the authority can be reached, and says what is waited for.
async fn await_authority(machine: &Machine, authority: &Authority, status: &StatusFile) -> Result<(), Failure> {
    let probe = probe(machine, authority)?;
    let told = |trouble: &Failure| {
        tracing::warn!(why = trouble.message, "the authority is waited for");
        // The status that is there says that the command is at work.
        drop(status.transitioning(&format!("Waiting: {trouble}")));
    };
    authority::reach(&probe, &machine.time, BUDGET, told).await
}

/// Whether the authority would still take what the process that serves signs. That it is away for a while is no matter to a
/// process that is there, but a clock that is off doesn't pass.
async fn check_clock(machine: &Machine, authority: &Authority) -> Result<(), Failure> {
    match probe(machine, authority)?.probe().await {
        Err(failure) if failure.code == Code::Clock => Err(failure),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn probe(machine: &Machine, authority: &Authority) -> Result<NetworkProbe, Failure> {
    NetworkProbe::new(authority.clone(), Arc::clone(&machine.names), machine.time.clock().clone())
}
