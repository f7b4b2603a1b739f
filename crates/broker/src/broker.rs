//! The broker itself: what a caller gets, and when a token is made for it.

use std::hash::BuildHasher;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use domain::SharedClock;
use foldhash::fast::FixedState;
use futures_util::FutureExt;
use metrics::Counter;
use tokio::sync::oneshot;

use crate::cache::{Entry, TokenCache};
use crate::drift::{Latest, Moment};
use crate::flight::{Flight, Landing, Ticket};
use crate::freshness::{Freshness, Grade};
use crate::source::{SourceError, TokenSource, Wanted};

/// How often what happened. The handles come from the recorder that was current when they were made.
#[derive(Clone)]
pub struct Counters {
    /// Tokens served from a cache.
    pub cached: Counter,
    /// Tokens asked of the source.
    pub asked: Counter,
    /// Times that the source gave none.
    pub failed: Counter,
}

impl Counters {
    /// Registers the counters; `surface` says for whom the broker works, such as `imds`.
    #[must_use]
    pub fn register(surface: &'static str) -> Self {
        Self {
            cached: metrics::counter!("symbolon_tokens_cached_total", "surface" => surface),
            asked: metrics::counter!("symbolon_tokens_asked_total", "surface" => surface),
            failed: metrics::counter!("symbolon_tokens_failed_total", "surface" => surface),
        }
    }
}

/// A token to hand out, with what is left of its life.
pub struct Served<B> {
    /// The token and its ready body.
    pub entry: Arc<Entry<B>>,
    /// `expires_in`, in seconds.
    pub remaining: u64,
}

/// Gets tokens from a source for any number of caches. Cheap to clone.
#[derive(Clone)]
pub struct Broker {
    source: Arc<dyn TokenSource>,
    clock: SharedClock,
    freshness: Freshness,
    latest: Arc<Latest>,
    counters: Counters,
}

impl Broker {
    /// A broker over a source. It takes the wall clock's present time as true.
    #[must_use]
    pub fn new(source: Arc<dyn TokenSource>, clock: SharedClock, freshness: Freshness, counters: Counters) -> Self {
        let latest = Arc::new(Latest::seen(&moment(&clock)));
        Self { source, clock, freshness, latest, counters }
    }

    /// The token, when it can be handed out at once with nothing else to do. The hot path: no lock, no
    /// allocation, no await.
    #[must_use]
    pub fn ready<B>(&self, cache: &TokenCache<B>, wanted: (domain::PrincipalId, &str)) -> Option<Served<B>> {
        let entry = cache.find(wanted.0, wanted.1)?;
        let now = moment(&self.clock);
        if entry.grade(&now) != Grade::Fresh || self.latest.behind(&now).is_some() {
            return None;
        }
        self.counters.cached.increment(1);
        let remaining = entry.remaining(&now);
        Some(Served { entry, remaining })
    }

    /// The token, from the cache or from the source. With `bypass` always a new one.
    ///
    /// # Errors
    /// Why the source gave none, when the cache has none that may be served instead.
    pub async fn token<B: Send + Sync + 'static>(
        &self,
        cache: &Arc<TokenCache<B>>,
        wanted: Wanted,
        bypass: bool,
    ) -> Result<Served<B>, SourceError> {
        let now = moment(&self.clock);
        if let Some(behind) = self.latest.behind(&now) {
            return Err(SourceError::ClockBehind { behind });
        }
        self.latest.note(&now);
        if bypass {
            let entry = self.launch(cache, wanted, Joinable::No).await?;
            return Ok(self.serve(entry));
        }
        let cached = cache.find(wanted.identity.principal_id, &wanted.resource);
        let Some(entry) = cached else {
            let entry = self.join(cache, wanted).await?;
            return Ok(self.serve(entry));
        };
        match entry.grade(&now) {
            Grade::Fresh => {}
            Grade::Ageing => {
                if entry.claim_renewal(now.monotonic) {
                    drop(self.join(cache, wanted));
                }
            }
            Grade::Old if entry.paused(now.monotonic) => {}
            Grade::Old => match self.join(cache, wanted).await {
                Ok(newer) => return Ok(self.serve(newer)),
                Err(SourceError::Withdrawn) => return Err(SourceError::Withdrawn),
                Err(why) => {
                    tracing::warn!(error = &why as &dyn std::error::Error, "serving a token past half of its life");
                }
            },
            Grade::Spent => {
                let entry = self.join(cache, wanted).await?;
                return Ok(self.serve(entry));
            }
        }
        self.counters.cached.increment(1);
        Ok(self.serve(entry))
    }

    fn serve<B>(&self, entry: Arc<Entry<B>>) -> Served<B> {
        let remaining = entry.remaining(&moment(&self.clock));
        Served { entry, remaining }
    }

    /// Joins the flight under way or begins one.
    fn join<B: Send + Sync + 'static>(&self, cache: &Arc<TokenCache<B>>, wanted: Wanted) -> Flight<B> {
        self.launch(cache, wanted, Joinable::Yes)
    }

    fn launch<B: Send + Sync + 'static>(
        &self,
        cache: &Arc<TokenCache<B>>,
        wanted: Wanted,
        joinable: Joinable,
    ) -> Flight<B> {
        let principal = wanted.identity.principal_id;
        let mut flights = cache.lock_flights();
        if let Joinable::Yes = joinable {
            if let Some(flight) = flights.find(principal, &wanted.resource) {
                return flight;
            }
            // A flight may have landed since the caller looked into the table.
            if let Some(entry) = cache.find(principal, &wanted.resource)
                && entry.grade(&moment(&self.clock)) == Grade::Fresh
            {
                return async move { Ok(entry) }.boxed().shared();
            }
        }
        let ticket = flights.begin(principal, wanted.resource.clone());
        let (land, landed) = oneshot::channel();
        let flight: Flight<B> =
            async move { landed.await.unwrap_or_else(|gone| Err(SourceError::Internal(Arc::new(gone)))) }
                .boxed()
                .shared();
        if let Joinable::Yes = joinable {
            flights.open(&ticket, flight.clone());
        }
        drop(flights);
        self.counters.asked.increment(1);
        // On a task of its own: it goes on when the caller that began it hangs up.
        tokio::spawn(self.clone().fly(cache.clone(), wanted, ticket, land));
        flight
    }

    async fn fly<B: Send + Sync + 'static>(
        self,
        cache: Arc<TokenCache<B>>,
        wanted: Wanted,
        ticket: Ticket,
        land: oneshot::Sender<Landing<B>>,
    ) {
        // A panic is a bug, of the source or of what makes a body, and the flight still lands.
        let make = AssertUnwindSafe(async {
            let minted = self.source.token(wanted.clone()).await?;
            let made = moment(&self.clock);
            let life = minted.expires_on.since(made.wall);
            let spread = FixedState::default().hash_one((wanted.identity.principal_id, &wanted.resource, made.wall));
            let body = (cache.make_body)(&wanted, &minted);
            let plan = self.freshness.plan(life, spread);
            Ok(Arc::new(Entry::new(&wanted, &minted, body, made, plan, ticket.number())))
        });
        let landing = make.catch_unwind().await;
        let landing = landing.unwrap_or_else(|_| Err(SourceError::Internal(Arc::new(Panicked))));
        let mut flights = cache.lock_flights();
        flights.end(&ticket);
        let landing = if ticket.withdrawn() { Err(SourceError::Withdrawn) } else { landing };
        match &landing {
            Ok(entry) => cache.insert(&flights, entry.clone()),
            Err(why) => {
                self.counters.failed.increment(1);
                tracing::warn!(
                    error = why as &dyn std::error::Error,
                    principal_id = %wanted.identity.principal_id,
                    "no token could be made"
                );
                let now = self.clock.monotonic();
                let principal = wanted.identity.principal_id;
                cache.replacement_failed(principal, &wanted.resource, now, self.freshness.pause);
            }
        }
        drop(flights);
        // Nobody may be waiting any more; the token is in the cache all the same.
        drop(land.send(landing));
    }
}

/// What makes a token panicked; where, the log says.
#[derive(Debug, thiserror::Error)]
#[error("what makes a token panicked")]
struct Panicked;

#[derive(Clone, Copy)]
enum Joinable {
    Yes,
    No,
}

fn moment(clock: &SharedClock) -> Moment {
    Moment { wall: clock.now(), monotonic: clock.monotonic() }
}
