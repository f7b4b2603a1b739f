//! How a VM's attachment is written, in a seed and in a host's configuration.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;
use std::path::{Path, PathBuf};

use contract::imds::ADDRESS;
use domain::{Attachment, Reachable, Sharing};
use serde::Deserialize;

/// Where network namespaces have names (ip-netns(8)).
const NAMED_NAMESPACES: &str = "/run/netns";

/// The words of an attachment. Exactly one says how the VM is recognised; `listen` does so where it stands alone.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct AttachmentWords {
    /// Where the metadata service listens; the well-known address without.
    listen: Option<SocketAddr>,
    /// The host's network device that leads to the VM.
    device: Option<String>,
    /// The VM's network namespace: a name, or the path of its file.
    netns: Option<PathBuf>,
    /// The VM's address, where nothing better tells it from others.
    source: Option<IpAddr>,
    /// That it is known that others can say that they have that address.
    #[serde(alias = "accept-spoofing")]
    accept_spoofing: bool,
    /// The path of a Unix socket.
    unix: Option<PathBuf>,
    /// Whether that socket's group may connect.
    group: bool,
    /// The VM's vsock context id.
    vsock: Option<u32>,
    /// The vsock port.
    port: Option<u32>,
    /// How many hops an answer may take.
    #[serde(alias = "hop-limit")]
    hop_limit: Option<NonZeroU8>,
}

impl AttachmentWords {
    /// What they mean; paths of sockets are meant from `folder`. An error is for the person who wrote them.
    pub(crate) fn attachment(self, folder: &Path) -> Result<Attachment, String> {
        let Self { listen, device, netns, source, accept_spoofing, unix, group, vsock, port, hop_limit } = self;
        let address = listen.unwrap_or_else(|| SocketAddr::from((ADDRESS, 80)));
        let at = Reachable { address, hop_limit };
        let (only_source, only_unix, only_vsock) = (source.is_some(), unix.is_some(), vsock.is_some());
        let without_address = only_unix || only_vsock;
        let mut found = [
            device.map(|device| Attachment::Device { device, at }),
            netns.map(|named| Attachment::Namespace { namespace: Path::new(NAMED_NAMESPACES).join(named), at }),
            source.map(|source| Attachment::Source { source, at }),
            unix.map(|path| Attachment::Unix { path: absolute(folder, &path), group }),
            vsock.map(|cid| Attachment::Vsock { cid, port: port.unwrap_or(80) }),
        ]
        .into_iter()
        .flatten();
        let attachment = match (found.next(), found.next(), listen) {
            (Some(attachment), None, _) => attachment,
            (None, _, Some(address)) if hop_limit.is_none() => Attachment::Listen(address),
            (None, _, Some(_)) => return Err("hopLimit belongs to device, netns or source".to_owned()),
            (Some(_), Some(_), _) | (None, _, None) => {
                return Err("say one of listen, device, netns, source, unix, vsock".to_owned());
            }
        };
        for (there, wanted, word) in [
            (accept_spoofing, only_source, "acceptSpoofing belongs to source"),
            (group, only_unix, "group belongs to unix"),
            (port.is_some(), only_vsock, "port belongs to vsock"),
            (listen.is_some() || hop_limit.is_some(), !without_address, "listen and hopLimit belong to addresses"),
        ] {
            if there && !wanted {
                return Err(word.to_owned());
            }
        }
        attachment.check().map_err(|why| why.to_string())?;
        if attachment.is_spoofable() && !accept_spoofing {
            return Err(format!(
                "a neighbour can send from {} too and would be taken for this VM; use device or netns, or say \
                 acceptSpoofing: true where all VMs are one owner's",
                attachment.claim()
            ));
        }
        Ok(attachment)
    }
}

fn absolute(folder: &Path, path: &Path) -> PathBuf {
    let path = folder.join(path);
    std::path::absolute(&path).unwrap_or(path)
}

/// The addresses at which VMs are told apart: at one address all in the same way.
#[derive(Debug, Default)]
pub(crate) struct Addresses(HashMap<SocketAddr, (Sharing, String)>);

impl Addresses {
    /// Takes in how a VM is told apart.
    ///
    /// # Errors
    /// When another one at its address is told apart in another way.
    pub(crate) fn share(&mut self, attachment: &Attachment, owner: &str) -> Result<(), String> {
        let Some((address, how)) = attachment.sharing() else { return Ok(()) };
        let (known, first) = self.0.entry(address).or_insert_with(|| (how, owner.to_owned()));
        if *known == how {
            return Ok(());
        }
        Err(format!(
            "VM '{owner}' is known in another way or with another hop-limit at {address} than VM '{first}'; give it another \
             address"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<String, String> {
        let words: AttachmentWords = serde_saphyr::from_str(yaml).map_err(|why| why.to_string())?;
        words.attachment(Path::new("/etc/host")).map(|attachment| attachment.to_string())
    }

    #[test]
    fn one_word_says_it_and_the_address_is_the_well_known_one() {
        for (yaml, wanted) in [
            ("{listen: '127.0.0.1:16925'}", "127.0.0.1:16925".to_owned()),
            ("{device: tap0}", format!("listen={ADDRESS}:80,device=tap0")),
            ("{device: tap0, hopLimit: 1}", format!("listen={ADDRESS}:80,hop-limit=1,device=tap0")),
            ("{netns: blue}", format!("listen={ADDRESS}:80,netns=/run/netns/blue")),
            ("{netns: /proc/7/ns/net, listen: '10.0.0.1:80'}", "listen=10.0.0.1:80,netns=/proc/7/ns/net".to_owned()),
            ("{source: 10.0.0.4, acceptSpoofing: true}", format!("listen={ADDRESS}:80,source=10.0.0.4")),
            ("{unix: vm.sock}", "unix=/etc/host/vm.sock".to_owned()),
            ("{unix: /run/vm.sock, group: true}", "group,unix=/run/vm.sock".to_owned()),
            ("{vsock: 3}", "port=80,vsock=3".to_owned()),
            ("{vsock: 3, port: 8080}", "port=8080,vsock=3".to_owned()),
        ] {
            assert_eq!(read(yaml), Ok(wanted), "{yaml}");
        }
    }

    #[test]
    fn what_is_no_attachment_is_told() {
        for (yaml, wanted) in [
            ("{}", "say one of"),
            ("{device: tap0, netns: blue}", "say one of"),
            ("{source: 10.0.0.4}", "a neighbour can send from source address 10.0.0.4 at "),
            ("{device: tap0, acceptSpoofing: true}", "acceptSpoofing belongs to source"),
            ("{listen: '127.0.0.1:1', hopLimit: 1}", "hopLimit belongs to"),
            ("{device: tap0, group: true}", "group belongs to unix"),
            ("{device: tap0, port: 3}", "port belongs to vsock"),
            ("{unix: a, listen: '127.0.0.1:1'}", "listen and hopLimit belong to addresses"),
            ("{vsock: 2}", "2 is no guest's context id"),
            ("{device: a/b}", "'a/b' is not the name of a network device"),
            ("{device: tap0, hopLimit: 0}", "nonzero"),
            ("{listen: '0.0.0.0:80'}", "0.0.0.0:80 would hand out tokens to everyone"),
            ("{tap: x}", "unknown field `tap`"),
        ] {
            let error = read(yaml).unwrap_err();
            assert!(error.contains(wanted), "{yaml}: {error}");
        }
    }
}
