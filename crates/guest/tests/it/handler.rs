//! The handler as an agent has it: the real program, unpacked into a machine of its own, run command by command.

pub(crate) mod authority;
mod cutover;
mod failures;
mod files;
mod full_disk;
mod life;
pub(crate) mod machine;
