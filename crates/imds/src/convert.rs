//! Where the wire's words become the domain's, and back.

use std::time::Duration;

use broker::{Minted, Wanted};
use contract::imds::{AttestedDocument, Echo, Instance, TokenBody, TokenFields};
use contract::selector::{Selector, SelectorKind};
use domain::Timestamp;

/// How long an attested document is good; samples of the real service have from seconds to these six hours.
const ATTESTED_LIFE: Duration = Duration::from_secs(6 * 3_600);

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
    let issued = minted.not_before.plus(Duration::from_secs(300));
    TokenBody::new(&TokenFields {
        access_token: minted.access_token.expose(),
        client_id: &wanted.identity.client_id.to_string(),
        expires_on: minted.expires_on.unix(),
        not_before: minted.not_before.unix(),
        resource: &wanted.resource,
        ext_expires_in: minted.expires_on.since(issued).as_secs().saturating_sub(1),
    })
}

/// What is attested of a VM.
pub(crate) fn attested(instance: &Instance, now: Timestamp) -> AttestedDocument<'_> {
    let compute = &instance.compute;
    AttestedDocument {
        license_type: &compute.license_type,
        plan: &compute.plan,
        sku: &compute.storage_profile.image_reference.sku,
        subscription_id: &compute.subscription_id,
        vm_id: &compute.vm_id,
        created_on: now.unix(),
        expires_on: now.plus(ATTESTED_LIFE).unix(),
    }
}
