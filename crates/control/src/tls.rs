//! The local CA and the server's certificate: made on the first start, kept below the data directory.
//!
//! The CA stays the same, so that whoever trusts it goes on to; the server's certificate is renewed before it
//! ends. Keys are ECDSA P-256 and lie with mode 0600.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::private_file::{self, FileError};

const CA_FILE: &str = "ca.pem";
const CA_KEY_FILE: &str = "ca.key";
/// How long the CA's certificate lives.
const CA_LIFE: Duration = Duration::from_secs(10 * 365 * 86_400);
/// How long the server's certificate lives.
const SERVER_LIFE: Duration = Duration::from_secs(397 * 86_400);
/// With less than this left the server's certificate is renewed at the next start.
const RENEW_BEFORE: Duration = Duration::from_secs(60 * 86_400);

/// What the server needs to speak TLS.
#[derive(Clone)]
pub struct Identity {
    /// The configuration with the server's certificate and key.
    pub server: Arc<ServerConfig>,
    /// Where the CA's certificate is, PEM.
    pub ca_file: PathBuf,
    /// The CA's certificate.
    pub ca: CertificateDer<'static>,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A key or certificate could not be made or read.
    #[error("the local CA in {} can't be used; remove that folder to have a new one made", folder.display())]
    Ca {
        /// Where it is.
        folder: PathBuf,
        /// Why not.
        #[source]
        why: rcgen::Error,
    },
    /// A file isn't PEM.
    #[error("{} is not PEM; remove its folder to have a new one made", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        why: rustls_pki_types::pem::Error,
    },
    /// The TLS library refuses the certificate.
    #[error("the server's certificate can't be used")]
    Rustls(#[from] rustls::Error),
}

/// Opens the CA and the server's certificate in a folder, making what isn't there or ends soon. `addresses` are
/// those that the server listens on, beside localhost.
///
/// # Errors
/// When a file can't be read or written, or isn't what it must be.
pub fn open(folder: &Path, addresses: &[IpAddr], now: Timestamp) -> Result<Identity, TlsError> {
    let failed = |why| TlsError::Ca { folder: folder.to_owned(), why };
    let ca = open_ca(folder, now)?;
    let (server_file, server_key_file) = (folder.join("server.pem"), folder.join("server.key"));
    let names = names(addresses);
    // The first line says what the certificate is for and until when; it stands outside of the PEM.
    let wanted = format!("# {} until ", names.join(" "));
    let kept = match (private_file::read(&server_file)?, private_file::read(&server_key_file)?) {
        (Some(pem), Some(key)) if is_good(&pem, &wanted, now, RENEW_BEFORE) => Some((pem, key)),
        _ => None,
    };
    let (server_pem, server_key) = match kept {
        Some(kept) => kept,
        None => {
            let key = KeyPair::generate().map_err(failed)?;
            let issuer = issuer(folder, now)?;
            let until = now.plus(SERVER_LIFE);
            let certificate = server_params(names, now).map_err(failed)?.signed_by(&key, &issuer).map_err(failed)?;
            let pem = Zeroizing::new(format!("{wanted}{until}\n{}", certificate.pem()));
            let key = Zeroizing::new(key.serialize_pem());
            private_file::write(&server_key_file, &key)?;
            private_file::write(&server_file, &pem)?;
            (pem, key)
        }
    };
    let certificate = CertificateDer::from_pem_slice(server_pem.as_bytes()).map_err(not_pem(&server_file))?;
    let key = PrivateKeyDer::from_pem_slice(server_key.as_bytes()).map_err(not_pem(&server_key_file))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate, ca.clone()], key)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Identity { server: Arc::new(server), ca_file: folder.join(CA_FILE), ca })
}

/// Opens the CA in a folder, or makes it; its certificate.
///
/// # Errors
/// When a file can't be read or written, or isn't what it must be.
pub fn open_ca(folder: &Path, now: Timestamp) -> Result<CertificateDer<'static>, TlsError> {
    let failed = |why| TlsError::Ca { folder: folder.to_owned(), why };
    let (file, key_file) = (folder.join(CA_FILE), folder.join(CA_KEY_FILE));
    let pem = match (private_file::read(&file)?, private_file::read(&key_file)?) {
        (Some(pem), Some(key)) => {
            KeyPair::from_pem(&key).map_err(failed)?;
            pem
        }
        _ => {
            let key = KeyPair::generate().map_err(failed)?;
            let pem = Zeroizing::new(ca_params(now).self_signed(&key).map_err(failed)?.pem());
            private_file::write(&key_file, &Zeroizing::new(key.serialize_pem()))?;
            private_file::write(&file, &pem)?;
            pem
        }
    };
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(not_pem(&file))
}

fn not_pem(path: &Path) -> impl FnOnce(rustls_pki_types::pem::Error) -> TlsError {
    let path = path.to_owned();
    move |why| TlsError::Pem { path, why }
}

/// The local CA, which must be there, as the issuer of a certificate.
pub(crate) fn issuer(folder: &Path, now: Timestamp) -> Result<Issuer<'static, KeyPair>, TlsError> {
    let failed = |why| TlsError::Ca { folder: folder.to_owned(), why };
    let key =
        private_file::read(&folder.join(CA_KEY_FILE))?.ok_or_else(|| failed(rcgen::Error::CouldNotParseKeyPair))?;
    Ok(Issuer::new(ca_params(now), KeyPair::from_pem(&key).map_err(failed)?))
}

/// Every host and port under which the server is reached: the names in its certificate.
#[must_use]
pub fn hosts(addresses: &[SocketAddr]) -> Vec<String> {
    let ips: Vec<_> = addresses.iter().map(SocketAddr::ip).collect();
    let Some(port) = addresses.first().map(SocketAddr::port) else { return Vec::new() };
    let host = |name: String| match name.parse() {
        Ok(IpAddr::V6(_)) => format!("[{name}]"),
        Ok(IpAddr::V4(_)) | Err(_) => name,
    };
    // Clients leave the port of https out.
    let with_port = |host: String| if port == 443 { host } else { format!("{host}:{port}") };
    names(&ips).into_iter().map(host).map(with_port).collect()
}

fn names(addresses: &[IpAddr]) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    for address in addresses.iter().filter(|address| !address.is_unspecified()) {
        let name = address.to_string();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Whether a file's first line says what is wanted, with an end that isn't near.
pub(crate) fn is_good(pem: &str, wanted: &str, now: Timestamp, renew_before: Duration) -> bool {
    until(pem, wanted).is_some_and(|until| until.since(now) >= renew_before)
}

/// The end that a file's first line tells behind what is wanted.
pub(crate) fn until(pem: &str, wanted: &str) -> Option<Timestamp> {
    pem.lines().next()?.strip_prefix(wanted)?.parse().ok().map(Timestamp::from_unix)
}

fn ca_params(now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name("symbolon local CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = life(now, CA_LIFE);
    params
}

fn server_params(names: Vec<String>, now: Timestamp) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = name("localhost");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params.not_before, params.not_after) = life(now, SERVER_LIFE);
    Ok(params)
}

pub(crate) fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "symbolon");
    name.push(DnType::CommonName, common);
    name
}

/// From a day ago, for clocks that are behind.
pub(crate) fn life(now: Timestamp, life: Duration) -> (OffsetDateTime, OffsetDateTime) {
    let date = |at: Timestamp| OffsetDateTime::from_unix_timestamp(at.unix()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    (date(now.minus(Duration::from_secs(86_400))), date(now.plus(life)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_what_the_certificate_is_for() {
        let hosts = |address: &str| hosts(&[address.parse().unwrap()]).join(" ");
        assert_eq!(hosts("127.0.0.1:16926"), "localhost:16926 127.0.0.1:16926 [::1]:16926");
        assert_eq!(hosts("127.0.0.2:1"), "localhost:1 127.0.0.1:1 [::1]:1 127.0.0.2:1");
        assert_eq!(hosts("[fd00::1]:443"), "localhost 127.0.0.1 [::1] [fd00::1]");
    }

    #[test]
    fn the_ca_stays_and_the_servers_certificate_is_renewed_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let start = Timestamp::from_unix(1_800_000_000);
        let server = |folder: &Path| std::fs::read_to_string(folder.join("server.pem")).unwrap();
        let first = open(folder.path(), &[], start).unwrap();
        let kept = server(folder.path());
        let second = open(folder.path(), &[], start.plus(Duration::from_secs(86_400))).unwrap();
        assert_eq!((first.ca.clone(), server(folder.path())), (second.ca, kept.clone()));
        let later = open(folder.path(), &[], start.plus(SERVER_LIFE - Duration::from_secs(86_400))).unwrap();
        assert_eq!(first.ca, later.ca);
        assert_ne!(server(folder.path()), kept);
        let renewed = server(folder.path());
        open(folder.path(), &["127.0.1.7".parse().unwrap()], start.plus(SERVER_LIFE)).unwrap();
        assert_ne!(server(folder.path()), renewed, "another address needs another certificate");
    }
}
