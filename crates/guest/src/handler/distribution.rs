//! Which Linux this is, for those who want the extension only where the document says that it is supported.

use std::path::Path;

use super::failure::{Code, Failure};
use crate::files;

/// The longest file that is read.
const MAX: u64 = 64 * 1024;

/// What the document lists: CoreOS Stable, CentOS 7.1, Red Hat 7.2, Ubuntu 15.04 and 16.04 (MicrosoftDocs/azure-docs
/// `howto-migrate-vm-extension.md`), by the `ID` and the `VERSION_ID` of their `os-release`. CoreOS doesn't say there
/// which of its channels it is from, and CentOS doesn't say its minor version.
const LISTED: [(&str, Option<&str>); 6] = [
    ("coreos", None),
    ("centos", Some("7")),
    ("centos", Some("7.1")),
    ("rhel", Some("7.2")),
    ("ubuntu", Some("15.04")),
    ("ubuntu", Some("16.04")),
];

/// A distribution as it calls itself; empty where it doesn't say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// Its name, such as `debian`.
    pub id: String,
    /// Its version.
    pub version: String,
}

/// Which one the machine runs whose files are below `root`.
#[must_use]
pub fn found(root: &Path) -> Distribution {
    let text = ["etc/os-release", "usr/lib/os-release"].iter().find_map(|file| {
        // The first is a link to the second on most machines, and links aren't followed by whoever reads a secret;
        // this is none.
        let path = std::fs::canonicalize(root.join(file)).ok()?;
        files::read(&path, MAX).ok()?
    });
    let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
    Distribution { id: value(&text, "ID").to_owned(), version: value(&text, "VERSION_ID").to_owned() }
}

/// Whether the machine whose files are below `root` runs one that the document lists.
///
/// # Errors
/// When it doesn't, or doesn't say what it runs.
pub fn check(root: &Path) -> Result<(), Failure> {
    let Distribution { id, version } = found(root);
    let listed = LISTED.iter().any(|(name, wanted)| id == *name && wanted.is_none_or(|wanted| version == wanted));
    if listed {
        return Ok(());
    }
    let id = if id.is_empty() { "a distribution that doesn't say which" } else { &id };
    let message = format!(
        "this is {id} {version}; the extension supports CoreOS Stable, CentOS 7.1, Red Hat 7.2, Ubuntu 15.04 and \
         Ubuntu 16.04, and the setting strictDistributions asks for one of these"
    );
    Err(Failure::new(Code::Distribution, message))
}

/// A value of os-release(5), without its quotes.
fn value<'t>(text: &'t str, name: &str) -> &'t str {
    let set = |line: &'t str| line.trim().strip_prefix(name)?.strip_prefix('=');
    text.lines().find_map(set).unwrap_or_default().trim().trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<(), Failure> {
        let root = tempfile::tempdir().unwrap();
        for folder in ["etc", "usr/lib"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        std::fs::write(root.path().join("usr/lib/os-release"), text).unwrap();
        std::os::unix::fs::symlink("../usr/lib/os-release", root.path().join("etc/os-release")).unwrap();
        check(root.path())
    }

    #[test]
    fn only_what_the_document_lists_passes() {
        let listed = [
            "NAME=\"Ubuntu\"\nVERSION_ID=\"16.04\"\nID=ubuntu\nID_LIKE=debian\n",
            "ID='ubuntu'\nVERSION_ID=15.04",
            "ID=\"centos\"\nVERSION_ID=\"7\"\n",
            "ID=\"rhel\"\nVERSION_ID=\"7.2\"\n",
            "ID=coreos\nVERSION_ID=1235.6.0\n",
        ];
        for text in listed {
            checked(text).unwrap();
        }
        for text in
            ["ID=ubuntu\nVERSION_ID=\"24.04\"", "ID=debian\nVERSION_ID=12", "ID_LIKE=ubuntu\nVERSION_ID=16.04", ""]
        {
            let failure = checked(text).unwrap_err();
            assert_eq!(failure.code, Code::Distribution, "{text}");
        }
        assert!(check(Path::new("/nowhere")).is_err());
        assert!(checked("ID=debian\nVERSION_ID=12").unwrap_err().message.starts_with("this is debian 12; "));
    }
}
