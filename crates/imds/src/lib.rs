//! The host's metadata service: what a VM gets at `http://169.254.169.254/metadata/…`.
//!
//! A VM is known by the socket its request arrived on, never by anything it says. The walk of a request:
//! [`service`] (the listener's end) → `contract::gate` → [`plan`] (a pure function from VM, request and leave
//! to an answer or a token that is wanted) → `broker` → the answer. Nothing here holds a key, and nothing
//! here knows how a token is signed. Where a VM's requests arrive says its attachment: [`Attached`] keeps a listener open there
//! as long as that is there.

mod attached;
mod control_plane;
mod convert;
mod counters;
mod documents;
mod host;
pub mod plan;
pub mod service;
mod shared;
mod vm;

pub use attached::Attached;
pub use control_plane::{ControlPlane, ControlPlaneError};
pub use counters::Counters;
pub use documents::{Description, Document};
pub use host::{Host, open_now};
pub use service::{MetadataService, listener_config};
pub use vm::Vm;
