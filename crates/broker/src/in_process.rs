//! The source that signs with the authority in the same process: the metadata service's own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use authority::signing_pool::PoolError;
use authority::{Authority, Evidence, MintError, Subject, TokenSpec};
use domain::{IdentityKind, ManagedIdentity, ResourceId, TenantId, Timestamp};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use metrics::Counter;

use crate::source::{AccessToken, Minted, SourceError, TokenSource, Wanted};

/// The life of a token of the metadata service, unless configured otherwise.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(86_400);

/// Tokens of managed identities, signed in this process.
#[derive(Clone)]
pub struct InProcess {
    authority: Authority,
    lifetime: Duration,
    /// When each tenant was created.
    tenants: Arc<HashMap<TenantId, Timestamp>>,
    signatures: Counter,
}

impl InProcess {
    /// A source whose tokens live for so long, and say of these tenants when they were created.
    #[must_use]
    pub fn new(authority: Authority, lifetime: Duration, tenants: HashMap<TenantId, Timestamp>) -> Self {
        Self {
            authority,
            lifetime,
            tenants: Arc::new(tenants),
            signatures: metrics::counter!("symbolon_signatures_total"),
        }
    }
}

impl TokenSource for InProcess {
    fn token(&self, wanted: Wanted) -> BoxFuture<'static, Result<Minted, SourceError>> {
        let this = self.clone();
        async move {
            let spec = TokenSpec {
                tenant: wanted.identity.tenant,
                principal_id: wanted.identity.principal_id,
                client_id: wanted.identity.client_id,
                subject: subject(&wanted.identity, Some(&wanted.vm)),
                audience: wanted.resource,
                lifetime: this.lifetime,
                tenant_created_at: this.tenants.get(&wanted.identity.tenant).copied(),
                capabilities: Vec::new(),
                evidence: Evidence::Machine,
            };
            let token = this.authority.mint(&spec).await.map_err(failed)?;
            this.signatures.increment(1);
            let (not_before, expires_on) = (token.not_before, token.expires_on);
            Ok(Minted { access_token: AccessToken::new(token.into_jwt()), not_before, expires_on })
        }
        .boxed()
    }
}

/// What a token says of a managed identity; `used_by` is the VM that a user-assigned one was used on.
#[must_use]
pub fn subject(identity: &ManagedIdentity, used_by: Option<&ResourceId>) -> Subject {
    match identity.kind {
        IdentityKind::SystemAssigned => {
            Subject::ManagedIdentity { resource_id: as_claimed(&identity.id), used_by: None }
        }
        IdentityKind::UserAssigned => {
            Subject::ManagedIdentity { resource_id: as_claimed(&identity.id), used_by: used_by.map(as_claimed) }
        }
    }
}

/// A resource id as claims have it: with `resourcegroups` in lower case (a decoded VM token of 5 Dec 2025).
fn as_claimed(id: &ResourceId) -> String {
    id.as_str().replacen("/resourceGroups/", "/resourcegroups/", 1)
}

fn failed(error: MintError) -> SourceError {
    match error {
        MintError::Pool(PoolError::Full) => SourceError::Busy { retry_after: Duration::from_secs(1) },
        MintError::Pool(PoolError::Sign(_) | PoolError::Ended) | MintError::Random | MintError::Claims(_) => {
            SourceError::Internal(Arc::new(error))
        }
    }
}
