//! Where the extension's tokens come from: the authority, asked over TLS with an assertion of the disk's key.

use std::sync::Arc;

use broker::http::AuthorityClient;
use broker::{Minted, SourceError, TokenSource, Wanted};
use domain::SharedClock;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::identities::Identities;

/// Signs in with the credentials on the disk.
pub struct ExtensionSource {
    authority: AuthorityClient,
    identities: Arc<Identities>,
    clock: SharedClock,
}

/// The identity's credential is no longer on the disk.
#[derive(Debug, thiserror::Error)]
#[error("there is no credential of client {0} on this machine's disk")]
struct NoCredential(domain::ClientId);

impl ExtensionSource {
    /// A source that asks this authority with those credentials.
    #[must_use]
    pub fn new(authority: AuthorityClient, identities: Arc<Identities>, clock: SharedClock) -> Self {
        Self { authority, identities, clock }
    }
}

impl TokenSource for ExtensionSource {
    fn token(&self, wanted: Wanted) -> BoxFuture<'static, Result<Minted, SourceError>> {
        let (authority, identities, now) = (self.authority.clone(), self.identities.clone(), self.clock.now());
        async move {
            let client_id = wanted.identity.client_id;
            let loaded = identities.current().await;
            let credential =
                loaded.credential(client_id).ok_or_else(|| SourceError::Internal(Arc::new(NoCredential(client_id))))?;
            authority.sign_in(credential, now, &wanted.resource).await
        }
        .boxed()
    }
}
