//! `network`: the interfaces of a machine, each with its addresses.

use std::net::Ipv4Addr;

use contract::imds::{Interface, Ipv4};
use serde_json::Value;
use store::Error;
use uuid::Uuid;

use super::said::Said;
use super::{Found, Machine, World};

/// The first half of the addresses of Azure's own interfaces, in hexadecimal.
const VENDOR: &str = "000D3A";
/// The subnet of an address of which no subnet is known.
const SUBNET: Subnet = Subnet { address: Ipv4Addr::new(10, 0, 0, 0), prefix: 8 };
/// How many addresses at the start of a subnet are the network's own.
const RESERVED: u32 = 4;

/// What a machine's network is.
pub(super) struct Network {
    pub(super) interfaces: Vec<Interface>,
    pub(super) addresses: Vec<Address>,
}

/// A private IPv4 address of a machine, with what leads to it.
pub(super) struct Address {
    pub(super) private: String,
    /// The public address of its own.
    pub(super) public: Option<PublicAddress>,
    /// The ids of the backend pools that it is in.
    pub(super) pools: Vec<String>,
    /// The ids of the NAT rules that lead to it.
    pub(super) nat_rules: Vec<String>,
}

/// A public address.
pub(super) struct PublicAddress {
    pub(super) address: String,
    /// Of the basic SKU, or of a better one: a machine isn't told of it with its interface then.
    pub(super) basic: bool,
}

struct Subnet {
    address: Ipv4Addr,
    prefix: u8,
}

pub(super) fn read(world: &World<'_>, machine: &Machine<'_>) -> Result<Network, Error> {
    let mut network = Network { interfaces: Vec::new(), addresses: Vec::new() };
    let profile = machine.profile.at("networkProfile");
    for reference in primary_first(profile.items("networkInterfaces")) {
        let id = reference.text("id");
        if let Some(nic) = world.find(&id)? {
            network.add(world, Nic { said: nic.said(), seed: seed(machine, nic.resource.id.key()) })?;
        }
    }
    for said in primary_first(profile.items("networkInterfaceConfigurations")) {
        network.add(world, Nic { said, seed: seed(machine, &said.text("name")) })?;
    }
    if network.interfaces.is_empty() {
        network.add_unknown(seed(machine, ""));
    }
    Ok(network)
}

/// An interface as a client described it.
struct Nic<'n> {
    said: Said<'n>,
    /// What follows from who it is, for what nobody said.
    seed: [u8; 16],
}

impl Network {
    fn add(&mut self, world: &World<'_>, nic: Nic<'_>) -> Result<(), Error> {
        let properties = nic.said.at("properties");
        let mut interface =
            Interface { mac_address: mac(&properties.text("macAddress"), nic.seed), ..Interface::default() };
        for (number, configuration) in (0_u8..).zip(primary_first(properties.items("ipConfigurations"))) {
            let said = configuration.at("properties");
            let private = said.text("privateIPAddress");
            if said.text("privateIPAddressVersion").eq_ignore_ascii_case("IPv6") {
                interface.ipv6.extend((!private.is_empty()).then_some(private));
                continue;
            }
            let subnet = subnet(world, &said.text("subnet.id"))?;
            let private = if private.is_empty() { subnet.address_of(nic.seed, number).to_string() } else { private };
            let public = public_address(world, &said.text("publicIPAddress.id"))?;
            let shown = public.as_ref().filter(|public| public.basic).map(|public| public.address.clone());
            interface.ipv4.push(Ipv4 { private: private.clone(), public: shown.unwrap_or_default() });
            let known = (subnet.address.to_string(), subnet.prefix);
            if !interface.subnets.contains(&known) {
                interface.subnets.push(known);
            }
            let ids = |list: &str| said.items(list).map(|item| item.text("id")).collect();
            let (pools, nat_rules) = (ids("loadBalancerBackendAddressPools"), ids("loadBalancerInboundNatRules"));
            self.addresses.push(Address { private, public, pools, nat_rules });
        }
        self.interfaces.push(interface);
        Ok(())
    }

    /// The interface of a machine of which none is known.
    fn add_unknown(&mut self, seed: [u8; 16]) {
        let private = SUBNET.address_of(seed, 0).to_string();
        self.interfaces.push(Interface {
            ipv4: vec![Ipv4 { private: private.clone(), public: String::new() }],
            subnets: vec![(SUBNET.address.to_string(), SUBNET.prefix)],
            ipv6: Vec::new(),
            mac_address: mac("", seed),
        });
        self.addresses.push(Address { private, public: None, pools: Vec::new(), nat_rules: Vec::new() });
    }
}

impl Subnet {
    /// `10.0.0.0/24`; nothing when it is something else.
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= 32)?;
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        Some(Self { address: Ipv4Addr::from(u32::from(address.parse::<Ipv4Addr>().ok()?) & mask), prefix })
    }

    /// The address of an interface of which none is known: neither one of the network's own nor its last.
    fn address_of(&self, seed: [u8; 16], number: u8) -> Ipv4Addr {
        let [.., a, b, c] = seed;
        let host = u32::from_be_bytes([0, a, b, c]).wrapping_add(number.into());
        let size = 1_u64 << (32 - self.prefix);
        let usable = size.saturating_sub(u64::from(RESERVED) + 1).max(1);
        let first = if size > u64::from(RESERVED) { RESERVED } else { 0 };
        let host = u32::try_from(u64::from(host) % usable).unwrap_or_default();
        Ipv4Addr::from(u32::from(self.address).saturating_add(first).saturating_add(host))
    }
}

fn subnet(world: &World<'_>, id: &str) -> Result<Subnet, Error> {
    let found = world.find_part(id, "subnets")?;
    let properties = found.as_ref().map(|found| Said::of(found).at("properties"));
    let known = properties.and_then(|properties| {
        let several = properties.at("addressPrefixes").value().and_then(Value::as_array).into_iter().flatten();
        let all = several.filter_map(Value::as_str).map(str::to_owned).chain([properties.text("addressPrefix")]);
        all.filter_map(|prefix| Subnet::parse(&prefix)).next()
    });
    Ok(known.unwrap_or(SUBNET))
}

/// A public address by its id; nothing when it isn't there or has none yet.
pub(super) fn public_address(world: &World<'_>, id: &str) -> Result<Option<PublicAddress>, Error> {
    let found = world.find(id)?;
    let address = found.as_ref().map(|found| found.said().text("properties.ipAddress"));
    let basic = !found.as_ref().is_some_and(Found::is_beyond_basic);
    Ok(address.filter(|address| !address.is_empty()).map(|address| PublicAddress { address, basic }))
}

/// The items of a list, the one that is called primary first.
fn primary_first<'v>(items: impl Iterator<Item = Said<'v>>) -> Vec<Said<'v>> {
    let mut items: Vec<_> = items.collect();
    items.sort_by_key(|item| !(item.flag("properties.primary") || item.flag("primary")));
    items
}

/// Twelve hexadecimal digits in upper case, as said with whatever stands between them, or from the seed.
fn mac(said: &str, seed: [u8; 16]) -> String {
    let digits: String = said.chars().filter(char::is_ascii_hexdigit).map(|digit| digit.to_ascii_uppercase()).collect();
    let [.., a, b, c] = seed;
    if digits.len() == 12 { digits } else { format!("{VENDOR}{a:02X}{b:02X}{c:02X}") }
}

/// What follows from a machine and the name of an interface.
fn seed(machine: &Machine<'_>, name: &str) -> [u8; 16] {
    let name = name.to_ascii_lowercase();
    *Uuid::new_v5(&machine.vm.vm_id.as_uuid(), name.as_bytes()).as_bytes()
}
