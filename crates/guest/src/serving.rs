//! Tokens by the credentials on the disk.

use std::sync::Arc;

use broker::{Broker, TokenCache, Wanted};
use contract::extension::{TokenBody, TokenRequest};
use contract::gate::Refusal;
use domain::{ClientId, ManagedIdentity, SelectionError, select};

use crate::convert;
use crate::endpoint::NoToken;
use crate::identities::{Identities, Loaded};

/// Where the extension's own tokens come from.
pub struct Serving {
    identities: Arc<Identities>,
    broker: Broker,
    tokens: Arc<TokenCache<TokenBody>>,
}

impl Serving {
    /// By these credentials.
    #[must_use]
    pub fn new(identities: Arc<Identities>, broker: Broker) -> Self {
        Self { identities, broker, tokens: Arc::new(TokenCache::new(convert::token_body)) }
    }

    /// The body of the answer. `who` is told whom the request is for, as soon as that is known.
    pub(crate) async fn token(
        &self,
        request: &TokenRequest<'_>,
        who: &mut Option<ClientId>,
    ) -> Result<Vec<u8>, NoToken> {
        let selector = request.selector.as_ref().map(convert::selector);
        let (loaded, identity) = self.identity(selector).await?;
        *who = Some(identity.client_id);
        let wanted = Wanted {
            vm: loaded.credential(identity.client_id).ok_or(Refusal::IdentityNotFound)?.vm.clone(),
            resource: request.resource.as_ref().into(),
            identity,
        };
        let served = self.broker.token(&self.tokens, wanted, false).await?;
        Ok(served.entry.body.render(served.remaining))
    }

    /// The identity that is meant. One that isn't known may have been added this very moment, so the disk is
    /// asked once more before it is refused.
    async fn identity(
        &self,
        selector: Option<domain::Selector<'_>>,
    ) -> Result<(Arc<Loaded>, Arc<ManagedIdentity>), Refusal> {
        let loaded = self.identities.current().await;
        self.tokens.retain(|principal| loaded.contains(principal));
        match select(&loaded.identities, selector) {
            Ok(identity) => Ok((Arc::clone(&loaded), Arc::clone(identity))),
            Err(SelectionError::Multiple) => Err(Refusal::SeveralIdentities),
            Err(SelectionError::NotFound) => {
                let loaded = self.identities.reload().await;
                let identity = select(&loaded.identities, selector).map(Arc::clone);
                identity.map(|identity| (loaded, identity)).map_err(|error| match error {
                    SelectionError::NotFound => Refusal::IdentityNotFound,
                    SelectionError::Multiple => Refusal::SeveralIdentities,
                })
            }
        }
    }
}
