//! The control plane's words: errors, cloud metadata, the identity of a resource.
//!
//! What real clients send and need was recorded from azure-cli 2.91.0 and 2.45.0 and from the management SDKs for
//! Python; texts and codes are those of Microsoft's public documentation and of answers that others published.

pub mod cloud_metadata;
pub mod error;
pub mod identity;
pub mod time;

pub use error::{ArmError, Code};
pub use identity::{IdentityChange, InvalidIdentity, UserAssignedChange};
