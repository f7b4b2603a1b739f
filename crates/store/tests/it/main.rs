//! The store: one suite for every backend, and what each backend promises beyond it.
//!
//! A second backend is one more module like `sqlite`, whose test calls [`suite::run`] with its own factory.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test whose set-up fails has failed, and the suite says which case runs"
)]

mod handle;
mod sqlite;
mod suite;

use domain::{
    Application, CertificateCredential, ExtensionSpec, ExternalIssuer, FederatedCredential, IdentityKind, JwksSource,
    KeyState, ManagedIdentity, PowerState, ProvisioningState, ResourceGroup, ResourceId, RoleAssignment, Scope,
    SecretVerifier, SigningKeyRecord, Subscription, SubscriptionId, Tenant, TenantId, Timestamp, UserAssignedIdentity,
    VirtualMachine, VmExtension,
};
use store::{Act, Error, Founding, Store, Tx};
use uuid::Uuid;

const NOW: i64 = 1_800_000_000;

fn founding(number: u128) -> Founding {
    Founding { installation: Uuid::from_u128(number), epoch: Uuid::from_u128(number + 1_000) }
}

fn act(action: &str) -> Act {
    Act::new("test", action, "target", Timestamp::from_unix(NOW))
}

/// Does something in a transaction of its own.
fn write<T>(store: &dyn Store, f: impl FnOnce(&mut dyn Tx) -> Result<T, Error>) -> Result<T, Error> {
    let mut tx = store.begin(act("test"))?;
    let done = f(&mut *tx)?;
    tx.save()?;
    Ok(done)
}

fn tenant() -> Tenant {
    Tenant { id: guid::<TenantId>(0x10, 1), name: "dev".to_owned(), created_at: Some(Timestamp::from_unix(NOW)) }
}

fn subscription() -> Subscription {
    Subscription { id: guid::<SubscriptionId>(0x20, 1), name: "dev".to_owned(), tenant: tenant().id }
}

fn group() -> ResourceGroup {
    ResourceGroup {
        id: ResourceId::for_resource_group(subscription().id, "dev").unwrap(),
        name: "dev".to_owned(),
        location: "westeurope".to_owned(),
        tags: Default::default(),
        subscription: subscription().id,
    }
}

fn identity(number: u32) -> UserAssignedIdentity {
    let name = format!("app{number}");
    UserAssignedIdentity {
        identity: ManagedIdentity {
            kind: IdentityKind::UserAssigned,
            id: ResourceId::for_user_assigned_identity(subscription().id, "dev", &name).unwrap(),
            tenant: tenant().id,
            principal_id: guid(0x40, number),
            client_id: guid(0x30, number),
        },
        name,
        location: "westeurope".to_owned(),
        tags: [("team".to_owned(), "a".to_owned())].into(),
    }
}

fn machine(number: u32, user_assigned: &[u32]) -> VirtualMachine {
    let name = format!("vm{number}");
    let id = ResourceId::for_virtual_machine(subscription().id, "dev", &name).unwrap();
    VirtualMachine {
        vm_id: guid(0x50, number),
        tenant: tenant().id,
        name,
        location: "westeurope".to_owned(),
        size: "Standard_B1s".to_owned(),
        tags: Default::default(),
        system_assigned: Some(ManagedIdentity {
            kind: IdentityKind::SystemAssigned,
            id: id.clone(),
            tenant: tenant().id,
            principal_id: guid(0x41, number),
            client_id: guid(0x31, number),
        }),
        user_assigned: user_assigned.iter().map(|number| identity(*number).identity.id).collect(),
        attachment: None,
        document: "{}".to_owned(),
        power: PowerState::Running,
        generation: 0,
        created_at: Timestamp::from_unix(0),
        instance: None,
        id,
    }
}

fn extension(number: u32) -> VmExtension {
    let vm = machine(number, &[]).id;
    VmExtension {
        id: vm.child("extensions", "msi").unwrap(),
        vm,
        name: "msi".to_owned(),
        location: "westeurope".to_owned(),
        tags: Default::default(),
        spec: ExtensionSpec {
            publisher: "Microsoft.ManagedIdentity".to_owned(),
            extension_type: "ManagedIdentityExtensionForLinux".to_owned(),
            type_handler_version: "1.0".to_owned(),
            auto_upgrade_minor_version: true,
            enable_automatic_upgrade: None,
            force_update_tag: None,
            settings: Some("{\"port\":50342}".to_owned()),
            protected_settings: None,
        },
        disabled: false,
        sequence: 1,
        state: ProvisioningState::Creating,
        status: None,
    }
}

fn application() -> Application {
    Application {
        tenant: tenant().id,
        client_id: guid(0x32, 1),
        principal_id: guid(0x42, 1),
        name: "ci".to_owned(),
        secrets: vec![SecretVerifier {
            id: guid(0x60, 1),
            salt: vec![1, 2],
            tag: vec![3, 4],
            hint: "abc".to_owned(),
            expires_on: Some(Timestamp::from_unix(NOW + 1)),
        }],
        federated: vec![FederatedCredential {
            name: "github".to_owned(),
            issuer: "https://i/".to_owned(),
            subject: "s".to_owned(),
            audience: "a".to_owned(),
        }],
    }
}

fn certificate(holder: &ManagedIdentity, vm: Option<ResourceId>, number: u8) -> CertificateCredential {
    CertificateCredential {
        holder: holder.principal_id,
        tenant: holder.tenant,
        client_id: holder.client_id,
        vm,
        thumbprint_sha1: [number; 20],
        thumbprint_sha256: [number; 32],
        certificate_der: vec![number; 10],
        not_before: Timestamp::from_unix(NOW),
        not_after: Timestamp::from_unix(NOW + 86_400),
        revoked_at: None,
    }
}

fn role() -> RoleAssignment {
    RoleAssignment {
        id: guid(0x70, 1),
        principal: application().principal_id,
        role: "Owner".to_owned(),
        scope: Scope::Root,
        created_at: Some(Timestamp::from_unix(NOW)),
        created_by: Some(application().principal_id),
    }
}

fn signing_key() -> SigningKeyRecord {
    SigningKeyRecord {
        kid: "k".to_owned(),
        issuer: "https://i/{tenant}/".to_owned(),
        purpose: "access-token".to_owned(),
        version: 1,
        state: KeyState::Next,
        certificate_der: vec![1],
        wrapped: vec![2],
        kek_id: "kek".to_owned(),
        published_at: Timestamp::from_unix(NOW),
        activated_at: None,
        retired_at: None,
        revoked_at: None,
    }
}

fn issuer() -> ExternalIssuer {
    ExternalIssuer { url: "https://i/".to_owned(), jwks: JwksSource::Url("https://i/keys".to_owned()) }
}

fn guid<T: std::str::FromStr<Err: std::fmt::Debug>>(kind: u8, number: u32) -> T {
    format!("{kind:02x}000000-0000-4000-8000-{number:012x}").parse().expect("a GUID")
}
