//! What can go wrong.

/// An envelope, a PFX or a certificate could not be made or read.
///
/// No variant holds a byte of what was sealed, and everything that depends on the private key, on a password or on
/// padding is the one variant [`EnvelopeError::Closed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The certificate can't be read, or its key isn't RSA with 2048 to 8192 bits.
    #[error("it is not a certificate with an RSA key of 2048 to 8192 bits")]
    Certificate,
    /// The private key isn't an RSA key in PKCS#8.
    #[error("it is not a private RSA key in PKCS#8")]
    PrivateKey,
    /// It is longer than [`MAX_SEALED`](crate::MAX_SEALED), or would become so.
    #[error("it is larger than 1 MiB")]
    TooLarge,
    /// It isn't DER of the expected shape.
    #[error("it is not DER of the expected shape")]
    Malformed,
    /// It uses an algorithm that isn't taken.
    #[error("it uses an algorithm that is not supported")]
    Unsupported,
    /// It doesn't open: sealed to another key, or changed on its way.
    #[error("it does not open with this key")]
    Closed,
    /// The crypto library or its random generator failed.
    #[error("the crypto library failed")]
    Crypto,
}

impl From<aws_lc_rs::error::Unspecified> for EnvelopeError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Crypto
    }
}
