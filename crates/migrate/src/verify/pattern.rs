//! What credentials and tokens look like in bytes.

use regex::bytes::Regex;

/// What is looked for in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A JSON Web Token, or what begins like one.
    Token,
    /// A private key in PEM (RFC 7468).
    PemKey,
    /// A private key in DER: PKCS#8 (RFC 5208), of RSA or an elliptic curve.
    DerKey,
    /// The same in base64, as the extension keeps it.
    Base64Key,
    /// A key with its certificate in a PKCS#12 file (RFC 7292).
    Pkcs12,
    /// Protected settings of an extension, sealed for the agent's key.
    SealedSettings,
}

impl Kind {
    /// In a few words.
    #[must_use]
    pub fn described(self) -> &'static str {
        match self {
            Self::Token => "a token",
            Self::PemKey => "a private key (PEM)",
            Self::DerKey => "a private key (PKCS#8)",
            Self::Base64Key => "a private key (PKCS#8 in base64)",
            Self::Pkcs12 => "a key with its certificate (PKCS#12)",
            Self::SealedSettings => "protected settings of an extension",
        }
    }
}

/// Each with what it looks like.
const LOOKS: [(Kind, &str); 6] = [
    // `{"` in base64 begins every header and every payload.
    (Kind::Token, r"eyJ[A-Za-z0-9_-]{16}"),
    (Kind::PemKey, r"-----BEGIN (?:[A-Z0-9]+ )?PRIVATE KEY-----"),
    // The version 0, and the algorithm: rsaEncryption, or ecPublicKey with its curve.
    (
        Kind::DerKey,
        r"(?s-u)\x02\x01\x00\x30(?:\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00|.\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06)",
    ),
    // The same in each of the three ways in which base64 can cut it.
    (
        Kind::Base64Key,
        r"AgEAMA0GCSqGSIb3DQEBAQUA|IBADANBgkqhkiG9w0BAQEFA|CAQAwDQYJKoZIhvcNAQEBBQ|AgEAM.{2}GByqGSM49AgE|IBADA.{2}BgcqhkjOPQIB|CAQAw.{2}YHKoZIzj0CAQ",
    ),
    // The version 3, and pkcs7-data.
    (Kind::Pkcs12, r"(?s-u)\x02\x01\x03\x30(?:\x82..|\x81.|.|\x80)\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"),
    (Kind::SealedSettings, r#""protectedSettings"\s*:\s*"[A-Za-z0-9+/=]{64}"#),
];

/// The patterns, ready to be looked for.
pub(super) struct Patterns(Vec<(Kind, Regex)>);

impl Patterns {
    pub(super) fn new() -> Result<Self, regex::Error> {
        LOOKS.iter().map(|(kind, look)| Ok((*kind, Regex::new(look)?))).collect::<Result<_, _>>().map(Self)
    }

    /// The first of each kind, and where it begins.
    pub(super) fn find(&self, bytes: &[u8]) -> impl Iterator<Item = (Kind, usize)> {
        self.0.iter().filter_map(|(kind, look)| Some((*kind, look.find(bytes)?.start())))
    }
}
