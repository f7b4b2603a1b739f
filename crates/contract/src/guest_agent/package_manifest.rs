//! Which packages there are of an extension.

use super::xml::Escaped as E;

/// The largest manifest that is read.
const MAX: usize = 1 << 20;

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
        for Package { version, uris } in &self.packages {
            let uris: String = uris.iter().map(|uri| format!("<Uri>{}</Uri>", E(uri))).collect();
            plugins += &format!("<Plugin><Version>{}</Version><Uris>{uris}</Uris></Plugin>", E(version));
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
        let mut packages = Vec::new();
        for plugin in document.descendants().filter(|node| node.has_tag_name("Plugin")) {
            let texts = |name: &'static str| {
                let named = plugin.descendants().filter(move |node| node.has_tag_name(name));
                named.filter_map(|node| Some(node.text()?.trim().to_owned())).filter(|text| !text.is_empty())
            };
            let version = texts("Version").next().ok_or(InvalidManifest::Missing("a version"))?;
            let uris: Vec<String> = texts("Uri").collect();
            if uris.is_empty() {
                return Err(InvalidManifest::Missing("an address"));
            }
            packages.push(Package { version, uris });
        }
        Ok(Self { packages })
    }

    /// A version's package.
    #[must_use]
    pub fn package(&self, version: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.version == version)
    }
}
