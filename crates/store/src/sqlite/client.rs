//! Clients of the token endpoint.

use domain::{ClientId, IdentityKind, ManagedIdentity, PrincipalKind, ServicePrincipal, TenantId};

use super::application::{federated, secrets};
use super::query::Source;
use crate::{
    ApplicationReader as _, CertificateCredentialReader as _, ClientReader, ClientRecord, Error, Holder,
    RoleAssignmentReader as _, ServicePrincipalReader as _,
};

impl<S: Source> ClientReader for S {
    fn client(&self, tenant: TenantId, client_id: ClientId) -> Result<Option<ClientRecord>, Error> {
        let found = self.service_principal_by_client(client_id)?;
        let Some(principal) = found.filter(|found| found.tenant == tenant && found.deleted_at.is_none()) else {
            return Ok(None);
        };
        let id = principal.principal_id;
        Ok(Some(ClientRecord {
            holder: holder(self, &principal)?,
            secrets: secrets(self, id)?,
            certificates: self.certificate_credentials_of(id)?,
            federated: federated(self, id)?,
            roles: self.role_assignments_of(id)?,
            principal,
        }))
    }
}

fn holder(source: &impl Source, principal: &ServicePrincipal) -> Result<Holder, Error> {
    let wrong = |what: &'static str| Error::stored("service_principal", principal.principal_id.to_string(), what);
    let kind = match principal.kind {
        PrincipalKind::SystemAssigned => IdentityKind::SystemAssigned,
        PrincipalKind::UserAssigned => IdentityKind::UserAssigned,
        PrincipalKind::Application => {
            let application = source.application(principal.tenant, principal.client_id)?;
            let application = application.ok_or_else(|| wrong("its application does not exist"))?;
            return Ok(Holder::Application { name: application.name });
        }
    };
    let owner = principal.owner.clone().ok_or_else(|| wrong("it has no owner"))?;
    Ok(Holder::ManagedIdentity(ManagedIdentity {
        kind,
        id: owner,
        tenant: principal.tenant,
        principal_id: principal.principal_id,
        client_id: principal.client_id,
    }))
}
