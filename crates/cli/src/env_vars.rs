//! Every environment variable that the program reads or sets, once.

/// The data directory, for every command that takes `--data-dir`; `--ephemeral` wins over it.
pub(crate) const DATA_DIR: &str = "SYMBOLON_DATA_DIR";
/// What to log, as `tracing` directives, such as `info` or `imds=debug`.
pub(crate) const LOG: &str = "SYMBOLON_LOG";
/// `json` makes log lines JSON objects.
pub(crate) const LOG_FORMAT: &str = "SYMBOLON_LOG_FORMAT";
/// The user's folder for data of programs (XDG base directories).
pub(crate) const XDG_DATA_HOME: &str = "XDG_DATA_HOME";
/// The user's home.
pub(crate) const HOME: &str = "HOME";

/// Leads the Azure SDKs to another metadata service (set by `run` and `env`).
pub(crate) const AZURE_POD_IDENTITY_AUTHORITY_HOST: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
/// Leads the Azure SDKs to the extension's endpoint when it stands alone (set by `run` and `env`).
pub(crate) const MSI_ENDPOINT: &str = "MSI_ENDPOINT";
/// Would lead the SDKs elsewhere: taken out by `run`.
pub(crate) const OTHER_SOURCES: [&str; 5] =
    ["IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT", "MSI_SECRET"];

/// Reads a variable. The only place of the program that does, besides the argument parser.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn read(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
