//! What a guest agent finds at its host: the WireServer, the HostGAPlugin and the packages of extensions.
//!
//! The protocol is that of Azure's Linux agent, unmodified ones included (github.com/Azure/WALinuxAgent). A VM is known by
//! the socket its request arrived on, never by anything it says. The walk of a request: [`service`] → `throttle` → `gate` (path,
//! method and headers) → `route` → `machine`, `host_plugin`, `extension` or `sink`, each a small part of the protocol.
//! What is wanted of a VM, and what becomes of what its agent says, is the [`Host`]'s.

mod answer;
mod extension;
mod gate;
mod host;
mod host_plugin;
mod machine;
mod packages;
mod refusal;
mod route;
pub mod service;
mod sink;
mod throttle;

pub use host::{Host, HostError};
pub use packages::PackageStore;
pub use service::{Body, WireServer, listener_config};
pub use throttle::Clock;
