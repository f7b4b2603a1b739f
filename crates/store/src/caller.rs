//! Who asks the endpoints of VMs for tokens.

use domain::{Calls, Day, ResourceId};

use crate::Error;

/// How counts become one with those that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    /// They are calls that weren't counted yet.
    More,
    /// They are all of their day, as far as whoever says it knows: it may say it again, or say less after it lost some.
    AtLeast,
}

/// Looks up calls.
pub trait CallerReader {
    /// Those of a machine from a day on: by endpoint, day and caller.
    ///
    /// # Errors
    /// When the store fails.
    fn calls(&self, vm: &ResourceId, from: Day) -> Result<Vec<Calls>, Error>;
}

/// Counts calls. They go with their machine.
pub trait CallerWriter {
    /// Counts calls of a machine. Of one day and endpoint so many callers are told apart
    /// ([`domain::caller::MAX_CALLERS`]); the calls of more are counted as [`domain::Caller::others`].
    ///
    /// # Errors
    /// [`Error::Missing`] when there is no such machine.
    fn count_calls(&mut self, vm: &ResourceId, calls: &[Calls], tally: Tally) -> Result<(), Error>;

    /// Forgets the calls before a day; says how many counts there were.
    ///
    /// # Errors
    /// When the store fails.
    fn prune_calls(&mut self, before: Day) -> Result<usize, Error>;
}
