//! What is going to happen to virtual machines.

use domain::{EventId, ResourceId, ScheduledEvent};

use crate::{Error, Put};

/// Looks up scheduled events.
pub trait ScheduledEventReader {
    /// By id.
    ///
    /// # Errors
    /// When the store fails.
    fn scheduled_event(&self, id: EventId) -> Result<Option<ScheduledEvent>, Error>;

    /// Those of a machine, the first to come first, and how often they have changed.
    ///
    /// # Errors
    /// When the store fails.
    fn scheduled_events_of(&self, vm: &ResourceId) -> Result<(u64, Vec<ScheduledEvent>), Error>;

    /// Those of all machines, the first to come first.
    ///
    /// # Errors
    /// When the store fails.
    fn scheduled_events(&self) -> Result<Vec<ScheduledEvent>, Error>;
}

/// Changes scheduled events. They go with their machine.
pub trait ScheduledEventWriter {
    /// Stores an event.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is no such machine.
    fn put_scheduled_event(&mut self, event: &ScheduledEvent) -> Result<Put, Error>;

    /// Removes an event; says whether it was there.
    ///
    /// # Errors
    /// When the store fails.
    fn remove_scheduled_event(&mut self, id: EventId) -> Result<bool, Error>;
}
