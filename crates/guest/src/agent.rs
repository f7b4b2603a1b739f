//! The guest agent: does what the host says is wanted of this VM's extensions, and tells what came of it.

pub mod command;
pub mod package;
