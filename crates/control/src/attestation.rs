//! What signs the attested documents of VMs: a key of its own with a certificate below the local CA, or one that somebody made
//! for it.
//!
//! Relying parties look at the names in the certificate and fetch its issuer from where it says (MicrosoftDocs/
//! azure-compute-docs `instance-metadata-service.md`; spiffe/spire `pkg/server/plugin/nodeattestor/azureimds`), so both are
//! configuration. The local certificate is made anew when they change or it ends soon; the key stays with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use authority::certificate::Certificate;
use authority::signer::{NewKey, Signer, SoftwareSigner};
use authority::signing_pool::{PoolError, SigningPool};
use domain::Timestamp;
use envelope::{EnvelopeError, SignedContent};
use rcgen::{CustomExtension, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, DnsName, PrivatePkcs8KeyDer};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::private_file;
use crate::tls::{self, TlsError};

/// What the certificate says unless told otherwise.
pub const DEFAULT_NAME: &str = "metadata.azure.com";
/// How long the certificate lives.
const LIFE: Duration = Duration::from_secs(90 * 86_400);
/// How long before its end another is made, or is to be.
pub const RENEW_BEFORE: Duration = Duration::from_secs(30 * 86_400);
/// How long after one could not be made it is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(3_600);
/// How often it is told that one of somebody's making ends soon or has ended.
const TELL_AGAIN: Duration = Duration::from_secs(86_400);
/// The longest common name, in characters (RFC 5280 appendix A, `ub-common-name`).
const LONGEST_NAME: usize = 64;
/// `authorityInfoAccess` (RFC 5280 §4.2.2.1).
const AUTHORITY_INFO_ACCESS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];

/// What the certificate is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// Its common name and only DNS name, as [`check_name`] has it.
    pub name: String,
    /// Where the issuer's certificate is to be had, when that is to be said.
    pub issuer_url: Option<String>,
}

/// Why a word isn't the name of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not a DNS name of at most {LONGEST_NAME} characters, such as metadata.azure.com or *.metadata.azure.com"
)]
pub struct InvalidName;

/// Reads the name of a certificate: a DNS name, whose first label may be `*` (RFC 6125 §6.4.3) as in Azure's own.
///
/// # Errors
/// When it is another word.
pub fn check_name(text: &str) -> Result<String, InvalidName> {
    let fits = text.len() <= LONGEST_NAME && !text.ends_with('.');
    let is_name = fits && DnsName::try_from(text.strip_prefix("*.").unwrap_or(text)).is_ok();
    if is_name { Ok(text.to_owned()) } else { Err(InvalidName) }
}

/// Signs attested documents.
pub struct Attestation {
    /// Where the local CA is, and what its certificate is to say.
    local: Option<(PathBuf, Naming)>,
    pool: SigningPool,
    made: Mutex<Made>,
}

/// A key with its certificate.
struct Made {
    signer: Arc<dyn Signer>,
    certificate: CertificateDer<'static>,
    /// When the certificate ends.
    until: Timestamp,
    /// When it is looked at next, because it ends soon.
    look_at: Timestamp,
}

/// Why a document isn't signed.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// No signature was made.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The certificate has ended, and there is no other.
    #[error("the certificate of attested documents has ended")]
    Ended,
    /// The signature could not be put into its form.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
}

impl Attestation {
    /// Opens key and certificate in the folder of the local CA, which must be there ([`tls::open`]), making what isn't
    /// there or ends soon.
    ///
    /// # Errors
    /// When a file can't be read or written, or isn't what it must be.
    pub fn open(folder: &Path, naming: &Naming, pool: SigningPool, now: Timestamp) -> Result<Self, TlsError> {
        let made = Mutex::new(Made::open(folder, naming, now)?);
        Ok(Self { local: Some((folder.to_owned(), naming.clone())), pool, made })
    }

    /// Signs with a key and a certificate that somebody made, until that ends.
    #[must_use]
    pub fn given(signer: Arc<dyn Signer>, certificate: Certificate, pool: SigningPool) -> Self {
        let until = certificate.not_after;
        let certificate = CertificateDer::from(certificate.der);
        let made = Made { signer, certificate, until, look_at: until.minus(RENEW_BEFORE) };
        Self { local: None, pool, made: Mutex::new(made) }
    }

    /// A text with its signature and the certificate: CMS, DER. The certificate is [looked after](Self::look_after) first.
    ///
    /// # Errors
    /// When the certificate has ended, too many wait already, or the key can't be used.
    pub async fn sign(&self, content: Vec<u8>, now: Timestamp) -> Result<Vec<u8>, AttestError> {
        let (signer, certificate) = self.current(now).await?;
        let (content, signature) = self.pool.sign(signer, content).await?;
        Ok(envelope::signed(SignedContent { content: &content, certificate: &certificate, signature: &signature })?)
    }

    /// Makes a certificate that ends soon anew. One that somebody made can't be: the log tells of it once a day, from 30
    /// days before its end on.
    pub async fn look_after(&self, now: Timestamp) {
        self.made.lock().await.look_after(self.local.as_ref(), now).await;
    }

    async fn current(&self, now: Timestamp) -> Result<(Arc<dyn Signer>, CertificateDer<'static>), AttestError> {
        let mut made = self.made.lock().await;
        made.look_after(self.local.as_ref(), now).await;
        if made.until <= now {
            return Err(AttestError::Ended);
        }
        Ok((Arc::clone(&made.signer), made.certificate.clone()))
    }
}

impl Made {
    async fn look_after(&mut self, local: Option<&(PathBuf, Naming)>, now: Timestamp) {
        if now <= self.look_at {
            return;
        }
        let Some((folder, naming)) = local.cloned() else {
            self.tell(now);
            return;
        };
        self.look_at = now.plus(TRY_AGAIN);
        match tokio::task::spawn_blocking(move || Self::open(&folder, &naming, now)).await {
            Ok(Ok(new)) => *self = new,
            Ok(Err(error)) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(
                    error,
                    "the certificate of attested documents can't be made anew; trying again in an hour"
                );
            }
            Err(error) => tracing::error!(%error, "the making of a certificate ended badly"),
        }
    }

    /// Tells that a certificate of somebody's making ends soon or has ended.
    fn tell(&mut self, now: Timestamp) {
        let (until, next) = (self.until, now.plus(TELL_AGAIN));
        if until <= now {
            self.look_at = next;
            tracing::error!(
                "the certificate of attested documents has ended, and none is signed; replace it and start again"
            );
        } else {
            // The end itself is told when it is there.
            self.look_at = next.min(until.minus(Duration::from_secs(1)));
            let days = until.since(now).as_secs() / 86_400;
            tracing::warn!(days, "the certificate of attested documents ends soon; replace it and start again");
        }
    }

    fn open(folder: &Path, naming: &Naming, now: Timestamp) -> Result<Self, TlsError> {
        let failed = |why| TlsError::Ca { folder: folder.to_owned(), why };
        let (certificate_file, key_file) = (folder.join("attested.pem"), folder.join("attested.key"));
        let wanted = format!("# {} {} until ", naming.name, naming.issuer_url.as_deref().unwrap_or("-"));
        let kept = match (private_file::read(&certificate_file)?, private_file::read(&key_file)?) {
            (Some(pem), Some(key)) if tls::is_good(&pem, &wanted, now, RENEW_BEFORE) => Some((pem, key)),
            _ => None,
        };
        let (pem, key) = match kept {
            Some(kept) => kept,
            None => {
                let issuer = tls::issuer(folder, now)?;
                let until = now.plus(LIFE);
                let new =
                    NewKey::generate(&naming.name, now, until).map_err(|_| failed(rcgen::Error::RemoteKeyError))?;
                let key = KeyPair::from_pkcs8_der_and_sign_algo(
                    &PrivatePkcs8KeyDer::from(new.pkcs8.as_slice()),
                    &PKCS_RSA_SHA256,
                )
                .map_err(failed)?;
                let params = params(naming, now).map_err(failed)?;
                let certificate = params.signed_by(&key, &issuer).map_err(failed)?;
                let pem = Zeroizing::new(format!("{wanted}{until}\n{}", certificate.pem()));
                let key = Zeroizing::new(key.serialize_pem());
                private_file::write(&key_file, &key)?;
                private_file::write(&certificate_file, &pem)?;
                (pem, key)
            }
        };
        let pem_error = |path: PathBuf| move |why| TlsError::Pem { path, why };
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(pem_error(certificate_file))?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).map_err(pem_error(key_file))?;
        let signer = SoftwareSigner::new("attested".to_owned(), key.secret_pkcs8_der());
        let signer = Arc::new(signer.map_err(|_| failed(rcgen::Error::CouldNotParseKeyPair))?);
        let until = tls::until(&pem, &wanted).unwrap_or(now);
        Ok(Self { signer, certificate, until, look_at: until.minus(RENEW_BEFORE) })
    }
}

fn params(naming: &Naming, now: Timestamp) -> Result<rcgen::CertificateParams, rcgen::Error> {
    let mut params = rcgen::CertificateParams::new(vec![naming.name.clone()])?;
    params.distinguished_name = tls::name(&naming.name);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    (params.not_before, params.not_after) = tls::life(now, LIFE);
    if let Some(url) = &naming.issuer_url {
        let content = envelope::issuer_access(url)
            .map_err(|_| rcgen::Error::InvalidAsn1String(rcgen::InvalidAsn1String::Ia5String(url.clone())))?;
        params.custom_extensions.push(CustomExtension::from_oid_content(AUTHORITY_INFO_ACCESS, content));
    }
    Ok(params)
}
