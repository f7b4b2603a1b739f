//! Log lines, on standard error.

use tracing_subscriber::EnvFilter;

use crate::env_vars;

/// Starts logging; `default` is what is logged when nothing is set.
pub(crate) fn start(default: &str) {
    let directives = env_vars::read(env_vars::LOG).unwrap_or_else(|| default.to_owned());
    let filter = EnvFilter::try_new(&directives);
    let malformed = filter.as_ref().err().map(ToString::to_string);
    let filter = filter.unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let json = env_vars::read(env_vars::LOG_FORMAT).is_some_and(|format| format.eq_ignore_ascii_case("json"));
    let started = if json { lines.json().try_init() } else { lines.with_ansi(false).try_init() };
    // Only a second call in one process can fail, and then lines go where the first call sent them.
    drop(started);
    if let Some(why) = malformed {
        tracing::warn!(why, "{} is not a list of directives and counts for nothing", env_vars::LOG);
    }
}
