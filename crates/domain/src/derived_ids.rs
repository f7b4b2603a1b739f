//! Ids made from names, so that one seed gives the same ids on every machine.
//!
//! Each is a UUIDv5 (RFC 9562 §5.5, SHA-1) under a fixed namespace of its own. What is hashed is the resource id or the
//! name in ASCII lower case, so spelling does not matter. The namespaces and the golden values in the tests below are
//! promised: changing one changes the ids of every seeded world.
//!
//! Only `symbolon up` uses these; `serve` makes random GUIDs.

use uuid::{Uuid, uuid};

use crate::{ClientId, PrincipalId, ResourceId, RoleAssignmentId, ScaleSetId, Scope, SubscriptionId, TenantId, VmId};

/// Namespace of principal ids.
pub const PRINCIPAL_NAMESPACE: Uuid = uuid!("19c20078-eb93-431e-b574-16ea4d096117");
/// Namespace of client ids.
pub const CLIENT_NAMESPACE: Uuid = uuid!("6c8f904a-d3f9-4bdc-9b9b-ebb30df507f5");
/// Namespace of `vmId`s.
pub const VM_NAMESPACE: Uuid = uuid!("717a13d7-7cbd-4834-aacb-b557d7b368cb");
/// Namespace of tenant ids.
pub const TENANT_NAMESPACE: Uuid = uuid!("884d02f1-75b5-4eaa-8133-18a41e681780");
/// Namespace of subscription ids.
pub const SUBSCRIPTION_NAMESPACE: Uuid = uuid!("00f83558-0dbb-423e-aad0-38ea29888549");
/// The namespace of role assignment ids.
pub const ROLE_ASSIGNMENT_NAMESPACE: Uuid = uuid!("8f0c1f2e-4d0b-4d6e-9a55-6b1d2a7c3e90");

/// The principal id of the identity that `id` is or has.
#[must_use]
pub fn principal_id(id: &ResourceId) -> PrincipalId {
    PrincipalId::from_uuid(derive(PRINCIPAL_NAMESPACE, id.key()))
}

/// The client id of the identity that `id` is or has.
#[must_use]
pub fn client_id(id: &ResourceId) -> ClientId {
    ClientId::from_uuid(derive(CLIENT_NAMESPACE, id.key()))
}

/// The `vmId` of the machine `id`.
#[must_use]
pub fn vm_id(id: &ResourceId) -> VmId {
    VmId::from_uuid(derive(VM_NAMESPACE, id.key()))
}

/// The `uniqueId` of the scale set `id`.
#[must_use]
pub fn scale_set_id(id: &ResourceId) -> ScaleSetId {
    ScaleSetId::from_uuid(derive(VM_NAMESPACE, id.key()))
}

/// The id of the tenant of this name.
#[must_use]
pub fn tenant_id(name: &str) -> TenantId {
    TenantId::from_uuid(derive(TENANT_NAMESPACE, &name.to_ascii_lowercase()))
}

/// The id of the subscription of this name.
#[must_use]
pub fn subscription_id(name: &str) -> SubscriptionId {
    SubscriptionId::from_uuid(derive(SUBSCRIPTION_NAMESPACE, &name.to_ascii_lowercase()))
}

/// The principal id of the application of this name in `tenant`: hashed is `/{tenant}/applications/{name}`.
#[must_use]
pub fn application_principal_id(tenant: TenantId, name: &str) -> PrincipalId {
    PrincipalId::from_uuid(derive(PRINCIPAL_NAMESPACE, &application_key(tenant, name)))
}

/// The client id of the application of this name in `tenant`: hashed is `/{tenant}/applications/{name}`.
#[must_use]
pub fn application_client_id(tenant: TenantId, name: &str) -> ClientId {
    ClientId::from_uuid(derive(CLIENT_NAMESPACE, &application_key(tenant, name)))
}

/// The id of a role assignment: of who may do what, and where.
#[must_use]
pub fn role_assignment_id(principal: PrincipalId, role: &str, scope: &Scope) -> RoleAssignmentId {
    let key = format!("/{principal}/{role}{scope}").to_ascii_lowercase();
    RoleAssignmentId::from_uuid(derive(ROLE_ASSIGNMENT_NAMESPACE, &key))
}

fn application_key(tenant: TenantId, name: &str) -> String {
    format!("/{tenant}/applications/{}", name.to_ascii_lowercase())
}

fn derive(namespace: Uuid, lower_case: &str) -> Uuid {
    Uuid::new_v5(&namespace, lower_case.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden values computed with another implementation (Python's `uuid.uuid5`).
    #[test]
    fn golden() {
        let (tenant, sub) = (tenant_id("dev"), subscription_id("dev"));
        let vm = ResourceId::for_virtual_machine(sub, "dev", "dev").unwrap();
        let app = ResourceId::for_user_assigned_identity(sub, "dev", "app").unwrap();
        let got = [
            tenant.to_string(),
            sub.to_string(),
            vm_id(&vm).to_string(),
            principal_id(&vm).to_string(),
            client_id(&vm).to_string(),
            principal_id(&app).to_string(),
            client_id(&app).to_string(),
            application_principal_id(tenant, "ci").to_string(),
            application_client_id(tenant, "ci").to_string(),
        ];
        assert_eq!(got, GOLDEN);
    }

    #[test]
    fn spelling_does_not_matter() {
        let vm = ResourceId::for_virtual_machine(subscription_id("dev"), "dev", "dev").unwrap();
        let upper = ResourceId::parse(&vm.as_str().to_ascii_uppercase()).unwrap();
        assert_eq!((principal_id(&vm), vm_id(&vm)), (principal_id(&upper), vm_id(&upper)));
        assert_eq!(tenant_id("dev"), tenant_id("DEV"));
    }

    #[test]
    fn no_two_kinds_share_an_id() {
        let vm = ResourceId::for_virtual_machine(subscription_id("dev"), "dev", "dev").unwrap();
        assert_ne!(principal_id(&vm).as_uuid(), client_id(&vm).as_uuid());
        assert_ne!(principal_id(&vm).as_uuid(), vm_id(&vm).as_uuid());
        assert_ne!(tenant_id("dev").as_uuid(), subscription_id("dev").as_uuid());
    }

    const GOLDEN: [&str; 9] = [
        "bea16565-911a-5e53-a505-4a9e838cf00d",
        "d2ce2428-4d30-5caa-a042-59ac25faf3dc",
        "547c17a6-b5ce-51c3-aef9-ae681608fd2c",
        "885ae7a3-2d5a-55be-9187-bf003fa867aa",
        "828a7102-b904-556c-96c1-e28447f83b90",
        "0ccec972-36fa-576c-87e2-c75c452e7717",
        "62381fc9-7bb8-5738-b51a-212d0cdebd95",
        "098ee429-c962-5927-991b-cd297d0bfde8",
        "16569e8c-9531-5de8-ac0a-60a1a1a0b293",
    ];
}
