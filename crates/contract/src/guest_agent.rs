//! How a host and the guest agent in a VM talk: goal states, certificates, packages, and what is said of them.
//!
//! The protocol is that of Azure's Linux agent (github.com/Azure/WALinuxAgent): the WireServer's XML and the
//! HostGAPlugin's JSON are two forms of one [`GoalState`], so they are both made of that and can't differ. The files that an
//! agent and a handler share on the VM's disk are in [`handler`].

pub mod goal_state;
pub mod handler;
pub mod names;
pub mod package_manifest;
pub mod protected;
pub mod status_blob;
pub mod substatus;
mod unreadable;
pub mod vm_settings;
mod xml;

pub use unreadable::Unreadable;

pub use goal_state::{GoalState, Protected, WantedExtension, WantedState};

/// The version of the WireServer's protocol that agents speak.
pub const WIRE_VERSION: &str = "2012-11-30";
/// The version of the HostGAPlugin's that they speak.
pub const HOST_PLUGIN_VERSION: &str = "2015-09-01";
/// Where agents look for the WireServer.
pub const WIRE_ADDRESS: &str = "168.63.129.16";
/// The HostGAPlugin's port at that address.
pub const HOST_PLUGIN_PORT: u16 = 32526;
