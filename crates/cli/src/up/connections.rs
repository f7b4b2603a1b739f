//! How many connections the listeners of `up` may hold, so that none takes the descriptors of another.

use listen::Room;

/// Descriptors for everything that is neither a listener nor a connection of one: the database, files, calls to the
/// authority.
const RESERVE: usize = 256;
/// Listeners that may come while it runs.
const TO_COME: usize = 32;
/// The most connections of the authority.
const AUTHORITY: usize = 4_096;

/// What each may hold.
pub(crate) struct Connections {
    /// The authority's listener.
    pub(crate) authority: usize,
    /// All the others.
    pub(crate) room: Room,
}

/// Divides the descriptors of the process; `listeners` counts all but the authority's that are open at the start.
pub(crate) fn divide(descriptors: usize, listeners: usize) -> Connections {
    let listeners = listeners + TO_COME;
    let left = left(descriptors, listeners);
    let authority = (left / 8).clamp(1, AUTHORITY);
    Connections { authority, room: Room::new(left.saturating_sub(authority), listeners) }
}

/// The room of a process that has so many listeners and no authority.
pub(crate) fn room(descriptors: usize, listeners: usize) -> Room {
    Room::new(left(descriptors, listeners), listeners)
}

/// The descriptors for connections.
fn left(descriptors: usize, listeners: usize) -> usize {
    let left = descriptors - RESERVE.min(descriptors / 4);
    left.saturating_sub(listen::DESCRIPTORS * listeners).max(descriptors / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_together_are_fewer_than_there_are_descriptors() {
        for descriptors in [64, 256, 1_024, 20_000, 1 << 20, usize::MAX] {
            for listeners in [1, 5, 40] {
                let Connections { authority, room } = divide(descriptors, listeners);
                let rest = descriptors - authority;
                assert!(authority > 0 && room.most() > 0 && room.most() < rest, "{descriptors}, {listeners}");
            }
        }
    }

    #[test]
    fn every_listener_has_places_of_its_own_where_there_are_four_descriptors_for_each() {
        for listeners in [40, 1_000, 10_000, 250_000] {
            let own = |descriptors| room(descriptors, listeners).own();
            assert!(own(RESERVE + 4 * listeners) > 0, "{listeners}");
            assert!(listeners < 1_000 || own(RESERVE + 3 * listeners) == 0, "{listeners}");
        }
    }

    #[test]
    fn ten_thousand_rest_at_one_listener_where_the_system_lets_them() {
        assert!(divide(20_000, 5).room.most() > 10_000);
        assert!(divide(1 << 20, 100).room.most() > 10_000);
    }
}
