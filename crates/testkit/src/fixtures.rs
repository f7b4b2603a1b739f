//! A small world with ids that can be read.

use std::time::Duration;

use domain::{
    AssignedIdentities, ClientId, IdentityKind, ManagedIdentity, ManualClock, PrincipalId, ResourceId, SubscriptionId,
    TenantId, Timestamp, VmSnapshot,
};

/// The tenant of everything here.
pub const TENANT: &str = "10000000-0000-4000-8000-000000000001";
/// The subscription of everything here.
pub const SUBSCRIPTION: &str = "20000000-0000-4000-8000-000000000001";
/// The moment at which [`clock`] starts: 2027-01-15T08:00:00Z.
pub const NOW: i64 = 1_800_000_000;
/// How long a token of [`crate::source::StubSource`] lives.
pub const LIFE: Duration = Duration::from_secs(86_400);

/// A clock that stands at [`NOW`].
#[must_use]
pub fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_unix(NOW))
}

/// The client id of the system-assigned identity (0) or of a user-assigned one (1, 2, …).
#[must_use]
pub fn client_id(number: usize) -> ClientId {
    guid("30000000-0000-4000-8000", number).parse().expect("a GUID")
}

/// The principal id of the system-assigned identity (0) or of a user-assigned one (1, 2, …).
#[must_use]
pub fn principal_id(number: usize) -> PrincipalId {
    guid("40000000-0000-4000-8000", number).parse().expect("a GUID")
}

/// The id of the VM `dev` in the resource group `dev`.
#[must_use]
pub fn vm_id() -> ResourceId {
    ResourceId::for_virtual_machine(subscription(), "dev", "dev").expect("an id")
}

/// The resource id of a user-assigned identity (1, 2, …): `app1`, `app2`, …
#[must_use]
pub fn identity_id(number: usize) -> ResourceId {
    ResourceId::for_user_assigned_identity(subscription(), "dev", &format!("app{number}")).expect("an id")
}

/// An identity of the VM `dev`: the system-assigned one (0) or a user-assigned one (1, 2, …).
#[must_use]
pub fn identity(number: usize) -> ManagedIdentity {
    let (kind, id) = match number {
        0 => (IdentityKind::SystemAssigned, vm_id()),
        user => (IdentityKind::UserAssigned, identity_id(user)),
    };
    ManagedIdentity { kind, id, tenant: tenant(), principal_id: principal_id(number), client_id: client_id(number) }
}

/// The VM `dev` with the system-assigned identity or without it, and with so many user-assigned ones.
#[must_use]
pub fn vm(system_assigned: bool, user_assigned: usize) -> VmSnapshot {
    VmSnapshot {
        id: vm_id(),
        vm_id: "50000000-0000-4000-8000-000000000001".parse().expect("a GUID"),
        tenant: tenant(),
        identities: AssignedIdentities::new(
            system_assigned.then(|| identity(0)),
            (1..=user_assigned).map(identity).collect(),
        ),
    }
}

/// The tenant of everything here.
#[must_use]
pub fn tenant() -> TenantId {
    TENANT.parse().expect("a GUID")
}

fn subscription() -> SubscriptionId {
    SUBSCRIPTION.parse().expect("a GUID")
}

fn guid(prefix: &str, number: usize) -> String {
    format!("{prefix}-{number:012x}")
}
