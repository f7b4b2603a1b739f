//! Which packages there are of an extension.

use super::names::is_version;
use super::xml::Escaped as E;

/// The largest manifest that is read.
const MAX: usize = 1 << 20;
/// How many addresses of a package are kept.
const MAX_URIS: usize = 8;

/// The versions of an extension and where their packages are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageManifest {
    /// The versions.
    pub packages: Vec<Package>,
}

/// A version of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The full version.
    pub version: String,
    /// Where it is, one or more.
    pub uris: Vec<String>,
    /// The SHA-256 of the package in lower-case hexadecimal, where that is told. Azure's manifests don't, and its agent
    /// passes over it.
    pub sha256: Option<String>,
}

/// A manifest that isn't one.
#[derive(Debug, thiserror::Error)]
pub enum InvalidManifest {
    /// It isn't XML, or has a document type.
    #[error("the package manifest can't be read: {0}")]
    Xml(#[from] roxmltree::Error),
    /// It isn't text of a reasonable length.
    #[error("the package manifest is no text of at most {MAX} bytes")]
    Text,
    /// Something is missing.
    #[error("the package manifest has a package without {0}")]
    Missing(&'static str),
}

impl PackageManifest {
    /// The manifest, XML.
    #[must_use]
    pub fn xml(&self) -> String {
        let mut plugins = String::new();
        for Package { version, uris, sha256 } in &self.packages {
            let uris: String = uris.iter().map(|uri| format!("<Uri>{}</Uri>", E(uri))).collect();
            let digest = sha256.as_ref().map(|digest| format!("<Sha256>{}</Sha256>", E(digest))).unwrap_or_default();
            plugins += &format!("<Plugin><Version>{}</Version><Uris>{uris}</Uris>{digest}</Plugin>", E(version));
        }
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<PluginVersionManifest><Plugins>{plugins}</Plugins>\
             <InternalPlugins/></PluginVersionManifest>"
        )
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// When it isn't one. A document type is refused: it could have entities.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidManifest> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= MAX).ok_or(InvalidManifest::Text)?;
        let document = roxmltree::Document::parse(text.trim_start_matches('\u{feff}'))?;
        let named = |name: &'static str| move |node: &roxmltree::Node<'_, '_>| node.has_tag_name(name);
        let text = |node: roxmltree::Node<'_, '_>| {
            node.text().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let mut packages = Vec::new();
        for plugin in document.root_element().children().filter(named("Plugins")).flat_map(|list| list.children()) {
            if !plugin.has_tag_name("Plugin") {
                continue;
            }
            let child = |name| plugin.children().find(named(name)).and_then(text);
            let version = child("Version").ok_or(InvalidManifest::Missing("a version"))?;
            if !is_version(&version) {
                return Err(InvalidManifest::Missing("a version of numbers"));
            }
            let uris = plugin.children().filter(named("Uris")).flat_map(|list| list.children()).filter(named("Uri"));
            let uris: Vec<String> = uris.filter_map(text).take(MAX_URIS).collect();
            if uris.is_empty() {
                return Err(InvalidManifest::Missing("an address"));
            }
            packages.push(Package { version, uris, sha256: child("Sha256").map(|digest| digest.to_ascii_lowercase()) });
        }
        Ok(Self { packages })
    }

    /// A version's package.
    #[must_use]
    pub fn package(&self, version: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.version == version)
    }
}
