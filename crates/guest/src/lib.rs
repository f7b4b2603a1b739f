//! What runs inside a VM: the token endpoint of the extension, and the credential on the VM's disk.
//!
//! A token never comes from a function call here: it is asked of the authority over TLS, with an assertion
//! that the credential on the disk signs. That is the weakness of the extension, kept honest.

#[cfg(feature = "program")]
pub mod agent;
pub mod callers;
pub mod causes;
mod convert;
pub mod discovery_file;
pub mod disk;
mod endpoint;
#[cfg(feature = "program")]
pub mod env_vars;
pub mod failure_log;
#[cfg(feature = "program")]
mod files;
pub mod forwarding;
#[cfg(feature = "program")]
pub mod handler;
#[cfg(feature = "program")]
pub mod hardening;
pub mod identities;
pub mod log_file;
mod peer;
#[cfg(feature = "program")]
pub mod resolver;
pub mod serving;
pub mod source;
pub mod time;

pub use endpoint::{Backend, Endpoint, listener_config};
pub use forwarding::Forwarding;
pub use serving::Serving;
