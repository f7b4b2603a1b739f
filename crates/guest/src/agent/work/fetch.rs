//! A handler's package, from the host to its folder.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use contract::guest_agent::WantedExtension;
use contract::guest_agent::package_manifest::{Package, PackageManifest};

use super::{PAUSE, TRIES, Work, refused, told};
use crate::agent::folder::{HandlerFolder, HandlerState};
use crate::agent::host::{HostError, told as told_url};
use crate::agent::outcome::{DOWNLOAD, Outcome, PROCESSING};
use crate::agent::package;
use crate::disk::DiskError;
use crate::files;

/// The longest list of packages, in bytes.
const MAX_MANIFEST: usize = 1024 * 1024;
/// The largest package, in bytes.
const MAX_PACKAGE: usize = 64 << 20;

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
        let (path, into) = (folder.package(), folder.path());
        self.package(package, &path).await?;
        let file = File::open(&path).map_err(|why| refused(DiskError::Io { doing: "read", path, why }))?;
        let unpacked = tokio::task::spawn_blocking(move || package::unpack(BufReader::new(file), &into)).await;
        unpacked.map_err(|why| told(DOWNLOAD, &why))?.map_err(|why| told(DOWNLOAD, &why))?;
        folder.prepare().map_err(refused)?;
        folder.set_state(HandlerState::NotInstalled).map_err(refused)
    }

    /// Puts the package in its place, from the first of its addresses that has it as it should be.
    async fn package(&self, package: &Package, path: &Path) -> Result<(), Outcome> {
        let new = path.with_extension("zip.new");
        let mut last = Outcome::failed(DOWNLOAD, "[ExtensionDownloadError] the package has no address");
        for uri in &package.uris {
            match self.save(uri, &new).await {
                Ok(found) if package.sha256.as_ref().is_none_or(|wanted| *wanted == found) => {
                    let placed = fs::rename(&new, path);
                    return placed
                        .map_err(|why| refused(DiskError::Io { doing: "written", path: path.to_owned(), why }));
                }
                Ok(_) => {
                    last = Outcome::failed(
                        DOWNLOAD,
                        format!("[ExtensionDownloadError] {} isn't what was announced", told_url(uri)),
                    );
                }
                Err(why) => last = told(DOWNLOAD, &why),
            }
        }
        // Why it couldn't be had is what counts.
        drop(files::remove(&new));
        Err(last)
    }

    /// Writes what is at a URL into a file, and gives its SHA-256 in lower-case hexadecimal.
    async fn save(&self, url: &str, path: &Path) -> Result<String, HostError> {
        self.patiently(|| async {
            files::remove(path).map_err(HostError::Kept)?;
            let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            let mut file = opened.map_err(HostError::Kept)?;
            let mut digest = Context::new(&SHA256);
            let take = |piece: &[u8]| {
                digest.update(piece);
                file.write_all(piece)
            };
            self.host.stream(url, MAX_PACKAGE, take).await?;
            file.sync_all().map_err(HostError::Kept)?;
            Ok(digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
        })
        .await
    }

    async fn download(&self, url: &str, most: usize) -> Result<Bytes, HostError> {
        self.patiently(|| self.host.download(url, most)).await
    }

    async fn patiently<T, F: Future<Output = Result<T, HostError>>>(&self, load: impl Fn() -> F) -> F::Output {
        let mut attempt = 1;
        loop {
            match load().await {
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
