//! Endpoints that open and close: whoever moves one says that it is done when those who ask are told where it is.

use tokio::sync::watch;

/// The moves of the endpoints of an `up`.
pub(crate) struct Moves {
    made: watch::Sender<u64>,
    /// Up to which they were told; none while nobody tells.
    told: watch::Sender<Option<u64>>,
}

impl Moves {
    pub(crate) fn new() -> Self {
        Self { made: watch::Sender::new(0), told: watch::Sender::new(None) }
    }

    /// One was made.
    pub(crate) fn make(&self) {
        self.made.send_modify(|made| *made += 1);
    }

    /// Waits until all that were made are told.
    pub(crate) async fn told(&self) {
        let made = *self.made.borrow();
        // The sender is here, so it is never gone.
        drop(self.told.subscribe().wait_for(|told| told.is_none_or(|told| told >= made)).await);
    }

    /// Whoever holds this tells of moves.
    pub(crate) fn teller(&self) -> Teller<'_> {
        self.told.send_replace(Some(0));
        Teller { moves: self, made: self.made.subscribe() }
    }
}

/// Who tells of moves.
pub(crate) struct Teller<'m> {
    moves: &'m Moves,
    made: watch::Receiver<u64>,
}

impl Teller<'_> {
    /// Waits for a move.
    pub(crate) async fn moved(&mut self) {
        drop(self.made.changed().await);
    }

    /// Tells of all that were made, which `tell` does.
    pub(crate) fn tell(&mut self, tell: impl FnOnce()) {
        let made = *self.made.borrow_and_update();
        tell();
        self.moves.told.send_replace(Some(made));
    }
}

impl Drop for Teller<'_> {
    fn drop(&mut self) {
        self.moves.told.send_replace(None);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_move_is_waited_for_until_it_is_told_or_nobody_tells_any_more() {
        let moves = Moves::new();
        moves.make();
        moves.told().await;
        let mut teller = moves.teller();
        moves.make();
        let waits = async || timeout(Duration::ZERO, moves.told()).await.is_err();
        assert!(waits().await);
        teller.moved().await;
        // One that is made meanwhile is told the next time.
        teller.tell(|| moves.make());
        assert!(waits().await);
        teller.tell(|| {});
        assert!(!waits().await);
        moves.make();
        drop(teller);
        assert!(!waits().await);
    }
}
