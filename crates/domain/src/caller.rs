//! Who asks a VM's endpoints for tokens, counted: what a migration away from the extension is judged by.

use crate::{ClientId, Timestamp};

/// How many callers of one endpoint are told apart on one day; the others are counted together.
pub const MAX_CALLERS: usize = 64;
/// How many days calls are remembered.
pub const REMEMBERED_DAYS: i64 = 90;

const DAY: i64 = 86_400;
/// The longest name of a client or process, in characters.
const LONGEST_NAME: usize = 96;
/// The client of those who aren't told apart any more.
const OTHERS: &str = "(others)";

/// Where was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CalledEndpoint {
    /// The extension's, on localhost.
    Extension,
    /// The metadata service.
    Metadata,
}

impl CalledEndpoint {
    /// Every endpoint.
    pub const ALL: [Self; 2] = [Self::Extension, Self::Metadata];

    /// Its name in the store and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Extension => "extension",
            Self::Metadata => "imds",
        }
    }
}

/// Somebody who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Caller {
    /// As whom; none when the request named no identity that the VM has, or was refused before that was known.
    pub identity: Option<ClientId>,
    /// What it calls itself: its `User-Agent`; may be empty.
    pub client: String,
    /// The name of its process, where that can be seen.
    pub process: Option<String>,
    /// The user that the process runs as, where that can be seen.
    pub uid: Option<u32>,
}

impl Caller {
    /// A caller whose names are fit to be kept and shown: without control characters, and short.
    #[must_use]
    pub fn new(identity: Option<ClientId>, client: &str, process: Option<&str>, uid: Option<u32>) -> Self {
        Self { identity, client: fit(client), process: process.map(fit), uid }
    }

    /// Those who aren't told apart any more.
    #[must_use]
    pub fn others() -> Self {
        Self { client: OTHERS.to_owned(), ..Self::default() }
    }
}

fn fit(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_NAME).collect::<String>().trim().to_owned()
}

/// The calls of a caller on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// Where it asked.
    pub endpoint: CalledEndpoint,
    /// The day.
    pub day: Day,
    /// Who asked.
    pub caller: Caller,
    /// How often.
    pub count: u64,
    /// When last.
    pub last_at: Timestamp,
}

/// A day of UTC, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

impl Day {
    /// The day of an instant.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(at.unix().div_euclid(DAY))
    }

    /// The day so many days before.
    #[must_use]
    pub fn before(self, days: i64) -> Self {
        Self(self.0.saturating_sub(days))
    }

    /// Its first instant.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_unix(self.0.saturating_mul(DAY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fit_to_be_shown() {
        let caller = Caller::new(None, &format!("a\u{1b}[31m\nb{}", "x".repeat(200)), Some("sh\0"), None);
        assert_eq!(caller.client.chars().count(), LONGEST_NAME);
        assert!(caller.client.starts_with("a [31m b"));
        assert_eq!(caller.process.as_deref(), Some("sh"));
    }

    #[test]
    fn a_day_is_one_of_utc() {
        assert_eq!(Day::of(Timestamp::from_unix(86_399)), Day(0));
        assert_eq!(Day::of(Timestamp::from_unix(-1)), Day(-1));
        assert_eq!(Day(1).start().unix(), 86_400);
        assert_eq!(Day(5).before(6), Day(-1));
    }
}
