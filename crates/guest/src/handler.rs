//! The extension handler: the commands that a guest agent runs, and the process that serves.

pub mod authority;
pub mod distribution;
pub mod endpoint_file;
pub mod failure;
pub mod process;
pub mod sequence;
pub mod state;
