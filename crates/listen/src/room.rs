//! How many connections several listeners may hold: all together, and each one of them.
//!
//! Every connection costs a file descriptor of the process, so without a bound one VM could take them from
//! all others. Each listener has a few places of its own that nobody can take from it; beyond these it takes
//! from what all have in common, but never all of that. A listener that nobody planned gets its own from what
//! is set aside for such, fewer the more of them there are.

use std::io;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::reserve::Reserve;
use crate::turns::Turns;

/// The most places that a listener has for itself.
const OWN: usize = 64;
/// The part of what isn't planned that is set aside for listeners that aren't: one in so many.
const LATE: usize = 16;
/// The descriptors that a listener holds besides its connections: its socket, and a connection that waits for its place.
pub const DESCRIPTORS: usize = 2;

/// The room that several listeners share. Cheap to clone; the clones are one room.
#[derive(Clone, Debug)]
pub struct Room {
    common: Arc<Semaphore>,
    /// One for each listener that is planned and isn't there.
    planned: Arc<Semaphore>,
    /// The places of listeners that aren't planned, with their own descriptors.
    late: Arc<Semaphore>,
    own: usize,
    share: usize,
    pub(crate) reserve: Reserve,
}

impl Room {
    /// Room for so many connections in all, shared by so many listeners. More of them find room too, less of it.
    #[must_use]
    pub fn new(connections: usize, listeners: usize) -> Self {
        let listeners = listeners.max(1);
        let connections = connections.min(Semaphore::MAX_PERMITS);
        let own = (connections / listeners / 2).min(OWN);
        let rest = connections - own * listeners;
        let (late, common) = (rest / LATE, rest - rest / LATE);
        Self {
            common: Arc::new(Semaphore::new(common)),
            planned: Arc::new(Semaphore::new(listeners)),
            late: Arc::new(Semaphore::new(late)),
            own,
            share: common - common / 4,
            reserve: Reserve::new(),
        }
    }

    /// The most connections that one listener can hold.
    #[must_use]
    pub fn most(&self) -> usize {
        self.own + self.share
    }

    /// The places of one of several that share a listener, of which it takes at most so many.
    #[must_use]
    pub fn share(&self, most: usize) -> Share {
        Share(Arc::new(self.places(most)))
    }

    /// The places of one listener, of which it takes at most so many.
    pub(crate) fn places(&self, most: usize) -> Places {
        let (own, reserved) = match self.planned.clone().try_acquire_owned() {
            Ok(planned) => (self.own, Some(planned)),
            Err(_) => self.reserve_late(),
        };
        let own = own.min(most);
        Places {
            own: Arc::new(Semaphore::new(own)),
            share: Arc::new(Semaphore::new(self.share.min(most - own))),
            common: self.common.clone(),
            reserved: Arc::new(reserved),
            turns: Arc::default(),
        }
    }

    /// How many places a listener that wasn't planned has for itself, and what keeps them.
    fn reserve_late(&self) -> (usize, Option<OwnedSemaphorePermit>) {
        loop {
            let free = self.late.available_permits();
            // A part of what is there, so that there is some for the next.
            let own = (free / 8).clamp(1, self.own.max(1));
            let Some(all) = u32::try_from(own + DESCRIPTORS).ok().filter(|_| own + DESCRIPTORS <= free) else {
                return (0, None);
            };
            if let Ok(reserved) = self.late.clone().try_acquire_many_owned(all) {
                return (own, Some(reserved));
            }
        }
    }
}

/// Room for one listener that shares it with nobody.
impl Default for Room {
    fn default() -> Self {
        let connections = Semaphore::MAX_PERMITS;
        let (common, none) = (Arc::new(Semaphore::new(connections)), Arc::new(Semaphore::new(0)));
        Self { common, planned: none.clone(), late: none, own: 0, share: connections, reserve: Reserve::new() }
    }
}

/// The places of one listener.
#[derive(Debug)]
pub(crate) struct Places {
    own: Arc<Semaphore>,
    share: Arc<Semaphore>,
    common: Arc<Semaphore>,
    /// Keeps the own ones until the listener and all its connections are gone.
    reserved: Reserved,
    turns: Arc<Turns>,
}

type Reserved = Arc<Option<OwnedSemaphorePermit>>;

/// The place of one connection; dropping it makes it free.
#[derive(Debug)]
pub(crate) struct Place {
    _own_or_share: OwnedSemaphorePermit,
    _common: Option<OwnedSemaphorePermit>,
    _reserved: Reserved,
    /// What it shares with the other connections of its listener.
    pub(crate) turns: Arc<Turns>,
}

impl Places {
    /// Takes a place, and waits for one while there is none.
    pub(crate) async fn take(&self) -> io::Result<Place> {
        let own = async { Ok(self.place(one(&self.own).await?, None)) };
        let common = async { Ok(self.place(one(&self.share).await?, Some(one(&self.common).await?))) };
        tokio::select! {
            biased;
            place = own => place,
            place = common => place,
        }
    }

    /// Takes a place if there is one now.
    fn try_take(&self) -> Option<Place> {
        // Not `take`, polled once: a task that did much is told to wait for what it could have.
        let try_one = |of: &Arc<Semaphore>| of.clone().try_acquire_owned().ok();
        match try_one(&self.own) {
            Some(own) => Some(self.place(own, None)),
            None => Some(self.place(try_one(&self.share)?, Some(try_one(&self.common)?))),
        }
    }

    fn place(&self, own_or_share: OwnedSemaphorePermit, common: Option<OwnedSemaphorePermit>) -> Place {
        let (reserved, turns) = (self.reserved.clone(), self.turns.clone());
        Place { _own_or_share: own_or_share, _common: common, _reserved: reserved, turns }
    }
}

/// The places of one that shares its listener with others: it is accepted for, and then has a place or not.
#[derive(Clone, Debug)]
pub struct Share(Arc<Places>);

impl Share {
    pub(crate) fn try_take(&self) -> Option<Place> {
        self.0.try_take()
    }
}

async fn one(of: &Arc<Semaphore>) -> io::Result<OwnedSemaphorePermit> {
    // It is never closed.
    of.clone().acquire_owned().await.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// Takes places until there are none.
    fn fill(places: &Places) -> Vec<Place> {
        std::iter::from_fn(|| places.take().now_or_never()).map(Result::unwrap).collect()
    }

    #[test]
    fn one_that_takes_all_it_can_leaves_places_to_every_other() {
        let room = Room::new(100, 4);
        assert_eq!(room.most(), 12 + 37);
        let listeners = [0; 4].map(|_| room.places(usize::MAX));
        let greedy = fill(&listeners[0]);
        assert_eq!(greedy.len(), room.most());
        let second = fill(&listeners[1]);
        assert_eq!(second.len(), 12 + 12, "its own, and the rest of what is common");
        let others = [fill(&listeners[2]), fill(&listeners[3])];
        assert_eq!(others.each_ref().map(Vec::len), [12; 2]);
        assert_eq!(greedy.len() + second.len() + others.iter().map(Vec::len).sum::<usize>(), 97);
    }

    #[test]
    fn listeners_that_nobody_planned_have_places_of_their_own_within_the_room() {
        let room = Room::new(1_000, 2);
        let planned = [0; 2].map(|_| room.places(usize::MAX));
        let greedy: usize = planned.iter().map(|places| fill(places).leak().len()).sum();
        let late: Vec<_> = (0..8).map(|_| room.places(usize::MAX)).collect();
        let mut held: Vec<_> = late.iter().map(fill).collect();
        let counts: Vec<_> = held.iter().map(Vec::len).collect();
        assert!(counts.iter().all(|count| *count > 0) && counts.is_sorted_by(|a, b| a >= b), "{counts:?}");
        assert!(greedy + counts.iter().sum::<usize>() + late.len() * DESCRIPTORS <= 1_000, "{greedy} {counts:?}");
        // The places of one that ends are there again when its last connection is gone.
        let free = room.late.available_permits();
        let (mut late, last) = (late, held[0].pop());
        drop((late.remove(0), held.remove(0)));
        assert_eq!(room.late.available_permits(), free);
        drop(last);
        assert_eq!(room.late.available_permits(), free + counts[0] + DESCRIPTORS);
    }

    #[test]
    fn a_planned_listener_that_ends_leaves_its_place_to_the_next() {
        let room = Room::new(100, 1);
        for _ in 0..3 {
            assert_eq!(fill(&room.places(usize::MAX)).len(), room.most());
        }
    }

    #[test]
    fn a_place_that_becomes_free_can_be_taken_again() {
        let room = Room::new(8, 2);
        let places = room.places(usize::MAX);
        let mut taken = fill(&places);
        for number in 0..taken.len() {
            taken.remove(number);
            taken.insert(number, places.take().now_or_never().unwrap().unwrap());
            assert!(places.take().now_or_never().is_none());
        }
    }

    #[tokio::test]
    async fn a_free_place_is_had_however_much_its_task_did() {
        let share = Room::new(100, 1).share(usize::MAX);
        let free = Semaphore::new(1);
        // Until the task has used up what it may do at a time.
        while free.acquire().now_or_never().is_some() {}
        assert!(share.try_take().is_some());
    }

    #[test]
    fn a_listeners_own_bound_holds_as_well() {
        for (most, room) in [(2, Room::new(100, 2)), (30, Room::new(100, 2)), (30, Room::default())] {
            assert_eq!(fill(&room.places(most)).len(), most);
        }
    }

    #[test]
    fn small_rooms_are_divided_too() {
        for (connections, listeners) in [(0, 0), (0, 3), (1, 3), (5, 3), (6, 3), (7, 1)] {
            let room = Room::new(connections, listeners);
            let all: Vec<_> = (0..listeners).map(|_| fill(&room.places(usize::MAX))).collect();
            let held: usize = all.iter().map(Vec::len).sum();
            assert!(held <= connections && held >= connections.min(listeners), "{connections}, {listeners}: {held}");
        }
    }

    #[test]
    fn where_there_is_much_one_listener_may_hold_ten_thousand() {
        assert!(Room::new(19_000, 20).most() > 10_000);
    }
}
