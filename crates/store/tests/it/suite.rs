//! What every backend promises.

mod cutover;
mod feed;
mod nouns;
mod resources;
mod tombstones;
mod transactions;

use super::*;

type Case = (&'static str, fn(&dyn Store));

/// Every case, each on a store of its own.
const CASES: &[Case] = &[
    ("every noun comes back as it was put", nouns::round_trip),
    ("what is there just so is left alone", nouns::unchanged),
    ("a tenant is as old as its first put", nouns::tenants),
    ("a role stays given when and by whom it was", nouns::roles),
    ("a client is found with all it has", nouns::client),
    ("many machines load in one go", nouns::snapshots),
    ("what is unique is unique", nouns::unique),
    ("what is referred to must be there", nouns::missing),
    ("a dropped transaction never was", transactions::dropped),
    ("a failed change spoils its transaction", transactions::spoilt),
    ("each act is audited once", transactions::audit),
    ("a snapshot does not move", transactions::snapshot),
    ("a deleted identity never comes back", tombstones::of_an_identity),
    ("an identity that leaves a scale set leaves its machines", tombstones::of_a_scale_set_identity),
    ("a deleted machine takes its principal and certificates", tombstones::of_a_machine),
    ("the last managed-identity extension takes the machine's certificates", tombstones::of_an_extension),
    ("a machine's certificates are forgotten when they have ended", tombstones::of_certificates),
    ("what lies below a resource goes with it", tombstones::of_what_lies_below),
    ("resources of unknown types come back, in pieces", resources::generic),
    ("machines of a scale set act as the scale set", resources::scale_sets),
    ("an operation ends with the last thing it waits for", resources::operations),
    ("a deployment outlives its operation's pruning", resources::deployments),
    ("a goal state counts its changes", resources::goal_states),
    ("a machine's scheduled events are counted", resources::scheduled_events),
    ("calls are counted by caller and day, so many of them", cutover::callers),
    ("a cutover goes with its machine and its extension", cutover::cutovers),
    ("an identity trusts external issuers", resources::federated_credentials),
    ("a refusal is audited though nothing changed", resources::refusals),
    ("every change is in the feed", feed::every_change),
    ("who saves is told the head of the feed", feed::saved),
    ("the feed loses nothing under many writers", feed::loses_nothing),
    ("a cursor of another history is refused", feed::other_history),
    ("a cursor older than what is kept is refused", feed::too_old),
    ("the feed keeps what is young, and so much of it", feed::pruned),
];

/// Runs the suite against fresh stores of a backend.
pub(crate) fn run(backend: &str, mut fresh: impl FnMut() -> Box<dyn Store>) {
    for (name, case) in CASES {
        println!("{backend}: {name}");
        case(&*fresh());
    }
}

/// Everything that other things stand on.
fn base(store: &dyn Store) {
    write(store, |tx| {
        tx.put_tenant(&tenant())?;
        tx.put_subscription(&subscription())?;
        tx.put_resource_group(&group())
    })
    .unwrap();
}

/// One of each noun.
fn everything(tx: &mut dyn Tx) -> Result<(), Error> {
    tx.put_user_assigned_identity(&identity(1))?;
    tx.put_virtual_machine(&machine(1, &[1]))?;
    tx.put_vm_extension(&extension(1))?;
    tx.put_scheduled_event(&resources::scheduled_event(1, domain::EventKind::Reboot, 0))?;
    tx.put_application(&application())?;
    tx.put_role_assignment(&role())?;
    tx.put_certificate_credential(&certificate(&identity(1).identity, Some(machine(1, &[]).id), 1))?;
    tx.put_signing_key(&signing_key())?;
    tx.put_external_issuer(&issuer())?;
    resources::one_of_each(tx)?;
    tx.put_value("name", "value")?;
    Ok(())
}
