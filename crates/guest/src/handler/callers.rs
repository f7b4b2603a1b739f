//! Who calls the endpoint, kept on the disk and told by the status file: a process that is replaced goes on counting.

use std::path::PathBuf;

use contract::guest_agent::substatus::{self, CALLERS, CallerCount};
use domain::{CalledEndpoint, Caller, Calls, Day, SharedClock, Timestamp};

use super::place::Place;
use super::sequence;
use super::state::State;
use super::status::StatusFile;
use crate::callers::{Callers, together};
use crate::disk::{DiskError, write_atomically};
use crate::files;
use crate::time::Time;

/// The longest file.
const MAX: u64 = 128 * 1024;
/// How many days are told: today and the one before, whose last calls may not have been told.
const DAYS: i64 = 1;

/// The file of a machine's calls.
#[derive(Clone, Debug)]
pub(super) struct CallersFile(PathBuf);

impl CallersFile {
    /// That of a state.
    pub(super) fn of(state: &State) -> Self {
        Self(state.callers())
    }

    /// What it says, as the status has it; nothing when nobody called.
    pub(super) fn text(&self) -> Option<String> {
        let text = files::read(&self.0, MAX).ok().flatten()?;
        String::from_utf8(text).ok()
    }

    /// Adds the calls since the last time, and forgets those of days long ago; whether anything changed.
    fn add(&self, new: Vec<Calls>, clock: &SharedClock) -> Result<bool, DiskError> {
        if new.is_empty() {
            return Ok(false);
        }
        let from = Day::of(clock.now()).before(DAYS);
        let kept = self.text().map(|text| substatus::callers(&text)).unwrap_or_default();
        let kept = kept.into_iter().map(read).filter(|calls| calls.day >= from);
        let all: Vec<_> = together(kept.chain(new)).iter().map(told).collect();
        let written = write_atomically(&self.0, substatus::callers_text(&all).as_bytes(), 0o600);
        written.map_err(|why| DiskError::Io { doing: "written", path: self.0.clone(), why })?;
        Ok(true)
    }
}

/// Writes down who called, and tells it by the status of the newest settings. A command that is at work tells it itself.
pub(super) async fn tell(place: &Place, callers: &Callers, time: &Time) -> Result<(), DiskError> {
    let state = State::of(&place.root);
    let file = CallersFile::of(&state);
    if !file.add(callers.take(), time.clock())? {
        return Ok(());
    }
    let Some(_turn) = state.turn_now()? else { return Ok(()) };
    let status = StatusFile::new(place, sequence::newest(&place.config)?, "Enable", time.clock().clone());
    status.tell(CALLERS, &file.text().unwrap_or_default())
}

fn read(count: CallerCount) -> Calls {
    Calls {
        endpoint: CalledEndpoint::Extension,
        day: Day(count.day),
        caller: Caller::new(
            count.client_id.and_then(|id| id.parse().ok()),
            &count.client,
            count.process.as_deref(),
            count.uid,
        ),
        count: count.calls,
        last_at: Timestamp::from_unix(count.last),
    }
}

fn told(calls: &Calls) -> CallerCount {
    CallerCount {
        day: calls.day.0,
        client_id: calls.caller.identity.map(|id| id.to_string()),
        client: calls.caller.client.clone(),
        process: calls.caller.process.clone(),
        uid: calls.caller.uid,
        calls: calls.count,
        last: calls.last_at.unix(),
    }
}
