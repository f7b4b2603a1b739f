//! Who a person is that signs in on a page of ours: an application of the installation, known by its secret. There are no
//! users, and nothing weaker than a secret lets anybody in.

use authority::Account;
use domain::{Application, ClientId, PrincipalId, SecretId, Tenant, TenantId, Timestamp};
use secrecy::SecretString;
use store::ReadTx;

use crate::app::App;

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) tenant: Tenant,
    pub(crate) principal_id: PrincipalId,
    /// The account's own client id.
    pub(crate) client_id: ClientId,
    pub(crate) account: Account,
    /// The secret that was entered: when it goes, so does what it gave.
    pub(crate) secret: SecretId,
    pub(crate) at: Timestamp,
}

/// Looks an account up, by its name, `name@tenant` or client id, and checks its secret. `None` when they don't fit; it
/// isn't told which was wrong. Without a `tenant` the account must say which one, or be of the only one there is.
pub(crate) async fn sign_in(
    app: &App,
    tenant: Option<TenantId>,
    account: &str,
    secret: &SecretString,
) -> Result<Option<SignedIn>, store::Error> {
    let account = account.trim().to_owned();
    let found = app.store.read(move |tx| find(tx, tenant, &account)).await?;
    let now = app.authority.clock().now();
    Ok(found.and_then(|(tenant, application)| {
        let used = application.secrets.iter().find(|verifier| app.secrets.matches(verifier, secret))?;
        let secret = used.expires_on.is_none_or(|end| now < end).then_some(used.id)?;
        Some(signed_in(tenant, &application, secret, now))
    }))
}

/// The same account later, if it still is one and what it signed in with is still accepted.
pub(crate) async fn again(
    app: &App,
    tenant: TenantId,
    client_id: ClientId,
    principal_id: PrincipalId,
    secret: SecretId,
    at: Timestamp,
) -> Result<Option<SignedIn>, store::Error> {
    let read = move |tx: &dyn ReadTx| {
        let found = tx.tenant(tenant)?.zip(tx.application(tenant, client_id)?);
        Ok::<_, store::Error>(found.filter(|(_, application)| application.principal_id == principal_id))
    };
    let found = app.store.read(read).await?;
    let now = app.authority.clock().now();
    Ok(found.and_then(|(tenant, application)| {
        let used = application.secrets.iter().find(|verifier| verifier.id == secret)?;
        let accepted = used.expires_on.is_none_or(|end| now < end);
        accepted.then(|| signed_in(tenant, &application, secret, at))
    }))
}

fn signed_in(tenant: Tenant, application: &Application, secret: SecretId, at: Timestamp) -> SignedIn {
    let (name, username) = (application.name.clone(), format!("{}@{}", application.name, tenant.name));
    let account = Account { name, username };
    let (principal_id, client_id) = (application.principal_id, application.client_id);
    SignedIn { tenant, principal_id, client_id, account, secret, at }
}

fn find(
    tx: &dyn ReadTx,
    tenant: Option<TenantId>,
    account: &str,
) -> Result<Option<(Tenant, Application)>, store::Error> {
    let (name, named) = match account.rsplit_once('@') {
        Some((name, tenant)) => (name, tx.tenant_by_name(tenant)?),
        None => (account, None),
    };
    // An application's own name may hold an `@`.
    let name = if named.is_some() { name } else { account };
    let client_id = name.parse::<ClientId>().ok();
    let principal = client_id.map(|id| tx.service_principal_by_client(id)).transpose()?.flatten();
    let home = match (tenant, named, principal) {
        (Some(tenant), None, _) => Some(tenant),
        (Some(tenant), Some(named), _) => (named.id == tenant).then_some(tenant),
        (None, Some(named), _) => Some(named.id),
        (None, None, Some(principal)) => Some(principal.tenant),
        (None, None, None) => {
            let mut tenants = tx.tenants()?;
            tenants.pop().filter(|_| tenants.is_empty()).map(|only| only.id)
        }
    };
    let Some(home) = home else { return Ok(None) };
    let application = match client_id {
        Some(client_id) => tx.application(home, client_id)?,
        None => tx.application_by_name(home, name)?,
    };
    Ok(tx.tenant(home)?.zip(application))
}
