//! The load balancers in front of a machine, and its own public addresses of the SKUs beyond the basic one.

use std::collections::BTreeSet;

use contract::imds::{InboundRule, LoadBalancer, Translated};
use domain::ResourceId;
use store::Error;

use super::network::{Address, public_address};
use super::said::Said;
use super::{Found, World};

pub(super) fn read(world: &World<'_>, addresses: &[Address]) -> Result<Option<LoadBalancer>, Error> {
    let mut known = LoadBalancer::default();
    for address in addresses {
        if let Some(public) = address.public.as_ref().filter(|public| !public.basic) {
            known.public_ip_addresses.push(translated(&public.address, address));
        }
    }
    // Pools and NAT rules lie within their load balancers.
    let members = addresses.iter().flat_map(|address| address.pools.iter().chain(&address.nat_rules));
    let owners: BTreeSet<String> =
        members.filter_map(|id| ResourceId::parse(id).ok()?.parent()).map(|owner| owner.key().to_owned()).collect();
    let mut found = !known.public_ip_addresses.is_empty();
    for owner in owners {
        let Some(balancer) = world.find(&owner)?.filter(Found::is_beyond_basic) else { continue };
        found = true;
        for address in addresses {
            add(world, &mut known, Balancer { id: &owner, said: balancer.said().at("properties") }, address)?;
        }
    }
    Ok(found.then_some(known))
}

/// A load balancer, and what it says.
#[derive(Clone, Copy)]
struct Balancer<'a> {
    /// Its resource id, as a key.
    id: &'a str,
    said: Said<'a>,
}

impl Balancer<'_> {
    /// Whether an id is that of a part of this load balancer with this name: another one may have one of the same name.
    fn has(&self, id: &str, name: &str) -> bool {
        let is_named = || id.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(name));
        let parent = || ResourceId::parse(id).ok()?.parent();
        !name.is_empty() && is_named() && parent().is_some_and(|parent| parent.key() == self.id)
    }
}

/// Adds what one load balancer does for one address.
fn add(world: &World<'_>, known: &mut LoadBalancer, balancer: Balancer<'_>, address: &Address) -> Result<(), Error> {
    for rule in balancer.said.items("loadBalancingRules") {
        let said = rule.at("properties");
        if in_pool(said, address) {
            known.inbound_rules.push(inbound(world, balancer, said, address)?);
        }
    }
    for rule in balancer.said.items("inboundNatRules") {
        if address.nat_rules.iter().any(|id| balancer.has(id, &rule.text("name"))) {
            known.inbound_rules.push(inbound(world, balancer, rule.at("properties"), address)?);
        }
    }
    for rule in balancer.said.items("outboundRules") {
        let said = rule.at("properties");
        if !in_pool(said, address) {
            continue;
        }
        for frontend in said.items("frontendIPConfigurations") {
            let frontend = frontend_address(world, balancer, &frontend.text("id"))?;
            known.outbound_rules.push(translated(&frontend, address));
        }
    }
    Ok(())
}

fn inbound(world: &World<'_>, balancer: Balancer<'_>, rule: Said<'_>, address: &Address) -> Result<InboundRule, Error> {
    Ok(InboundRule {
        frontend_ip_address: frontend_address(world, balancer, &rule.text("frontendIPConfiguration.id"))?,
        protocol: rule.text("protocol").to_ascii_lowercase(),
        frontend_port: rule.number("frontendPort"),
        backend_port: rule.number("backendPort"),
        private_ip_address: address.private.clone(),
    })
}

/// Whether a rule is for a pool that an address is in.
fn in_pool(rule: Said<'_>, address: &Address) -> bool {
    let one = [rule.text("backendAddressPool.id")].into_iter();
    let mut pools = one.chain(rule.items("backendAddressPools").map(|pool| pool.text("id")));
    pools.any(|pool| address.pools.iter().any(|own| own.eq_ignore_ascii_case(&pool)))
}

/// The address of a frontend: a public one, or one within the network.
fn frontend_address(world: &World<'_>, balancer: Balancer<'_>, id: &str) -> Result<String, Error> {
    let frontend =
        balancer.said.items("frontendIPConfigurations").find(|frontend| balancer.has(id, &frontend.text("name")));
    let Some(said) = frontend.map(|frontend| frontend.at("properties")) else { return Ok(String::new()) };
    match public_address(world, &said.text("publicIPAddress.id"))? {
        Some(public) => Ok(public.address),
        None => Ok(said.text("privateIPAddress")),
    }
}

fn translated(public: &str, address: &Address) -> Translated {
    Translated { frontend_ip_address: public.to_owned(), private_ip_address: address.private.clone() }
}
