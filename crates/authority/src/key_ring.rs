//! The signing keys of an installation as they are now: one signs, some are published.
//!
//! Readers take a snapshot without a lock; a rotation puts a new ring in the old one's place.

use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::oidc::{Jwks, PublicJwk};
use domain::{KeyState, SigningKeyRecord};

use crate::certificate::{Certificate, InvalidCertificate};
use crate::kek::{Kek, KekError, KeyAad};
use crate::signer::{KeyError, Signer, SoftwareSigner};
use crate::verify::GoodSignatures;

/// The keys of an installation.
#[derive(Debug)]
pub struct KeyRing {
    ring: ArcSwap<Ring>,
}

/// The keys at one moment.
#[derive(Debug)]
pub struct Ring {
    /// The key that signs.
    pub active: Arc<dyn Signer>,
    /// Everything that verifies.
    pub published: Vec<PublishedKey>,
    /// The key set of the v1 paths, ready.
    pub jwks_v1: Vec<u8>,
    /// The key set of the v2 paths, ready.
    pub jwks_v2: Vec<u8>,
    /// Signatures of these keys that were found good; forgotten with the keys.
    pub(crate) good: GoodSignatures,
}

/// A published key.
#[derive(Clone, Debug)]
pub struct PublishedKey {
    /// Its id.
    pub kid: String,
    /// The issuer template it is bound to.
    pub issuer: String,
    /// The modulus, unsigned.
    pub n: Vec<u8>,
    /// The exponent.
    pub e: Vec<u8>,
}

/// Why records don't make a ring.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// None of them signs.
    #[error("there is no active signing key")]
    NoActiveKey,
    /// A wrapped key doesn't open.
    #[error("the signing key {kid} can't be opened")]
    Kek {
        /// The key.
        kid: String,
        /// Why not.
        #[source]
        why: KekError,
    },
    /// A key or its certificate can't be used.
    #[error("the signing key {kid} can't be used")]
    Key {
        /// The key.
        kid: String,
        /// Why not.
        #[source]
        why: KeyError,
    },
    /// The key set can't be written.
    #[error("the key set can't be written")]
    Json(#[from] serde_json::Error),
}

/// What the wrapping of a record is bound to.
#[must_use]
pub fn aad(record: &SigningKeyRecord) -> KeyAad<'_> {
    KeyAad { kid: &record.kid, issuer: &record.issuer, purpose: &record.purpose, version: record.version }
}

impl KeyRing {
    /// A ring of these records. `key_set_issuer` is the `issuer` member of the v2 key set.
    ///
    /// # Errors
    /// When none signs, or one can't be used.
    pub fn open(records: &[SigningKeyRecord], kek: &dyn Kek, key_set_issuer: &str) -> Result<Self, RingError> {
        Ok(Self { ring: ArcSwap::from_pointee(Ring::open(records, kek, key_set_issuer)?) })
    }

    /// The keys now.
    #[must_use]
    pub fn load(&self) -> Arc<Ring> {
        self.ring.load_full()
    }

    /// Puts other keys in place.
    pub fn swap(&self, ring: Ring) {
        self.ring.store(Arc::new(ring));
    }
}

impl Ring {
    /// A ring of these records, before it is in anybody's place. The keys that wait must open too: one that doesn't
    /// would only be found out when it is to sign.
    ///
    /// # Errors
    /// When none signs, or one can't be used.
    pub fn open(records: &[SigningKeyRecord], kek: &dyn Kek, key_set_issuer: &str) -> Result<Self, RingError> {
        let active = records.iter().find(|record| record.state == KeyState::Active).ok_or(RingError::NoActiveKey)?;
        let active = signer(active, kek)?;
        for waiting in records.iter().filter(|record| record.state == KeyState::Next) {
            signer(waiting, kek)?;
        }
        let (mut published, mut jwks) = (Vec::new(), Jwks::default());
        // Whoever takes the first key takes the one that signs.
        let mut ordered: Vec<_> = records.iter().filter(|record| record.state.is_published()).collect();
        ordered.sort_by_key(|record| (record.state != KeyState::Active, record.state, &record.kid));
        for record in ordered {
            let unusable =
                |why: InvalidCertificate| RingError::Key { kid: record.kid.clone(), why: KeyError::Unreadable(why) };
            let certificate = Certificate::from_der(&record.certificate_der).map_err(unusable)?;
            let (n, e) = certificate.modulus_and_exponent().map_err(unusable)?;
            jwks.keys.push(PublicJwk {
                kty: "RSA",
                usage: "sig",
                alg: "RS256",
                kid: record.kid.clone(),
                x5t: record.kid.clone(),
                n: contract::jose::encode(&n),
                e: contract::jose::encode(&e),
                x5c: [STANDARD.encode(&record.certificate_der)],
                issuer: None,
            });
            published.push(PublishedKey { kid: record.kid.clone(), issuer: record.issuer.clone(), n, e });
        }
        let jwks_v1 = serde_json::to_vec(&jwks)?;
        for key in &mut jwks.keys {
            key.issuer = Some(key_set_issuer.to_owned());
        }
        let jwks_v2 = serde_json::to_vec(&jwks)?;
        Ok(Self { active: Arc::new(active), published, jwks_v1, jwks_v2, good: GoodSignatures::default() })
    }
}

fn signer(record: &SigningKeyRecord, kek: &dyn Kek) -> Result<SoftwareSigner, RingError> {
    let kid = || record.kid.clone();
    let private = kek.unwrap(&record.kek_id, &aad(record), &record.wrapped);
    let private = private.map_err(|why| RingError::Kek { kid: kid(), why })?;
    SoftwareSigner::new(kid(), &private).map_err(|why| RingError::Key { kid: kid(), why })
}
