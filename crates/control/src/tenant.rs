//! Which tenant a path means: a GUID, a name, `common`, `organizations` or `adfs`.

use contract::aadsts::Aadsts;
use domain::{Tenant, TenantId};
use store::{Handle, ReadTx};

/// What stands in the path.
pub(crate) enum TenantPath {
    /// A tenant that exists.
    One(Tenant),
    /// No tenant in particular.
    Common,
}

/// Why the tenant isn't known.
pub(crate) enum TenantError {
    /// The client's fault.
    Refused(Aadsts),
    /// The store's.
    Store(store::Error),
}

impl From<store::Error> for TenantError {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// The longest name of a domain.
const MAX_NAME: usize = 253;

/// Finds the tenant of a path.
pub(crate) async fn find(store: &Handle, text: &str) -> Result<TenantPath, TenantError> {
    if matches!(text, "common" | "organizations") {
        return Ok(TenantPath::Common);
    }
    if is_adfs(text) {
        return only(store, text).await.map(TenantPath::One);
    }
    let sound = !text.is_empty()
        && text.len() <= MAX_NAME
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    if !sound {
        let tenant = text.chars().take(64).collect();
        return Err(TenantError::Refused(Aadsts::InvalidTenant { tenant }));
    }
    let name = text.to_owned();
    let found = store.read(move |tx| lookup(tx, &name)).await?;
    let unknown = || TenantError::Refused(Aadsts::UnknownTenant { tenant: text.to_owned() });
    found.map(TenantPath::One).ok_or_else(unknown)
}

/// Whether a path is that of an ADFS, which has no tenants: older clients take any other authority for one.
pub(crate) fn is_adfs(text: &str) -> bool {
    text.eq_ignore_ascii_case("adfs")
}

/// The only tenant there is, for a path that `named` none.
pub(crate) async fn only(store: &Handle, named: &str) -> Result<Tenant, TenantError> {
    let mut tenants = store.read(|tx| tx.tenants()).await?;
    match (tenants.pop(), tenants.is_empty()) {
        (Some(one), true) => Ok(one),
        _ => Err(TenantError::Refused(Aadsts::UnknownTenant { tenant: named.to_owned() })),
    }
}

/// By id, by its name, or by the domain that the real service makes of a name.
fn lookup(tx: &dyn ReadTx, text: &str) -> Result<Option<Tenant>, store::Error> {
    if let Ok(id) = text.parse::<TenantId>() {
        return tx.tenant(id);
    }
    match (tx.tenant_by_name(text)?, text.strip_suffix(".onmicrosoft.com")) {
        (None, Some(short)) => tx.tenant_by_name(short),
        (found, _) => Ok(found),
    }
}
