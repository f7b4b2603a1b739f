//! The handler as an agent has it: the real program, unpacked into a machine of its own, run command by command.

mod authority;
mod failures;
mod files;
mod life;
mod machine;
