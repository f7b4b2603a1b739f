//! What a running `up` tells of itself.

use std::net::SocketAddr;
use std::path::Path;

use domain::{Attachment, IdentityKind, VirtualMachine, VmSnapshot};

use super::instance::{Admin, Instance, InstanceIdentity, InstanceVm};
use super::machines::listens_at;

/// What is told of a VM.
pub(crate) fn vm(
    vm: &VirtualMachine,
    attachment: &Attachment,
    extension: Option<String>,
    snapshot: &VmSnapshot,
) -> InstanceVm {
    let authority = |address: SocketAddr| match address.port() {
        80 => address.ip().to_string(),
        _ => address.to_string(),
    };
    let identities = snapshot.identities.iter().map(|identity| InstanceIdentity {
        kind: match identity.kind {
            IdentityKind::SystemAssigned => "SystemAssigned".to_owned(),
            IdentityKind::UserAssigned => "UserAssigned".to_owned(),
        },
        name: identity.id.name().to_owned(),
        id: identity.id.to_string(),
        client_id: identity.client_id.to_string(),
        principal_id: identity.principal_id.to_string(),
    });
    InstanceVm {
        name: vm.name.clone(),
        id: vm.id.to_string(),
        imds: match listens_at(attachment) {
            Some(address) => format!("http://{}", authority(address)),
            None => attachment.to_string(),
        },
        extension,
        identities: identities.collect(),
    }
}

/// What is told of all of it.
pub(crate) fn instance(
    vms: Vec<InstanceVm>,
    base_url: &str,
    metrics: SocketAddr,
    tenant_id: String,
    ca_file: &Path,
    admin: Admin,
) -> Instance {
    let first = vms.first();
    let segment = |number: usize| first.and_then(|vm| vm.id.split('/').nth(number)).unwrap_or_default().to_owned();
    Instance {
        imds: first.and_then(InstanceVm::metadata_service).map(str::to_owned),
        extension: first.and_then(|vm| vm.extension.clone()),
        arm: base_url.to_owned(),
        authority: base_url.to_owned(),
        metrics: format!("http://{metrics}"),
        tenant_id,
        subscription_id: segment(2),
        resource_group: segment(4),
        wire_servers: Vec::new(),
        ca_file: std::path::absolute(ca_file).unwrap_or_else(|_| ca_file.to_owned()),
        issuer_certificate: None,
        admin: Some(admin),
        pid: std::process::id(),
        vms,
    }
}
