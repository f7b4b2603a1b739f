//! Every environment variable that the program reads or sets, once.

/// The number of the settings that a command is about (Azure/WALinuxAgent `ga/exthandlers.py`).
pub const SEQUENCE: &str = "ConfigSequenceNumber";
/// The version that an update takes over from.
pub const UPDATING_FROM: &str = "AZURE_GUEST_AGENT_UPDATING_FROM_VERSION";

/// The version that an update leads to.
pub const VERSION: &str = "VERSION";
/// The folder of the handler whose command it is.
pub const EXTENSION_PATH: &str = "AZURE_GUEST_AGENT_EXTENSION_PATH";
/// Its version.
pub const EXTENSION_VERSION: &str = "AZURE_GUEST_AGENT_EXTENSION_VERSION";
/// Where the host is.
pub const WIRE_ADDRESS: &str = "AZURE_GUEST_AGENT_WIRE_PROTOCOL_ADDRESS";
/// What a handler may make use of.
pub const SUPPORTED_FEATURES: &str = "AZURE_GUEST_AGENT_EXTENSION_SUPPORTED_FEATURES";
/// The exit code of the `uninstall` of the version that gave way.
pub const UNINSTALL_EXIT_CODE: &str = "AZURE_GUEST_AGENT_UNINSTALL_CMD_EXIT_CODE";
/// The exit code of the `disable` of the version that gives way.
pub const DISABLE_EXIT_CODE: &str = "AZURE_GUEST_AGENT_DISABLE_CMD_EXIT_CODE";

/// Reads a variable; an empty one is none. The only place of the program that does.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn read(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
