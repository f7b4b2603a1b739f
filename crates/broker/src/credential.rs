//! An identity's credential: a key and the certificate that the authority knows. The extension's lies on the VM's disk, the
//! metadata service's on its host.
//!
//! It is good for one thing: to sign client assertions for the authority
//! (MicrosoftDocs/entra-docs `certificate-credentials.md`). Whoever reads the disk can sign too, until the
//! certificate is revoked or runs out; for a VM's disk the move to the metadata service ends that.

use std::fmt;

use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{ManagedIdentity, ResourceId, Timestamp};
use serde::Serialize;
use uuid::Uuid;
use zeroize::Zeroizing;

/// How long an assertion is good, in seconds: as long as the Azure libraries make theirs.
const ASSERTION_LIFE: i64 = 600;

/// A credential as it is kept.
pub struct NewCredential {
    /// Whose it is.
    pub identity: ManagedIdentity,
    /// The VM it is for.
    pub vm: ResourceId,
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// The private key, PKCS#8 DER.
    pub key: Zeroizing<Vec<u8>>,
    /// The end of the certificate's life.
    pub not_after: Timestamp,
}

/// A credential that can sign.
pub struct Credential {
    /// Whose it is.
    pub identity: ManagedIdentity,
    /// The VM it is for.
    pub vm: ResourceId,
    /// The end of the certificate's life.
    pub not_after: Timestamp,
    thumbprint: String,
    key: KeyPair,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("identity", &self.identity.client_id)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl Credential {
    /// Makes a stored credential usable.
    ///
    /// # Errors
    /// When the key isn't a sound RSA key.
    pub fn open(stored: &NewCredential) -> Result<Self, KeyRejected> {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &stored.certificate);
        Ok(Self {
            identity: stored.identity.clone(),
            vm: stored.vm.clone(),
            not_after: stored.not_after,
            thumbprint: URL_SAFE_NO_PAD.encode(digest),
            key: KeyPair::from_pkcs8(&stored.key)?,
        })
    }

    /// The public key of its private one, PKCS#1 DER: that of the certificate, unless the two don't belong together.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    /// A signed client assertion (PS256, `x5t#S256`) for an audience, the token endpoint's URL. `id` becomes
    /// its `jti`. Signing takes a fraction of a millisecond of CPU: not for the reactor.
    ///
    /// # Errors
    /// When signing fails, which is a failure of this machine.
    pub fn assertion(&self, audience: &str, now: Timestamp, id: Uuid) -> Result<Zeroizing<String>, Unspecified> {
        let header = Header { alg: "PS256", typ: "JWT", thumbprint: &self.thumbprint };
        let client_id = self.identity.client_id.to_string();
        let claims = Claims {
            aud: audience,
            iss: &client_id,
            sub: &client_id,
            jti: id.to_string(),
            iat: now.unix(),
            nbf: now.unix(),
            exp: now.unix().saturating_add(ASSERTION_LIFE),
        };
        let mut jwt = Zeroizing::new(String::with_capacity(1_024));
        encode(&header, &mut jwt)?;
        jwt.push('.');
        encode(&claims, &mut jwt)?;
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), jwt.as_bytes(), &mut signature)?;
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
        Ok(jwt)
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(rename = "x5t#S256")]
    thumbprint: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

fn encode(part: &impl Serialize, into: &mut String) -> Result<(), Unspecified> {
    let json = serde_json::to_vec(part).map_err(|_| Unspecified)?;
    URL_SAFE_NO_PAD.encode_string(json, into);
    Ok(())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
    use domain::IdentityKind;

    use super::*;

    #[test]
    fn an_assertion_says_what_the_authority_wants_and_verifies() {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let vm = ResourceId::parse("/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/dev").unwrap();
        let pkcs8: Pkcs8V1Der<'_> = key.as_der().unwrap();
        let stored = NewCredential {
            identity: ManagedIdentity {
                kind: IdentityKind::SystemAssigned,
                id: vm.clone(),
                tenant: "00000000-0000-4000-8000-000000000002".parse().unwrap(),
                principal_id: "00000000-0000-4000-8000-000000000003".parse().unwrap(),
                client_id: "00000000-0000-4000-8000-000000000004".parse().unwrap(),
            },
            vm,
            certificate: b"not looked into".to_vec(),
            key: Zeroizing::new(pkcs8.as_ref().to_vec()),
            not_after: Timestamp::from_unix(2_000_000_000),
        };
        let credential = Credential::open(&stored).unwrap();
        let jwt = credential.assertion("https://a/t", Timestamp::from_unix(1_800_000_000), Uuid::nil()).unwrap();
        let parts: Vec<_> = jwt.split('.').collect();
        let decode = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        assert_eq!(
            decode(parts[0]),
            r#"{"alg":"PS256","typ":"JWT","x5t#S256":"THUMB"}"#.replace(
                "THUMB",
                &URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"not looked into"))
            )
        );
        assert_eq!(
            decode(parts[1]),
            "{\"aud\":\"https://a/t\",\"iss\":\"00000000-0000-4000-8000-000000000004\",\
             \"sub\":\"00000000-0000-4000-8000-000000000004\",\"jti\":\"00000000-0000-0000-0000-000000000000\",\
             \"iat\":1800000000,\"nbf\":1800000000,\"exp\":1800000600}"
        );
        let (signed, signature) = jwt.rsplit_once('.').unwrap();
        let public = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key.public_key().as_ref());
        public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        assert!(!format!("{credential:?}").contains("key"));
    }
}
