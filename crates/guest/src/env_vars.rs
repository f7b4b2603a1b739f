//! Every environment variable that the program reads or sets, once.

/// The number of the settings that a command is about (Azure/WALinuxAgent `ga/exthandlers.py`).
pub const SEQUENCE: &str = "ConfigSequenceNumber";
/// The version that an update takes over from.
pub const UPDATING_FROM: &str = "AZURE_GUEST_AGENT_UPDATING_FROM_VERSION";

/// Reads a variable; an empty one is none. The only place of the program that does.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn read(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
