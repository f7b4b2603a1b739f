//! What the process does to keep what it knows: no core file, no reading of its memory by others of the
//! same user.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Hardens this process. Where the system doesn't let it, it says so and goes on.
pub(crate) fn harden() {
    if let Err(error) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
        tracing::warn!(%error, "core files could not be forbidden");
    }
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "the process could not be made undumpable");
    }
}

/// Lets this process open as many descriptors as the system allows it, and says how many these are.
pub(crate) fn raise_descriptors() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            current
        }
    };
    // None is no limit at all.
    raised.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// Asks for random bytes once: the first ones take the longest.
pub(crate) fn warm_entropy() {
    use aws_lc_rs::rand::{SecureRandom, SystemRandom};
    let mut byte = [0; 1];
    // Whoever needs random bytes asks for itself and deals with a failure.
    let _ = SystemRandom::new().fill(&mut byte);
}

/// A panic says where it happened and nothing of what it held: its message may quote a request.
pub(crate) fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a bug: a task panicked");
    }));
}

#[cfg(test)]
mod tests {
    use rustix::process::{dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn a_hardened_process_leaves_no_core_and_cannot_be_dumped() {
        harden();
        let core = getrlimit(Resource::Core);
        assert_eq!((core.current, core.maximum), (Some(0), Some(0)));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
