//! Gets a token and keeps it fresh.
//!
//! A [`Broker`] stands between those who answer callers (`imds`, `guest`) and a [`TokenSource`] that can
//! make tokens: the authority in the same process ([`in_process`]) or one across the network. What it made
//! lies in a [`TokenCache`] as ready response bytes. Each VM has a cache of its own, because a token names
//! the VM that asked, because one VM must not push out another's tokens, and because the cache then goes
//! when the VM goes.
//!
//! What holds, and where it is kept:
//! * a cached answer takes no lock that a writer holds ([`cache`]);
//! * for one identity and resource at most one token is being made at a time, but for those that a caller wants
//!   in any case (`bypass_cache`); whichever lands last, the one that was begun last stays ([`flight`], [`cache`]);
//! * a token is replaced ahead of time, so that nobody is handed an old one ([`freshness`]);
//! * a wall clock that jumps never makes an expired token look good ([`drift`]);
//! * one VM asks no oftener than it may, where that is limited ([`throttle`]);
//! * nothing is cached for an identity that was taken away while its token was being made ([`cache`]).

mod broker;
pub mod cache;
#[cfg(feature = "http")]
pub mod certificates;
#[cfg(feature = "http")]
pub mod credential;
pub mod drift;
pub mod flight;
pub mod freshness;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "http")]
pub mod https;
#[cfg(feature = "in-process")]
pub mod in_process;
#[cfg(feature = "http")]
pub mod names;
pub mod source;
pub mod throttle;

pub use broker::{Broker, Counters, Served};
pub use cache::{Entry, TokenCache};
pub use freshness::Freshness;
pub use source::{Minted, SourceError, TokenSource, Wanted};
