//! The strict verifier of tokens that this authority made.
//!
//! The key decides the algorithm, never the token. The order is issuer, then the keys of that issuer, then the
//! signature, then the claims; a claim of the wrong type is an error and never absent.
//!
//! A client shows the same token again and again, and its signature costs more to check than all the rest of it: that
//! one was good is remembered, and nothing else is. Issuer, key and claims are looked at each time.

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use contract::jose;
use domain::clock::LEEWAY;
use domain::{ClientId, PrincipalId, TenantId, Timestamp};
use quick_cache::sync::Cache;
use serde_json::{Map, Value};

use crate::issuer::{Issuers, TokenVersion};
use crate::key_ring::{PublishedKey, Ring};

/// The longest token that is looked at, in bytes.
const MAX_LENGTH: usize = 16 * 1024;
/// The longest key id, in characters.
const MAX_KID: usize = 64;
/// How many good signatures are remembered.
const REMEMBERED: usize = 1_024;

/// Who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    /// The tenant.
    pub tenant: TenantId,
    /// The principal. With the tenant it is the whole identity: no other claim decides anything.
    pub principal_id: PrincipalId,
    /// The client.
    pub client_id: ClientId,
    /// The end of its life.
    pub expires_on: Timestamp,
}

/// Why a token isn't believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// It isn't a signed JWT of the one kind there is.
    #[error("it is not a token of this authority")]
    Malformed,
    /// A header member that decides over the key.
    #[error("its header asks for another key or algorithm")]
    Header,
    /// Its issuer isn't the tenant's.
    #[error("its issuer is not this authority")]
    Issuer,
    /// No published key of the issuer has its id.
    #[error("no key of the issuer has its key id")]
    UnknownKey,
    /// The signature is wrong.
    #[error("its signature does not verify")]
    Signature,
    /// A claim is missing or has the wrong type.
    #[error("the claim '{0}' is missing or has the wrong type")]
    Claim(&'static str),
    /// It is for another tenant.
    #[error("it is for another tenant")]
    Tenant,
    /// It is for another resource.
    #[error("it is for another resource")]
    Audience,
    /// It is outside of its time.
    #[error("it is outside of its time")]
    Time,
}

/// Signatures that were found good, by a digest of all that made them so.
#[derive(Debug)]
pub(crate) struct GoodSignatures(Cache<[u8; SHA256_OUTPUT_LEN], ()>);

impl Default for GoodSignatures {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl GoodSignatures {
    /// Whether a signature is good, known or found out now. One that isn't leaves nothing behind.
    fn holds(&self, key: &PublishedKey, signed: &[u8], signature: &[u8]) -> bool {
        let mut digest = Context::new(&SHA256);
        for part in [&key.n, &key.e, signed, signature] {
            // Its length first: no two rows of parts run together into the same bytes.
            digest.update(&part.len().to_be_bytes());
            digest.update(part);
        }
        let mut known = [0; SHA256_OUTPUT_LEN];
        known.copy_from_slice(digest.finish().as_ref());
        if self.0.get(&known).is_some() {
            return true;
        }
        let key = RsaPublicKeyComponents { n: &key.n, e: &key.e };
        let good = key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok();
        if good {
            self.0.insert(known, ());
        }
        good
    }
}

/// Verifies a token for a tenant and any of these audiences.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(
    token: &str,
    ring: &Ring,
    issuers: &Issuers,
    tenant: TenantId,
    audiences: &[&str],
    now: Timestamp,
) -> Result<VerifiedToken, TokenRefusal> {
    if token.len() > MAX_LENGTH {
        return Err(TokenRefusal::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenRefusal::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenRefusal::Malformed)?;
    let object = |part: &str| {
        let bytes = jose::decode(part).ok_or(TokenRefusal::Malformed)?;
        jose::object(&bytes).map_err(|_| TokenRefusal::Malformed)
    };
    let (header, claims) = (object(header)?, object(claims)?);
    let signature = jose::decode(signature).ok_or(TokenRefusal::Malformed)?;
    let kid = key_id(&header)?;

    let issuer = text(&claims, "iss")?;
    let version = [TokenVersion::V1, TokenVersion::V2].into_iter().find(|v| issuers.issuer(*v, tenant) == issuer);
    version.ok_or(TokenRefusal::Issuer)?;
    let key =
        ring.published.iter().find(|key| key.kid == kid && key.issuer == issuers.v1).ok_or(TokenRefusal::UnknownKey)?;
    if !ring.good.holds(key, signed.as_bytes(), &signature) {
        return Err(TokenRefusal::Signature);
    }

    if text(&claims, "tid")?.parse() != Ok(tenant) {
        return Err(TokenRefusal::Tenant);
    }
    let audience = text(&claims, "aud")?;
    if !audiences.contains(&audience) {
        return Err(TokenRefusal::Audience);
    }
    let (exp, nbf) = (seconds(&claims, "exp")?, seconds(&claims, "nbf")?);
    seconds(&claims, "iat")?;
    if now.minus(LEEWAY).unix() >= exp || now.plus(LEEWAY).unix() < nbf {
        return Err(TokenRefusal::Time);
    }
    let client = if claims.contains_key("azp") { "azp" } else { "appid" };
    Ok(VerifiedToken {
        tenant,
        principal_id: text(&claims, "oid")?.parse().map_err(|_| TokenRefusal::Claim("oid"))?,
        client_id: text(&claims, client)?.parse().map_err(|_| TokenRefusal::Claim("appid"))?,
        expires_on: Timestamp::from_unix(exp),
    })
}

fn key_id(header: &Map<String, Value>) -> Result<&str, TokenRefusal> {
    let known = ["alg", "kid", "typ", "x5t"];
    if header.keys().any(|name| !known.contains(&name.as_str())) {
        return Err(TokenRefusal::Header);
    }
    if header.get("alg").and_then(Value::as_str) != Some("RS256") {
        return Err(TokenRefusal::Header);
    }
    let kid = header.get("kid").and_then(Value::as_str).ok_or(TokenRefusal::UnknownKey)?;
    let sound = kid.len() <= MAX_KID && kid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if sound { Ok(kid) } else { Err(TokenRefusal::UnknownKey) }
}

fn text<'c>(claims: &'c Map<String, Value>, name: &'static str) -> Result<&'c str, TokenRefusal> {
    claims.get(name).and_then(Value::as_str).ok_or(TokenRefusal::Claim(name))
}

/// A whole number of seconds: no string, no fraction.
fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<i64, TokenRefusal> {
    claims.get(name).and_then(Value::as_i64).ok_or(TokenRefusal::Claim(name))
}

#[cfg(test)]
mod tests {
    use crate::signer::{NewKey, Signer, SoftwareSigner};

    use super::*;

    fn key() -> (SoftwareSigner, PublishedKey) {
        let made = NewKey::generate("test", Timestamp::from_unix(0), Timestamp::from_unix(1)).unwrap();
        let (n, e) = made.certificate.modulus_and_exponent().unwrap();
        let key = PublishedKey { kid: made.certificate.kid(), issuer: String::new(), n, e };
        (SoftwareSigner::new(key.kid.clone(), &made.pkcs8).unwrap(), key)
    }

    #[test]
    fn a_good_signature_is_remembered_and_nothing_else() {
        let ((signer, own), (_, other)) = (key(), key());
        let signature = signer.sign(b"text").unwrap();
        let good = GoodSignatures::default();
        for _ in 0..2 {
            assert!(good.holds(&own, b"text", &signature));
            assert_eq!(good.0.len(), 1);
            assert!(!good.holds(&other, b"text", &signature), "another key");
            assert!(!good.holds(&own, b"tex", &signature), "another text");
            assert!(!good.holds(&own, b"text", signature.get(1..).unwrap()), "another signature");
            assert_eq!(good.0.len(), 1, "what isn't good leaves nothing behind");
        }
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let good = GoodSignatures::default();
        for number in 0..4 * REMEMBERED {
            let mut digest = [0; SHA256_OUTPUT_LEN];
            digest.first_chunk_mut().map(|first| *first = number.to_be_bytes()).unwrap();
            good.0.insert(digest, ());
        }
        assert!(good.0.len() <= REMEMBERED);
    }
}
