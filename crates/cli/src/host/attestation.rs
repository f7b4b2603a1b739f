//! Who signs the attested documents of a host's VMs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use authority::certificate::Certificate;
use authority::signer::SoftwareSigner;
use authority::signing_pool::SigningPool;
use control::attestation::{Attestation, DEFAULT_NAME, Naming, check_name};
use control::tls;
use domain::{SystemClock, Timestamp};
use toml::Spanned;

use super::config::{AttestationSection, Word};
use super::credential_file;
use super::error::ConfigError;
use super::inventory::Resolver;
use crate::data_dir::{DataDir, Said};
use crate::up::issuer_certificate::{self, IssuerCertificate};

/// Who signs, as a configuration names it.
pub(crate) enum Signing {
    /// A CA of this host's own makes what signs.
    Local {
        /// Where it lies.
        data: PathBuf,
        naming: Naming,
        /// Where its certificate is served.
        issuer_listen: Option<SocketAddr>,
    },
    /// Somebody made it.
    Given { signer: SoftwareSigner, certificate: Certificate },
}

/// What signs; nobody by default.
#[derive(Default)]
pub(crate) struct Signers {
    pub(crate) attestation: Option<Attestation>,
    /// The certificate of the CA, and where it is to be served.
    pub(crate) issuer: Option<(SocketAddr, IssuerCertificate)>,
    /// Held as long as the process is there.
    pub(crate) data: Option<DataDir>,
}

impl Resolver<'_> {
    pub(super) fn signing(&self, section: Spanned<AttestationSection>) -> Result<Signing, ConfigError> {
        let at = section.span();
        let AttestationSection { data_dir, certificate, name, issuer_url, issuer_listen } = section.into_inner();
        if let Some(listen) = issuer_listen.as_ref().filter(|listen| listen.get_ref().ip().is_unspecified()) {
            return Err(self.error(&listen.span(), "the CA's certificate is served at one address; name it"));
        }
        let of_the_ca = name.as_ref().or(issuer_url.as_ref()).map(Spanned::span);
        let of_the_ca = of_the_ca.or(issuer_listen.as_ref().map(Spanned::span));
        match (data_dir, certificate, of_the_ca) {
            (Some(folder), None, _) => {
                let named = |name: &Word| self.checked(name, check_name(name.get_ref()));
                let name = name.as_ref().map(named).transpose()?;
                let checked = |url: &Word| self.checked(url, issuer_certificate::url(url.get_ref()));
                let issuer_url = issuer_url.as_ref().map(checked).transpose()?;
                if let (Some(listen), None) = (&issuer_listen, &issuer_url) {
                    let text = "the CA's certificate is served at the path of issuer-url, which isn't said";
                    return Err(self.error(&listen.span(), text));
                }
                let naming = Naming { name: name.unwrap_or(DEFAULT_NAME.to_owned()), issuer_url };
                let issuer_listen = issuer_listen.map(Spanned::into_inner);
                Ok(Signing::Local { data: self.beside(folder.get_ref()), naming, issuer_listen })
            }
            (None, Some(file), None) => {
                let read = credential_file::read_signer(&self.beside(file.get_ref()), &SystemClock::new());
                let (signer, certificate) = read.map_err(|why| self.error(&file.span(), why))?;
                Ok(Signing::Given { signer, certificate })
            }
            (None, Some(_), Some(span)) => {
                Err(self.error(&span, "this goes with data-dir; a certificate of somebody's making says it already"))
            }
            (Some(folder), Some(_), _) => {
                Err(self
                    .error(&folder.span(), "attested documents are signed from data-dir or with certificate, not both"))
            }
            (None, None, span) => {
                let text = "[attestation] has a data-dir for a CA of this host's own, or a certificate";
                Err(self.error(&span.unwrap_or(at), text))
            }
        }
    }
}

impl Signing {
    /// Where the certificate of the CA is to be served.
    pub(crate) fn issuer_listen(&self) -> Option<SocketAddr> {
        match self {
            Self::Local { issuer_listen, .. } => *issuer_listen,
            Self::Given { .. } => None,
        }
    }

    /// When the certificate ends, where it isn't made anew before.
    pub(crate) fn ends(&self) -> Option<Timestamp> {
        match self {
            Self::Local { .. } => None,
            Self::Given { certificate, .. } => Some(certificate.not_after),
        }
    }

    /// Opens what signs, or makes it. It blocks.
    pub(crate) fn open(self, now: Timestamp) -> anyhow::Result<Signers> {
        let pool = SigningPool::start()?;
        match self {
            Self::Local { data, naming, issuer_listen } => {
                let data = DataDir::open_at(data, Said::Key).context("attested documents can't be signed")?;
                let folder = data.path().join("tls");
                let ca = tls::open_ca(&folder, now)?;
                let issuer = issuer_listen.zip(IssuerCertificate::of(&naming, &ca));
                let attestation = Attestation::open(&folder, &naming, pool, now)?;
                Ok(Signers { attestation: Some(attestation), issuer, data: Some(data) })
            }
            Self::Given { signer, certificate } => {
                let attestation = Attestation::given(Arc::new(signer), certificate, pool);
                Ok(Signers { attestation: Some(attestation), ..Signers::default() })
            }
        }
    }
}
