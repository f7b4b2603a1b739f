//! The extension handler: the commands that a guest agent runs, and the process that serves.
//!
//! A command finds everything from the place of the program ([`place`]), so that each works by hand too. What the
//! settings are is found by their number ([`sequence`]); what came of them goes into a status ([`status`]), and what
//! failed has a code of its own ([`failure`]). Whether the process that serves is there and is the right one is told by
//! a file that it holds ([`endpoint_file`], [`launch`]), so that `enable` may be run as often as one likes: it starts
//! only what isn't there.

pub mod authority;
mod callers;
mod commands;
mod credentials;
pub mod distribution;
pub mod endpoint_file;
pub mod failure;
mod heartbeat;
pub mod launch;
pub mod place;
pub mod process;
pub mod sequence;
mod serve;
mod settings;
pub mod state;
mod status;
pub mod watch;

pub use commands::{Command, Machine, run};
pub use serve::serve;
