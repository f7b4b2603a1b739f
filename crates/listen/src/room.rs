//! How many connections several listeners may hold: all together, and each one of them.
//!
//! Every connection costs a file descriptor of the process, so without a bound one VM could take them from
//! all others. Each listener has a few places of its own that nobody can take from it; beyond these it takes
//! from what all have in common, but never all of that.

use std::io;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most places that a listener has for itself.
const OWN: usize = 64;

/// The room that several listeners share. Cheap to clone; the clones are one room.
#[derive(Clone, Debug)]
pub struct Room {
    common: Arc<Semaphore>,
    own: usize,
    share: usize,
}

impl Room {
    /// Room for so many connections in all, shared by so many listeners.
    #[must_use]
    pub fn new(connections: usize, listeners: usize) -> Self {
        let listeners = listeners.max(1);
        let connections = connections.min(Semaphore::MAX_PERMITS);
        let own = (connections / listeners / 2).min(OWN);
        let common = connections - own * listeners;
        Self { common: Arc::new(Semaphore::new(common)), own, share: common - common / 4 }
    }

    /// The most connections that one listener can hold.
    #[must_use]
    pub fn most(&self) -> usize {
        self.own + self.share
    }

    /// The places of one listener, of which it takes at most so many.
    pub(crate) fn places(&self, most: usize) -> Places {
        let own = self.own.min(most);
        Places {
            own: Arc::new(Semaphore::new(own)),
            share: Arc::new(Semaphore::new(self.share.min(most - own))),
            common: self.common.clone(),
        }
    }
}

/// Room for one listener that shares it with nobody.
impl Default for Room {
    fn default() -> Self {
        let connections = Semaphore::MAX_PERMITS;
        Self { common: Arc::new(Semaphore::new(connections)), own: 0, share: connections }
    }
}

/// The places of one listener.
pub(crate) struct Places {
    own: Arc<Semaphore>,
    share: Arc<Semaphore>,
    common: Arc<Semaphore>,
}

/// The place of one connection; dropping it makes it free.
#[derive(Debug)]
pub(crate) struct Place {
    _own_or_share: OwnedSemaphorePermit,
    _common: Option<OwnedSemaphorePermit>,
}

impl Places {
    /// Takes a place, and waits for one while there is none.
    pub(crate) async fn take(&self) -> io::Result<Place> {
        let own = async { Ok(Place { _own_or_share: one(&self.own).await?, _common: None }) };
        let common =
            async { Ok(Place { _own_or_share: one(&self.share).await?, _common: Some(one(&self.common).await?) }) };
        tokio::select! {
            biased;
            place = own => place,
            place = common => place,
        }
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
        assert_eq!(room.most(), 12 + 39);
        let listeners = [0; 4].map(|_| room.places(usize::MAX));
        let greedy = fill(&listeners[0]);
        assert_eq!(greedy.len(), room.most());
        let second = fill(&listeners[1]);
        assert_eq!(second.len(), 12 + 13, "its own, and the rest of what is common");
        let others = [fill(&listeners[2]), fill(&listeners[3])];
        assert_eq!(others.each_ref().map(Vec::len), [12; 2]);
        assert_eq!(greedy.len() + second.len() + others.iter().map(Vec::len).sum::<usize>(), 100);
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
