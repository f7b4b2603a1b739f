//! Tokens that are being made: at most one at a time for an identity and resource, joined by all who ask for
//! any good token; one that is wanted in any case has a flight of its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::PrincipalId;
use foldhash::fast::RandomState;
use futures_util::future::{BoxFuture, Shared};

use crate::cache::Entry;
use crate::source::SourceError;

/// What a flight brings to everyone who waits for it.
pub type Landing<B> = Result<Arc<Entry<B>>, SourceError>;

/// A flight that can be waited for.
pub(crate) type Flight<B> = Shared<BoxFuture<'static, Landing<B>>>;

type Key = (PrincipalId, Arc<str>);

/// The flights of one cache.
pub struct Flights<B> {
    joinable: HashMap<Key, (u64, Flight<B>), RandomState>,
    live: Vec<(u64, PrincipalId, Arc<AtomicBool>)>,
    next: u64,
}

impl<B> Default for Flights<B> {
    fn default() -> Self {
        Self { joinable: HashMap::default(), live: Vec::new(), next: 0 }
    }
}

/// A flight's own ticket: it lands with it.
pub(crate) struct Ticket {
    number: u64,
    key: Key,
    withdrawn: Arc<AtomicBool>,
}

impl Ticket {
    /// Its number; a flight that begins later has a higher one.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether the identity was taken away since the flight began.
    pub(crate) fn withdrawn(&self) -> bool {
        self.withdrawn.load(Ordering::Acquire)
    }
}

impl<B> Flights<B> {
    /// A flight that somebody else began.
    pub(crate) fn find(&self, principal: PrincipalId, resource: &Arc<str>) -> Option<Flight<B>> {
        self.joinable.get(&(principal, resource.clone())).map(|(_, flight)| flight.clone())
    }

    /// Notes a flight that begins now.
    pub(crate) fn begin(&mut self, principal: PrincipalId, resource: Arc<str>) -> Ticket {
        let number = self.next;
        self.next += 1;
        let withdrawn = Arc::new(AtomicBool::new(false));
        self.live.push((number, principal, withdrawn.clone()));
        Ticket { number, key: (principal, resource), withdrawn }
    }

    /// Lets others join a flight that has begun.
    pub(crate) fn open(&mut self, ticket: &Ticket, flight: Flight<B>) {
        self.joinable.insert(ticket.key.clone(), (ticket.number, flight));
    }

    /// Notes that a flight has ended.
    pub(crate) fn end(&mut self, ticket: &Ticket) {
        self.live.retain(|(number, _, _)| *number != ticket.number);
        if self.joinable.get(&ticket.key).is_some_and(|(number, _)| *number == ticket.number) {
            self.joinable.remove(&ticket.key);
        }
    }

    /// Marks the flights of identities that were taken away; nobody joins them any more.
    pub(crate) fn withdraw(&mut self, gone: impl Fn(PrincipalId) -> bool) {
        for (_, principal, withdrawn) in &self.live {
            if gone(*principal) {
                withdrawn.store(true, Ordering::Release);
            }
        }
        self.joinable.retain(|(principal, _), _| !gone(*principal));
    }
}
