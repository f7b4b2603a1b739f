//! Where the wire's words become the domain's, and back.

use broker::{Minted, Wanted};
use contract::extension::{TokenBody, TokenFields};
use contract::selector::{Selector, SelectorKind};

/// The domain's selector.
pub(crate) fn selector<'s>(selector: &'s Selector<'_>) -> domain::Selector<'s> {
    match selector.kind {
        SelectorKind::ClientId => domain::Selector::ClientId(&selector.value),
        SelectorKind::ObjectId => domain::Selector::ObjectId(&selector.value),
        SelectorKind::ResourceId => domain::Selector::ResourceId(&selector.value),
    }
}

/// The ready body of a token.
pub(crate) fn token_body(wanted: &Wanted, minted: &Minted) -> TokenBody {
    TokenBody::new(&TokenFields {
        access_token: minted.access_token.expose(),
        expires_on: minted.expires_on.unix(),
        not_before: minted.not_before.unix(),
        resource: &wanted.resource,
    })
}
