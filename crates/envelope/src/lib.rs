//! The cryptography of the guest-agent protocol: CMS envelopes, the PFX inside of one, self-signed certificates. And the
//! form of attested documents.
//!
//! A guest agent shows its transport certificate; the host answers with the machine's certificate and private key, as a
//! PFX without a password, sealed to that transport certificate. Protected settings are sealed to the machine's own
//! certificate. Nothing here is authenticated: an envelope says who may read it, not who wrote it.
//!
//! RSA keys wrap with PKCS#1 v1.5 and contents are AES-CBC, because that is what `openssl cms` and every agent of the
//! field reads. All of it is done by aws-lc-rs; the ASN.1 is that of the `cms` and `pkcs12` crates.

mod aes_cbc;
mod certificate;
mod enveloped_data;
mod error;
mod mac;
mod pbes2;
mod pfx;
mod signed_data;

#[cfg(test)]
mod openssl;

pub use certificate::{self_signed, thumbprint};
pub use enveloped_data::{open, seal};
pub use error::EnvelopeError;
pub use pfx::{open_pfx, pfx};
pub use signed_data::{SignedContent, issuer_access, signed};

/// The longest envelope or PFX that is made or read, in bytes.
pub const MAX_SEALED: usize = 1024 * 1024;
