//! The agent against a host of a test's own, with handlers that are shell scripts, and with our own one.

mod failures;
mod host;
mod life;
mod package;
mod process;
mod real;
mod upgrade;
mod world;
