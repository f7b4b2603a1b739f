//! What runs inside a VM: the token endpoint of the extension, and the credential on the VM's disk.
//!
//! A token never comes from a function call here: it is asked of the authority over TLS, with an assertion
//! that the credential on the disk signs. That is the weakness of the extension, kept honest.

mod convert;
pub mod credential;
pub mod discovery_file;
pub mod disk;
mod endpoint;
pub mod failure_log;
#[cfg(feature = "program")]
mod files;
#[cfg(feature = "program")]
pub mod handler;
pub mod identities;
#[cfg(feature = "program")]
pub mod resolver;
pub mod source;
#[cfg(feature = "program")]
pub mod time;

pub use endpoint::{Endpoint, listener_config};
