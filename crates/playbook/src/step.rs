//! What a playbook is made of.

use std::fmt;
use std::time::Duration;

use domain::ResourceId;

/// Steps, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playbook {
    /// The steps. Of those that want a request the first has it.
    pub steps: Vec<Step>,
}

/// Which requests, when, and what is done to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The VM, by name or resource id; without it every VM, each counted by itself.
    pub vm: Option<String>,
    /// A path or the start of one, by whole segments; without it every path.
    pub path: Option<String>,
    /// Which of the requests that come to it.
    pub when: When,
    /// What is done to them.
    pub fault: Fault,
}

/// Which of the requests that come to a step it acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// The first, counted from 1.
    pub from: u64,
    /// From there on every so many.
    pub every: u64,
    /// How many at most.
    pub count: Option<u64>,
    /// How long, from the first one that it acts on.
    pub duration: Option<Duration>,
}

/// What is done to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How long it waits first.
    pub latency: Duration,
    /// What becomes of it then.
    pub outcome: Outcome,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is answered as ever.
    Answered,
    /// It is refused with a status, in the words of the contract.
    Status {
        /// One of [`contract::gate::fault::STATUSES`].
        status: u16,
        /// What is said of when to come back.
        retry_after: RetryAfter,
        /// Another body than the contract's, as what lies before the service writes it.
        body: Option<String>,
    },
    /// The connection is closed without an answer.
    Dropped,
    /// The answer's body breaks off behind so many bytes, one less than all at most.
    Partial(u64),
    /// A token whose life is over.
    ExpiredToken,
    /// As if the identity had not reached the VM yet.
    NotPropagated,
}

/// `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// As the contract has it.
    AsEver,
    /// So many seconds.
    Seconds(u32),
    /// None.
    None,
}

impl Step {
    /// Whether a request of a VM is one of those that come to it.
    #[must_use]
    pub fn is_for(&self, vm: &ResourceId, path: &str) -> bool {
        let vm_fits = self.vm.as_deref().is_none_or(|wanted| {
            let known_as = if wanted.starts_with('/') { vm.as_str() } else { vm.name() };
            wanted.eq_ignore_ascii_case(known_as)
        });
        vm_fits && self.path.as_deref().is_none_or(|start| starts_with(path, start))
    }
}

/// Whether a path is another or lies below it. As at the gate, runs of `/` count as one; case makes no difference here,
/// because the gate has judged the path.
fn starts_with(path: &str, start: &str) -> bool {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let mut wanted = start.split('/').filter(|segment| !segment.is_empty());
    wanted.all(|wanted| segments.next().is_some_and(|segment| segment.eq_ignore_ascii_case(wanted)))
}

impl fmt::Display for Fault {
    /// In a few words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.latency.is_zero() {
            write!(f, "after {} ms: ", self.latency.as_millis())?;
        }
        match &self.outcome {
            Outcome::Answered => write!(f, "answered"),
            Outcome::Status { status, retry_after, body } => {
                write!(f, "{status}")?;
                match retry_after {
                    RetryAfter::AsEver => {}
                    RetryAfter::Seconds(seconds) => write!(f, " with Retry-After {seconds}")?,
                    RetryAfter::None => write!(f, " without Retry-After")?,
                }
                if body.is_some() { write!(f, " with a body of its own") } else { Ok(()) }
            }
            Outcome::Dropped => write!(f, "dropped"),
            Outcome::Partial(bytes) => write!(f, "broken off after {bytes} bytes"),
            Outcome::ExpiredToken => write!(f, "an expired token"),
            Outcome::NotPropagated => write!(f, "not propagated yet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_by_whole_segments() {
        for (path, start) in [
            ("/metadata/identity/oauth2/token", "/metadata/identity"),
            ("//METADATA/identity//oauth2/token/", "/metadata/identity/oauth2/token"),
            ("/oauth2/token", "/"),
        ] {
            assert!(starts_with(path, start), "{path} {start}");
        }
        for (path, start) in [
            ("/metadata/identity/oauth2/token", "/metadata/ident"),
            ("/metadata/identity", "/metadata/identity/info"),
            ("/metadata/instance", "/metadata/identity"),
        ] {
            assert!(!starts_with(path, start), "{path} {start}");
        }
    }
}
