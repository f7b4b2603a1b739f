//! Ranges of IP addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::{Call, Function, function};
use crate::error::Fault;

pub(super) const TABLE: &[Function] = &[
    function("parseCidr", 1, 1, |call| Ok(range(call)?.value())),
    function("cidrSubnet", 3, 3, subnet),
    function("cidrHost", 2, 2, host),
];

/// A range in CIDR notation.
struct Range {
    v6: bool,
    /// The first address.
    network: u128,
    prefix: u32,
}

fn range(call: &Call<'_, '_>) -> Result<Range, Fault> {
    let wrong = || call.fail("the argument is not an IP address range in CIDR notation.");
    let (address, prefix) = call.text(0)?.split_once('/').ok_or_else(wrong)?;
    let (v6, address) = match address.parse().map_err(|_| wrong())? {
        IpAddr::V4(address) => (false, u128::from(address.to_bits())),
        IpAddr::V6(address) => (true, address.to_bits()),
    };
    let digits = !prefix.is_empty() && prefix.chars().all(|digit| digit.is_ascii_digit());
    let prefix = prefix.parse().ok().filter(|prefix| digits && *prefix <= bits(v6)).ok_or_else(wrong)?;
    Ok(Range { v6, network: 0, prefix }.at(address))
}

/// How many bits an address has.
fn bits(v6: bool) -> u32 {
    if v6 { 128 } else { 32 }
}

impl Range {
    /// The range of this size in which an address is.
    fn at(self, address: u128) -> Self {
        Self { network: address & !self.hosts(), ..self }
    }

    /// The bits that differ within the range, all set.
    fn hosts(&self) -> u128 {
        low_bits(bits(self.v6) - self.prefix)
    }

    fn last(&self) -> u128 {
        self.network | self.hosts()
    }

    /// The first and the last address for a host. The network and the broadcast address of IPv4 are for none, where the
    /// range has others.
    fn usable(&self) -> (u128, u128) {
        let whole = (self.network, self.last());
        if self.v6 || self.hosts() <= 1 { whole } else { (whole.0 + 1, whole.1 - 1) }
    }

    fn address(&self, address: u128) -> String {
        match u32::try_from(address) {
            Ok(address) if !self.v6 => Ipv4Addr::from_bits(address).to_string(),
            Ok(_) | Err(_) => Ipv6Addr::from_bits(address).to_string(),
        }
    }

    fn value(&self) -> Value {
        let (first, last) = self.usable();
        let mask = low_bits(bits(self.v6)) & !self.hosts();
        let broadcast = (!self.v6).then(|| ("broadcast", self.address(self.last()).into()));
        let members: [(&str, Value); 5] = [
            ("network", self.address(self.network).into()),
            ("netmask", self.address(mask).into()),
            ("firstUsable", self.address(first).into()),
            ("lastUsable", self.address(last).into()),
            ("cidr", self.prefix.into()),
        ];
        let members = members.into_iter().chain(broadcast).map(|(name, value)| (name.to_owned(), value));
        Value::Object(members.collect())
    }
}

fn low_bits(count: u32) -> u128 {
    u128::MAX.checked_shr(128 - count).unwrap_or(0)
}

/// The range of a smaller size with a number, from 0.
fn subnet(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let outer = range(call)?;
    let size =
        |prefix: i64| u32::try_from(prefix).ok().filter(|prefix| (outer.prefix..=bits(outer.v6)).contains(prefix));
    let prefix = size(call.integer(1)?)
        .ok_or_else(|| call.fail(format_args!("the new CIDR must be from {} to {}.", outer.prefix, bits(outer.v6))))?;
    let number = u128::try_from(call.integer(2)?).ok().filter(|number| *number <= low_bits(prefix - outer.prefix));
    let number = number.ok_or_else(|| call.fail("there is no subnet with this index."))?;
    let start = outer.network | number.checked_shl(bits(outer.v6) - prefix).unwrap_or(0);
    let found = Range { prefix, ..outer }.at(start);
    Ok(format!("{}/{prefix}", found.address(found.network)).into())
}

/// The address of a host with a number, from 0. The first address of the range is for none.
fn host(call: &Call<'_, '_>) -> Result<Value, Fault> {
    let range = range(call)?;
    let (first, last) = range.usable();
    let first = if range.hosts() > 1 { first.max(range.network + 1) } else { first };
    let number = u128::try_from(call.integer(1)?).ok();
    let address = number.and_then(|number| first.checked_add(number)).filter(|address| *address <= last);
    let address = address.ok_or_else(|| call.fail("there is no host with this index."))?;
    Ok(range.address(address).into())
}
