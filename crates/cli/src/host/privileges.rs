//! What a host may do beyond what every process may: listen on port 80, and enter the network namespaces of its VMs. Only the
//! thread that opens listeners keeps that, and only what the configuration needs.
//!
//! To bind a socket to a network device takes no right since Linux 5.7 (socket(7)); before it took `CAP_NET_RAW`, which is kept
//! where it is given.

use std::net::SocketAddr;

use domain::Attachment;
use rustix::io;
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

/// What the opener of these attachments needs.
pub(crate) fn needed<'a>(attachments: impl IntoIterator<Item = &'a Attachment>) -> CapabilitySet {
    attachments.into_iter().fold(CapabilitySet::empty(), |needed, attachment| {
        needed
            | match attachment {
                Attachment::Device { .. } => CapabilitySet::NET_BIND_SERVICE | CapabilitySet::NET_RAW,
                Attachment::Namespace { .. } => {
                    CapabilitySet::NET_BIND_SERVICE | CapabilitySet::SYS_ADMIN | CapabilitySet::SYS_PTRACE
                }
                Attachment::Listen(_) | Attachment::Source { .. } => CapabilitySet::NET_BIND_SERVICE,
                Attachment::Vsock { port, .. } => privileged(*port < 1024),
                Attachment::Unix { .. } => CapabilitySet::empty(),
            }
    })
}

/// What a listener at this address needs: ports from 1 to 1023 are privileged (ip(7)).
pub(crate) fn needed_at(address: SocketAddr) -> CapabilitySet {
    privileged((1..1024).contains(&address.port()))
}

fn privileged(port: bool) -> CapabilitySet {
    if port { CapabilitySet::NET_BIND_SERVICE } else { CapabilitySet::empty() }
}

/// What of the rights that are needed is not held. Where a device takes a right (before Linux 5.7), it says so when it is listened
/// on.
pub(crate) fn missing(needed: CapabilitySet, held: CapabilitySet) -> CapabilitySet {
    needed - CapabilitySet::NET_RAW - held
}

/// Gives up everything but this, on this thread and those that it starts from now on.
pub(crate) fn keep_only(kept: CapabilitySet) -> io::Result<()> {
    let kept = capabilities(None)?.permitted & kept;
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets)?;
    rustix::thread::set_no_new_privs(true)
}

#[cfg(test)]
mod tests {
    use rustix::thread::no_new_privs;

    use super::*;

    #[test]
    fn what_is_kept_goes_by_the_attachments() {
        let attachment = |text: &str| text.parse::<Attachment>().unwrap();
        let needed = |texts: &[&str]| needed(&texts.iter().map(|text| attachment(text)).collect::<Vec<_>>());
        assert_eq!(needed(&["unix=/run/vm.sock", "port=1024,vsock=3"]), CapabilitySet::empty());
        assert_eq!(needed(&["port=1023,vsock=3"]), CapabilitySet::NET_BIND_SERVICE);
        assert_eq!(needed(&["127.0.0.1:80", "unix=/run/vm.sock"]), CapabilitySet::NET_BIND_SERVICE);
        assert!(!needed(&["listen=192.0.2.1:80,device=tap0"]).contains(CapabilitySet::SYS_ADMIN));
        assert!(needed(&["listen=192.0.2.1:80,netns=/run/netns/a"]).contains(CapabilitySet::SYS_ADMIN));
    }

    #[test]
    fn a_device_is_missing_nothing_that_a_kernel_may_not_ask_for() {
        let device = ["listen=192.0.2.1:80,device=tap0".parse().unwrap()];
        let missing = |held| missing(needed(&device), held);
        assert_eq!(missing(CapabilitySet::empty()), CapabilitySet::NET_BIND_SERVICE);
        assert_eq!(missing(CapabilitySet::NET_BIND_SERVICE), CapabilitySet::empty());
    }

    #[test]
    fn one_thread_gives_up_what_another_keeps() {
        let (before, no_new) = (capabilities(None).unwrap(), no_new_privs().unwrap());
        let gave_up = std::thread::spawn(|| {
            keep_only(CapabilitySet::empty()).unwrap();
            (capabilities(None).unwrap(), no_new_privs().unwrap())
        });
        let none = CapabilitySet::empty();
        let nothing = CapabilitySets { effective: none, permitted: none, inheritable: none };
        assert_eq!(gave_up.join().unwrap(), (nothing, true), "and no program that it starts gets any");
        assert_eq!((capabilities(None).unwrap(), no_new_privs().unwrap()), (before, no_new));
    }
}
