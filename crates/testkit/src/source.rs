//! A source of tokens that does what a test says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use broker::source::AccessToken;
use broker::{Minted, SourceError, TokenSource, Wanted};
use domain::{Clock, ManualClock};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::fixtures::LIFE;

/// Makes `token-0`, `token-1`, …, or fails as it was told. Cheap to clone; the clones are one source.
#[derive(Clone)]
pub struct StubSource {
    clock: ManualClock,
    asked: Arc<AtomicUsize>,
    failure: Arc<Mutex<Option<SourceError>>>,
    gate: Arc<Semaphore>,
}

impl StubSource {
    /// A source that works.
    #[must_use]
    pub fn new(clock: ManualClock) -> Self {
        Self {
            clock,
            asked: Arc::default(),
            failure: Arc::default(),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        }
    }

    /// How many tokens it was asked for.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// What it answers from now on; `None` is a token.
    pub fn fail_with(&self, failure: Option<SourceError>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// Makes no token until [`StubSource::let_pass`].
    pub fn hold(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Lets so many tokens be made.
    pub fn let_pass(&self, tokens: usize) {
        self.gate.add_permits(tokens);
    }

    /// As if the authority were gone.
    pub fn take_down(&self) {
        let why = Arc::new(std::io::Error::other("connection refused"));
        self.fail_with(Some(SourceError::Unreachable { authority: "https://authority.test".to_owned(), why }));
    }
}

impl TokenSource for StubSource {
    fn token(&self, _wanted: Wanted) -> BoxFuture<'static, Result<Minted, SourceError>> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (now, gate) = (self.clock.now(), Arc::clone(&self.gate));
        async move {
            gate.acquire().await.expect("never closed").forget();
            match failure {
                Some(failure) => Err(failure),
                None => Ok(Minted {
                    access_token: AccessToken::new(format!("token-{number}")),
                    not_before: now.minus(Duration::from_secs(300)),
                    expires_on: now.plus(LIFE),
                }),
            }
        }
        .boxed()
    }
}
