//! What `symbolon doctor --host-config` looks at: whether the configuration of a host can be served here, and whether the
//! network keeps its VMs apart. Nothing is changed.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, UdpSocket};
use std::path::Path;

use control::attestation::RENEW_BEFORE;
use domain::{Attachment, Clock, SystemClock, Timestamp};
use rustix::net::{AddressFamily, SocketType};
use rustix::thread::{CapabilitySet, capabilities};

use super::Check;
use crate::host::{self, Inventory, Signing, privileges};

/// A certificate is to be replaced when it ends within so many seconds.
const SOON: u64 = 7 * 86_400;
const REPLACE: &str = "replace it and start again";
/// The settings of a device that keep its VM from posing as another (`ip-sysctl` of the kernel's documentation): name, least
/// value, what it does.
const SETTINGS: [(&str, u32, &str); 3] = [
    (
        "rp_filter",
        1,
        "a packet counts only from the device that leads to its sender; not where VMs have the same address",
    ),
    (
        "arp_ignore",
        1,
        "a device answers for its own addresses alone; the VM's way to the metadata address is then a gateway",
    ),
    ("arp_announce", 2, "a device tells no address of another"),
];

/// Looks at a host's configuration and at this machine.
pub(super) async fn look(config: &Path) -> Vec<Check> {
    let inventory = match host::read(config) {
        Ok(inventory) => inventory,
        Err(why) => return vec![Check::failed("configuration", why.to_string())],
    };
    let mut checks = vec![Check::ok("configuration", format!("{} VMs", inventory.machines.len()))];
    let now = SystemClock::new().now();
    checks.push(certificates(&inventory, now));
    checks.push(attestation(inventory.signing.as_ref(), now));
    checks.push(Check::of(
        "authority",
        inventory.authority.reach().await.map(|_| "it answers".to_owned()).map_err(anyhow::Error::new),
        "see that its url is right, that its certificate chains to ca-file, and that this host reaches it",
    ));
    let attachments = || inventory.machines.iter().map(|machine| &machine.attachment);
    // Started by something else it may have other rights.
    let held = capabilities(None).map(|sets| sets.permitted).unwrap_or(CapabilitySet::empty());
    checks.push(rights(privileges::missing(inventory.rights(), held)));
    checks.push(user(rustix::process::geteuid().as_raw()));
    if attachments().any(|attachment| matches!(attachment, Attachment::Vsock { .. })) {
        checks.push(vsock(rustix::net::socket(AddressFamily::VSOCK, SocketType::STREAM, None)));
    }
    let addresses: BTreeSet<IpAddr> = attachments().filter_map(own_address).collect();
    checks.extend(addresses.into_iter().map(address));
    let devices: Vec<&str> = attachments().filter_map(device).collect();
    checks.extend(devices.iter().flat_map(|name| settings(Path::new("/proc/sys/net/ipv4/conf"), name)));
    for machine in inventory.machines.iter().filter(|machine| machine.attachment.is_spoofable()) {
        let text = format!("VM '{}' is known by its address alone, and any neighbour can pose as it", machine.name);
        checks.push(Check::advice("attachment", text, "give it a device or a namespace of its own"));
    }
    if !devices.is_empty() {
        checks.push(Check::advice(
            "nftables",
            "rules that close the last gaps; load them with nft -f",
            &rules(&devices),
        ));
    }
    checks
}

fn certificates(inventory: &Inventory, now: Timestamp) -> Check {
    let check = "certificates";
    match inventory.credentials.iter().min_by_key(|credential| credential.not_after) {
        None => Check::skipped(check, "no VM has an identity".to_owned()),
        Some(first) => {
            let left = first.not_after.since(now).as_secs();
            let text = format!("that of client {} ends first, in {} days", first.identity.client_id, left / 86_400);
            if left > SOON { Check::ok(check, text) } else { Check::advice(check, text, REPLACE) }
        }
    }
}

/// The certificate of attested documents. One that has ended is a mistake of the configuration.
fn attestation(signing: Option<&Signing>, now: Timestamp) -> Check {
    let check = "attestation";
    match signing.map(Signing::ends) {
        None => Check::skipped(check, "nobody signs attested documents".to_owned()),
        Some(None) => Check::ok(check, "the certificate of attested documents is made anew before it ends".to_owned()),
        Some(Some(end)) => {
            let left = end.since(now);
            let text = format!("the certificate of attested documents ends in {} days", left.as_secs() / 86_400);
            if left > RENEW_BEFORE { Check::ok(check, text) } else { Check::advice(check, text, REPLACE) }
        }
    }
}

/// Whether this process could do what the host must.
fn rights(missing: CapabilitySet) -> Check {
    let check = "rights";
    if missing.is_empty() {
        return Check::ok(check, "this process may do what the attachments need".to_owned());
    }
    let names: Vec<String> = missing.iter_names().map(|(name, _)| format!("CAP_{name}")).collect();
    let text = format!("this process lacks {}", names.join(", "));
    Check::advice(check, text, "give them to the unit by AmbientCapabilities")
}

/// Who is root owns the files of this machine, even without a right.
fn user(uid: u32) -> Check {
    let check = "user";
    match uid {
        0 => Check::advice(
            check,
            "this process is root's; what a host gives up leaves it the files that root owns".to_owned(),
            "run the host as a user of its own, as packaging/symbolon-host.service does",
        ),
        _ => Check::ok(check, format!("user {uid} is not root")),
    }
}

/// Whether this machine has sockets of virtual machines; one that is made and not bound is nobody's.
fn vsock<S>(made: rustix::io::Result<S>) -> Check {
    let made = made.map(|_| "this machine has vsock".to_owned());
    let made = made.map_err(|why| anyhow::Error::new(why).context("this machine has no vsock"));
    Check::of("vsock", made, "modprobe vhost_vsock")
}

/// The address of an attachment that must be this machine's own.
fn own_address(attachment: &Attachment) -> Option<IpAddr> {
    match attachment {
        Attachment::Listen(address) => Some(address.ip()),
        Attachment::Device { at, .. } | Attachment::Source { at, .. } => Some(at.address.ip()),
        Attachment::Namespace { .. } | Attachment::Unix { .. } | Attachment::Vsock { .. } => None,
    }
}

fn device(attachment: &Attachment) -> Option<&str> {
    if let Attachment::Device { device, .. } = attachment { Some(device) } else { None }
}

/// To bind a socket sends nothing.
fn address(address: IpAddr) -> Check {
    let bound = UdpSocket::bind((address, 0)).map(|_| format!("{address} is this machine's own"));
    let bound =
        bound.map_err(|why| anyhow::Error::new(why).context(format!("{address} is not an address of this machine")));
    Check::of("address", bound, &format!("ip address add {address}/32 dev lo"))
}

/// A device's settings; the kernel takes the greater of the device's and that of all.
fn settings(folder: &Path, device: &str) -> Vec<Check> {
    if !folder.join(device).is_dir() {
        let text = format!("{device} isn't there; its VM's service opens when it comes");
        return vec![Check::skipped("device", text)];
    }
    let read = |of: &str, name: &str| {
        let text = fs::read_to_string(folder.join(of).join(name)).unwrap_or_default();
        text.trim().parse::<u32>().unwrap_or(0)
    };
    let check = |(name, least, why): (&str, u32, &str)| {
        let found = read("all", name).max(read(device, name));
        let text = format!("{name} is {found}: {why}");
        let advice = format!("sysctl -w net.ipv4.conf.{device}.{name}={least}");
        match found >= least {
            true => Check::ok("device", format!("{device}: {name} is {found}")),
            false => Check::advice("device", format!("{device}: {text}"), &advice),
        }
    };
    SETTINGS.map(check).into()
}

/// Only the VMs' devices lead to the metadata address, and nothing through this machine does.
fn rules(devices: &[&str]) -> String {
    let names: Vec<String> = devices.iter().map(|name| format!("\"{name}\"")).collect();
    let address = contract::imds::ADDRESS;
    format!(
        "\ntable inet symbolon {{\n  chain input {{\n    type filter hook input priority filter; policy accept;\n    \
         ip daddr {address} iifname != {{ \"lo\", {} }} drop\n  }}\n  chain forward {{\n    \
         type filter hook forward priority filter; policy accept;\n    ip daddr {address} drop\n  }}\n}}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn the_greater_of_a_devices_settings_and_those_of_all_counts() {
        let folder = tempfile::tempdir().unwrap();
        let write = |of: &str, name: &str, value: &str| {
            fs::create_dir_all(folder.path().join(of)).unwrap();
            fs::write(folder.path().join(of).join(name), value).unwrap();
        };
        write("all", "rp_filter", "1\n");
        write("tap0", "rp_filter", "0\n");
        write("tap0", "arp_ignore", "0\n");
        write("tap0", "arp_announce", "2\n");
        let verdicts: Vec<_> = settings(folder.path(), "tap0").iter().map(|check| check.verdict).collect();
        assert_eq!(verdicts, [Verdict::Ok, Verdict::Advice, Verdict::Ok]);
        assert_eq!(settings(folder.path(), "tap1")[0].verdict, Verdict::Skipped);
    }

    #[test]
    fn an_address_of_others_is_told_with_what_to_do() {
        assert_eq!(address("127.0.0.1".parse().unwrap()).verdict, Verdict::Ok);
        let missing = address("192.0.2.77".parse().unwrap());
        assert_eq!(
            (missing.verdict, missing.advice.as_deref()),
            (Verdict::Failed, Some("ip address add 192.0.2.77/32 dev lo"))
        );
    }

    #[test]
    fn root_is_advised_to_be_somebody_else() {
        assert_eq!([0, 1_000].map(|uid| user(uid).verdict), [Verdict::Advice, Verdict::Ok]);
    }

    #[test]
    fn a_machine_without_vsock_is_told_what_brings_it() {
        assert_eq!(vsock(Ok(())).verdict, Verdict::Ok);
        let missing = vsock::<()>(Err(rustix::io::Errno::AFNOSUPPORT));
        assert_eq!((missing.verdict, missing.advice.as_deref()), (Verdict::Failed, Some("modprobe vhost_vsock")));
        assert!(missing.detail.starts_with("this machine has no vsock: "), "{}", missing.detail);
    }

    #[test]
    fn a_right_that_is_missing_is_named() {
        assert_eq!(rights(CapabilitySet::empty()).verdict, Verdict::Ok);
        let check = rights(CapabilitySet::SYS_ADMIN);
        assert_eq!((check.verdict, check.detail.as_str()), (Verdict::Advice, "this process lacks CAP_SYS_ADMIN"));
    }

    #[test]
    fn the_rules_name_every_device() {
        let rules = rules(&["tap0", "tap1"]);
        assert!(rules.contains(r#"iifname != { "lo", "tap0", "tap1" } drop"#), "{rules}");
    }
}
