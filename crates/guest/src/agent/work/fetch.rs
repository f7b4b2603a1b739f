//! A handler's package, from the host to its folder.

use std::io::Cursor;

use bytes::Bytes;
use contract::guest_agent::WantedExtension;
use contract::guest_agent::package_manifest::{Package, PackageManifest};

use super::{PAUSE, TRIES, Work, refused, told};
use crate::agent::folder::{HandlerFolder, HandlerState};
use crate::agent::host::{self, HostError};
use crate::agent::outcome::{DOWNLOAD, Outcome, PROCESSING};
use crate::agent::package;
use crate::disk::{DiskError, write_atomically};

/// The longest list of packages, in bytes.
const MAX_MANIFEST: usize = 1024 * 1024;
/// The largest package, in bytes.
const MAX_PACKAGE: usize = 128 * 1024 * 1024;

impl Work {
    /// Downloads a version's package and unpacks it, ready for its first command.
    pub(super) async fn fetch(&self, wanted: &WantedExtension, folder: &HandlerFolder) -> Result<(), Outcome> {
        let manifest = self.download(&wanted.manifest_url, MAX_MANIFEST).await.map_err(|why| told(DOWNLOAD, &why))?;
        let manifest = PackageManifest::parse(&manifest).map_err(|why| told(DOWNLOAD, &why))?;
        let (name, version) = (&wanted.name, &wanted.version);
        let package = manifest.package(version).ok_or_else(|| {
            let message = format!("[ExtensionError] Unable to find version {version} in manifest for extension {name}");
            Outcome::failed(PROCESSING, message)
        })?;
        let bytes = self.package(package).await?;
        let path = folder.package();
        let kept = write_atomically(&path, &bytes, 0o600);
        kept.map_err(|why| refused(DiskError::Io { doing: "written", path: path.clone(), why }))?;
        let into = folder.path();
        let unpacked = tokio::task::spawn_blocking(move || package::unpack(Cursor::new(bytes), &into)).await;
        unpacked.map_err(|why| told(DOWNLOAD, &why))?.map_err(|why| told(DOWNLOAD, &why))?;
        folder.prepare().map_err(refused)?;
        folder.set_state(HandlerState::NotInstalled).map_err(refused)
    }

    /// The package from the first of its addresses that has it as it should be.
    async fn package(&self, package: &Package) -> Result<Bytes, Outcome> {
        let mut last = Outcome::failed(DOWNLOAD, "[ExtensionDownloadError] the package has no address");
        for uri in &package.uris {
            match self.download(uri, MAX_PACKAGE).await {
                Ok(bytes) if is_whole(package, &bytes) => return Ok(bytes),
                Ok(_) => {
                    last = Outcome::failed(
                        DOWNLOAD,
                        format!("[ExtensionDownloadError] {} isn't what was announced", host::told(uri)),
                    );
                }
                Err(why) => last = told(DOWNLOAD, &why),
            }
        }
        Err(last)
    }

    async fn download(&self, url: &str, most: usize) -> Result<Bytes, HostError> {
        let mut attempt = 1;
        loop {
            match self.host.download(url, most).await {
                Err(HostError::Unreachable { url, why }) if attempt < TRIES => {
                    tracing::warn!(url, %why, attempt, "a download failed and is tried again");
                    attempt += 1;
                    self.time.pause(PAUSE).await;
                }
                done => return done,
            }
        }
    }
}

/// Whether it is what its digest says, where there is one.
fn is_whole(package: &Package, bytes: &[u8]) -> bool {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let found: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    package.sha256.as_ref().is_none_or(|wanted| *wanted == found)
}
