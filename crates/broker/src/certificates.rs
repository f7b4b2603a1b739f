//! The source of a host that holds the certificate of each of its VMs' identities: it signs in to any authority that speaks
//! Entra's protocol.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use domain::{ClientId, SharedClock};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::credential::Credential;
use crate::http::AuthorityClient;
use crate::source::{Minted, SourceError, TokenSource, Wanted};

/// Signs in with credentials that are kept in this process. They may be replaced at any time.
pub struct Certificates {
    authority: AuthorityClient,
    credentials: ArcSwap<HashMap<ClientId, Arc<Credential>>>,
    clock: SharedClock,
}

/// Nobody gave this host the identity's credential.
#[derive(Debug, thiserror::Error)]
#[error("this host has no credential of client {0}")]
struct NoCredential(ClientId);

impl Certificates {
    /// A source that asks this authority with these credentials.
    #[must_use]
    pub fn new(
        authority: AuthorityClient,
        credentials: impl IntoIterator<Item = Credential>,
        clock: SharedClock,
    ) -> Self {
        Self { authority, credentials: ArcSwap::from_pointee(by_client(credentials)), clock }
    }

    /// Signs in with these from now on, and with no others.
    pub fn replace(&self, credentials: impl IntoIterator<Item = Credential>) {
        self.credentials.store(Arc::new(by_client(credentials)));
    }
}

fn by_client(credentials: impl IntoIterator<Item = Credential>) -> HashMap<ClientId, Arc<Credential>> {
    credentials.into_iter().map(|credential| (credential.identity.client_id, Arc::new(credential))).collect()
}

impl TokenSource for Certificates {
    fn token(&self, wanted: Wanted) -> BoxFuture<'static, Result<Minted, SourceError>> {
        let client_id = wanted.identity.client_id;
        let (authority, credential, now) =
            (self.authority.clone(), self.credentials.load().get(&client_id).cloned(), self.clock.now());
        async move {
            let credential = credential.ok_or_else(|| SourceError::Internal(Arc::new(NoCredential(client_id))))?;
            authority.sign_in(credential, now, &wanted.resource).await
        }
        .boxed()
    }
}
