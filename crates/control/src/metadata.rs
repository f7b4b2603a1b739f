//! What a VM's metadata service tells it of itself, beside its identities: read from the VM's resource and from what that
//! one names, as clients of the control plane gave them.
//!
//! Where a resource says nothing the document says nothing, but for what a machine can't do without: its own name, and a
//! network interface with an address. Those follow from its id, so that they are the same after every start.

mod compute;
mod load_balancer;
mod network;
mod said;
mod storage;

use std::cell::RefCell;
use std::collections::BTreeSet;

use contract::imds::{Instance, LoadBalancer, ScheduledEvents};
use domain::{Resource, ResourceId, ScheduledEvent, TenantId, VirtualMachine};
use serde_json::Value;
use store::{Error, ReadTx};

use self::said::Said;
use crate::arm::event_id;

/// What a VM is told of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Its own description.
    pub instance: Instance,
    /// The load balancers in front of it; none when there are none.
    pub load_balancer: Option<LoadBalancer>,
    /// What is going to happen to it.
    pub scheduled_events: ScheduledEvents,
    /// The resources that this was read from or would have been if they were there, beside the VM's own: their ids in
    /// lower case. When one of them changes, this does.
    pub leans_on: BTreeSet<String>,
}

/// Reads what a machine is told.
///
/// # Errors
/// When the store fails.
pub fn describe(tx: &dyn ReadTx, vm: &VirtualMachine) -> Result<Metadata, Error> {
    let world = World { tx, tenant: vm.tenant, asked: RefCell::default() };
    let document = parse(&vm.document);
    let machine = Machine::new(vm, &document);
    let network = network::read(&world, &machine)?;
    let instance = Instance { compute: compute::read(&world, &machine)?, interfaces: network.interfaces };
    let load_balancer = load_balancer::read(&world, &network.addresses)?;
    let (incarnation, events) = tx.scheduled_events_of(&vm.id)?;
    let events = events.iter().map(|found| event(found, &instance.compute.name)).collect();
    let scheduled_events = ScheduledEvents { incarnation, events };
    Ok(Metadata { instance, load_balancer, scheduled_events, leans_on: world.asked.into_inner() })
}

/// An event as the machine of this name sees it.
fn event(found: &ScheduledEvent, name: &str) -> contract::imds::ScheduledEvent {
    contract::imds::ScheduledEvent {
        id: event_id(found),
        event_type: found.kind.as_str(),
        resources: vec![name.to_owned()],
        not_before: found.started_at.is_none().then_some(found.not_before.unix()),
        description: found.description.clone(),
        by_user: found.by_user,
        duration: found.duration.map_or(-1, i64::from),
    }
}

/// A text in a description, of which names with dots between them are the place; the empty one where there is none.
pub(crate) fn json(document: &serde_json::Map<String, Value>, path: &str) -> String {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let found = document.iter().find(|(name, _)| name.eq_ignore_ascii_case(first)).map(|(_, value)| Said::of(value));
    found.map(|found| found.text(rest)).unwrap_or_default()
}

/// A machine as clients described it: by itself, or by the model of its scale set that it has.
struct Machine<'m> {
    vm: &'m VirtualMachine,
    /// What stands beside its properties: plan, zones, …
    resource: Said<'m>,
    /// Its properties, or the profile in its scale set's.
    profile: Said<'m>,
}

impl<'m> Machine<'m> {
    fn new(vm: &'m VirtualMachine, document: &'m Value) -> Self {
        let resource = Said::of(document);
        let profile = if vm.instance.is_some() { "properties.virtualMachineProfile" } else { "properties" };
        Self { vm, resource, profile: resource.at(profile) }
    }
}

/// The resources that a machine's own may name: those of its tenant.
struct World<'t> {
    tx: &'t dyn ReadTx,
    tenant: TenantId,
    asked: RefCell<BTreeSet<String>>,
}

impl World<'_> {
    /// A resource by its id; nothing when there is none here, or the text is no id.
    fn find(&self, id: &str) -> Result<Option<Found>, Error> {
        let Ok(id) = ResourceId::parse(id) else { return Ok(None) };
        let subscription = id.subscription().map(|id| self.tx.subscription(id)).transpose()?.flatten();
        if subscription.is_none_or(|found| found.tenant != self.tenant) {
            return Ok(None);
        }
        self.asked.borrow_mut().insert(id.key().to_owned());
        Ok(self.tx.resource(&id)?.map(|resource| Found { document: parse(&resource.document), resource }))
    }

    /// A part of a resource, which has an id of its own but may be said within the resource:
    /// `…/virtualNetworks/v/subnets/s`.
    fn find_part(&self, id: &str, list: &str) -> Result<Option<Value>, Error> {
        if let Some(found) = self.find(id)? {
            return Ok(Some(found.document));
        }
        let Some(id) = ResourceId::parse(id).ok() else { return Ok(None) };
        let Some(whole) = id.parent().map(|parent| self.find(parent.as_str())).transpose()?.flatten() else {
            return Ok(None);
        };
        let mut parts = whole.said().at("properties").items(list);
        Ok(parts.find(|part| part.text("name").eq_ignore_ascii_case(id.name())).and_then(|part| part.value().cloned()))
    }
}

/// A resource with its description.
struct Found {
    resource: Resource,
    document: Value,
}

impl Found {
    fn said(&self) -> Said<'_> {
        Said::of(&self.document)
    }

    /// Whether it is of a better SKU than the basic one, which is what a resource without one has.
    fn is_beyond_basic(&self) -> bool {
        let sku = self.said().text("sku.name");
        !sku.is_empty() && !sku.eq_ignore_ascii_case("Basic")
    }
}

/// A stored description, which is an object; anything else says nothing.
fn parse(document: &str) -> Value {
    serde_json::from_str(document).unwrap_or_default()
}
