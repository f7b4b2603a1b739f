//! The process that watches over the one that serves, where the settings want it: one that died is started again, as the
//! original extension's wasn't. It has no state of its own: who serves, and for what, stands in the file that the other
//! one holds, and whoever wants the endpoint to end ends this process first.

use std::path::Path;
use std::time::Duration;

use super::endpoint_file::{self, Running};
use super::failure::{Code, Failure};
use super::launch::{Launch, Ready, Report, running};
use super::place::Place;
use super::process::Process;
use super::state::State;
use crate::time::Time;

/// How often is looked whether it is there.
const LOOK: Duration = Duration::from_secs(1);
/// The longest pause before it is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is watched over.
#[derive(Debug)]
pub struct Watch<'a> {
    /// The program.
    pub program: &'a Path,
    /// The number of the settings.
    pub sequence: u64,
    /// Where the endpoint listens.
    pub port: u16,
    /// The digest of the launch: the same as long as the endpoint is to be started for the same.
    pub launch: String,
}

impl Watch<'_> {
    /// Watches until it is ended, or the endpoint is another one's. `told` hears once whether it came to that.
    pub async fn run(self, place: &Place, time: &Time, told: impl FnOnce(&Report)) {
        let state = State::of(&place.root);
        let held = match self.hold(&state) {
            Ok(held) => held,
            Err(failure) => {
                tracing::error!(code = u8::from(failure.code), why = failure.message, "nobody watches the endpoint");
                return told(&Err(failure));
            }
        };
        told(&Ok(Ready { port: self.port }));
        let mut pause = LOOK;
        loop {
            time.pause(pause).await;
            match self.look(&state, time).await {
                Ok(true) => pause = LOOK,
                Ok(false) => break,
                Err(failure) => {
                    let (code, why) = (u8::from(failure.code), failure.message);
                    tracing::error!(code, why, "the endpoint process can't be started again");
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                }
            }
        }
        drop(held);
    }

    fn hold(&self, state: &State) -> Result<endpoint_file::Held, Failure> {
        let process = Process::this().map_err(|why| Failure::of(Code::Endpoint, &why))?;
        let this = Running { process, port: self.port, launch: self.launch.clone() };
        Ok(endpoint_file::hold(&state.watch(), &this)?)
    }

    /// Starts the endpoint again if it is gone. Whether it is still this one that is to be watched over.
    async fn look(&self, state: &State, time: &Time) -> Result<bool, Failure> {
        if let Some(there) = running(state, time).await? {
            return Ok(there.launch == self.launch);
        }
        // A command may be at work on it.
        let busy = || Failure::new(Code::Busy, "a command of this handler is at work");
        let _turn = state.turn(time).await?.ok_or_else(busy)?;
        if let Some(there) = running(state, time).await? {
            return Ok(there.launch == self.launch);
        }
        let (authority, forward_to) = (state.authority()?, state.forward_to()?);
        let Self { program, sequence, port, .. } = *self;
        let launch = Launch { program, sequence, port, authority: &authority, forward_to };
        if launch.digest() != self.launch {
            return Ok(false);
        }
        tracing::warn!(port, "the endpoint process is gone and is started again");
        launch.start().await.map(|_| true)
    }
}
