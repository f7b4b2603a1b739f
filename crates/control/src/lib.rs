//! The control plane: the authority's endpoints over HTTPS, its keys at rest, and what applies a seed.
//!
//! [`server`] speaks TLS with a certificate of the [`tls`] module's local CA; [`mod@router`] has every route.
//! [`keys`] keeps the signing keys in the store, wrapped, and moves them through their states.
//! [`vm_credential`] issues what the extension keeps on a VM's disk. [`seed`] puts a described world into the
//! store.

mod account;
mod agents;
mod answer;
mod app;
pub mod arm;
pub mod attestation;
mod client;
mod device_code;
mod device_login;
mod discovery;
pub mod external_issuer;
pub mod goal_state;
mod instance_discovery;
mod key_set;
pub mod keys;
pub mod metadata;
mod private_file;
mod public_client;
mod refresh_token;
pub mod router;
pub mod seed;
pub mod server;
mod settled;
mod tenant;
pub mod tls;
mod token_endpoint;
mod user_token;
pub mod vm_credential;

pub use agents::Agents;
pub use app::{App, Ids};
pub use device_code::DeviceCodes;
pub use router::router;
pub use settled::Settled;
