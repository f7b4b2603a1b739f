//! Signing keys, minting and verifying of tokens, client assertions, key sets.
//!
//! Nothing here opens a socket or a database. A private key exists in two forms: wrapped by a [`kek`] in a
//! record that may be stored anywhere, and parsed once inside a [`signer`]. No function gives its bytes away.
//!
//! * [`Authority`] mints: it takes a [`TokenSpec`] and signs on a bounded [`signing_pool`];
//! * [`key_ring`] knows which key signs and which are published, and has the key set as ready bytes;
//! * [`verify`] is the strict verifier of our own tokens, [`assertion`] the one of what clients sign;
//! * [`federated`] matches assertions of external issuers, [`secret`] checks client secrets.

pub mod assertion;
pub mod certificate;
pub mod federated;
mod id_token;
pub mod issuer;
pub mod kek;
pub mod key_ring;
mod mint;
pub mod secret;
pub mod signature;
pub mod signer;
pub mod signing_pool;
pub mod verify;

pub use id_token::IdTokenSpec;
pub use mint::{Account, Authority, BACKDATE, Evidence, MintError, MintedToken, Subject, TokenSpec};
