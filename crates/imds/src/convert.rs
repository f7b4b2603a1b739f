//! Where the wire's words become the domain's, and back.

use broker::{Minted, Wanted};
use contract::imds::{Echo, TokenBody, TokenFields};
use contract::selector::{Selector, SelectorKind};

/// The domain's selector.
pub(crate) fn selector<'s>(selector: &'s Selector<'_>) -> domain::Selector<'s> {
    match selector.kind {
        SelectorKind::ClientId => domain::Selector::ClientId(&selector.value),
        SelectorKind::ObjectId => domain::Selector::ObjectId(&selector.value),
        SelectorKind::ResourceId => domain::Selector::ResourceId(&selector.value),
    }
}

/// What the answer repeats of a selector: ids as they were sent. A client id stands there anyway.
pub(crate) fn echo<'s>(selector: Option<&'s Selector<'_>>) -> Echo<'s> {
    match selector {
        None => Echo::None,
        Some(selector) => match selector.kind {
            SelectorKind::ClientId => Echo::None,
            SelectorKind::ObjectId => Echo::ObjectId(&selector.value),
            SelectorKind::ResourceId => Echo::ResourceId(&selector.value),
        },
    }
}

/// The ready body of a token. `ext_expires_in` is the life that the token had when it was made, less one
/// second, as captured from the real service.
pub(crate) fn token_body(wanted: &Wanted, minted: &Minted) -> TokenBody {
    let issued = minted.not_before.plus(std::time::Duration::from_secs(300));
    TokenBody::new(&TokenFields {
        access_token: minted.access_token.expose(),
        client_id: &wanted.identity.client_id.to_string(),
        expires_on: minted.expires_on.unix(),
        not_before: minted.not_before.unix(),
        resource: &wanted.resource,
        ext_expires_in: minted.expires_on.since(issued).as_secs().saturating_sub(1),
    })
}
