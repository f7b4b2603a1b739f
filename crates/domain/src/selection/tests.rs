use std::time::{Duration, Instant};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{ClientId, IdentityKind, PrincipalId, ResourceId, SubscriptionId, TenantId};

const SUB: u128 = 1;
const TENANT: u128 = 2;

fn user(n: u128) -> ManagedIdentity {
    let sub = SubscriptionId::from_uuid(Uuid::from_u128(SUB));
    identity(
        IdentityKind::UserAssigned,
        ResourceId::for_user_assigned_identity(sub, "Dev", &format!("App-{n}")).unwrap(),
        n,
    )
}

fn system(n: u128) -> ManagedIdentity {
    let sub = SubscriptionId::from_uuid(Uuid::from_u128(SUB));
    identity(IdentityKind::SystemAssigned, ResourceId::for_virtual_machine(sub, "Dev", "vm").unwrap(), n)
}

fn identity(kind: IdentityKind, id: ResourceId, n: u128) -> ManagedIdentity {
    ManagedIdentity {
        kind,
        id,
        tenant: TenantId::from_uuid(Uuid::from_u128(TENANT)),
        principal_id: PrincipalId::from_uuid(Uuid::from_u128(0xA000 + n)),
        client_id: ClientId::from_uuid(Uuid::from_u128(0xC000 + n)),
    }
}

#[test]
fn default_identity() {
    let none = AssignedIdentities::default();
    assert_eq!(select(&none, None), Err(SelectionError::NotFound));

    let one = AssignedIdentities::new(None, vec![user(1)]);
    assert_eq!(**select(&one, None).unwrap(), user(1));

    let twice = AssignedIdentities::new(None, vec![user(1), user(1)]);
    assert_eq!(**select(&twice, None).unwrap(), user(1), "the same identity twice is one");

    let many = AssignedIdentities::new(None, vec![user(1), user(2)]);
    assert_eq!(select(&many, None), Err(SelectionError::Multiple));

    let both = AssignedIdentities::new(Some(system(9)), vec![user(1), user(2)]);
    assert_eq!(**select(&both, None).unwrap(), system(9));
}

#[test]
fn selectors_match_without_case_and_never_fall_back() {
    let ids = AssignedIdentities::new(Some(system(9)), vec![user(1), user(2)]);
    let upper = user(2).id.as_str().to_ascii_uppercase();
    assert_eq!(**select(&ids, Some(Selector::ResourceId(&upper))).unwrap(), user(2));
    let client = user(1).client_id.to_string().to_ascii_uppercase();
    assert_eq!(**select(&ids, Some(Selector::ClientId(&client))).unwrap(), user(1));
    let object = system(9).principal_id.to_string();
    assert_eq!(**select(&ids, Some(Selector::ObjectId(&object))).unwrap(), system(9));

    let own = system(9).id;
    let padded = format!(" {client}");
    for sel in [
        Selector::ClientId(&object),
        Selector::ObjectId(&client),
        Selector::ClientId(""),
        Selector::ClientId(&padded),
        Selector::ResourceId(""),
        Selector::ResourceId(own.as_str()),
    ] {
        assert_eq!(select(&ids, Some(sel)), Err(SelectionError::NotFound), "{sel:?}");
    }
}

#[test]
fn texts_are_the_documented_ones() {
    assert_eq!(SelectionError::NotFound.to_string(), "Identity not found");
    assert_eq!(
        SelectionError::Multiple.to_string(),
        "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the \
         token request"
    );
}

/// A linear search through 1,000 identities costs hundreds of times one through 8; the bound leaves room for noise.
#[test]
#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn a_thousand_identities_cost_what_eight_cost() {
    let cost = |count: u128| {
        let ids = AssignedIdentities::new(None, (0..count).map(user).collect());
        let last = user(count - 1);
        let (client, resource) = (last.client_id.to_string(), last.id.as_str().to_owned());
        let round = || {
            let start = Instant::now();
            for _ in 0..200 {
                assert_eq!(select(&ids, Some(Selector::ClientId(&client))).unwrap().client_id, last.client_id);
                assert_eq!(select(&ids, Some(Selector::ResourceId(&resource))).unwrap().client_id, last.client_id);
            }
            start.elapsed()
        };
        (0..20).map(|_| round()).min().unwrap_or(Duration::MAX)
    };
    let (few, many) = (cost(8), cost(1_000));
    assert!(many < few * 20, "8 identities: {few:?}, 1,000: {many:?}");
}

/// The rule said in the plainest way, to compare with.
fn model<'a>(
    system: Option<&'a ManagedIdentity>,
    users: &'a [ManagedIdentity],
    sel: Option<Selector<'_>>,
) -> Result<&'a ManagedIdentity, SelectionError> {
    let lower = |text: &str| text.to_ascii_lowercase();
    let mut all = system.into_iter().chain(users);
    match sel {
        Some(Selector::ClientId(text)) => all.find(|i| i.client_id.to_string() == lower(text)),
        Some(Selector::ObjectId(text)) => all.find(|i| i.principal_id.to_string() == lower(text)),
        Some(Selector::ResourceId(text)) => users.iter().find(|i| lower(i.id.as_str()) == lower(text)),
        None => match (system, users) {
            (Some(system), _) => Some(system),
            (None, [first, rest @ ..]) if rest.iter().all(|other| other == first) => Some(first),
            (None, []) => None,
            (None, _) => return Err(SelectionError::Multiple),
        },
    }
    .ok_or(SelectionError::NotFound)
}

proptest! {
    #[test]
    fn agrees_with_the_model_and_never_leaves_the_assigned(
        with_system in any::<bool>(),
        chosen in proptest::collection::vec(0_u128..30, 0..25),
        wanted in 0_u128..40,
        how in 0_u8..5,
        upper in any::<bool>(),
    ) {
        let system = with_system.then(|| system(35));
        let users: Vec<_> = chosen.iter().map(|n| user(*n)).collect();
        let ids = AssignedIdentities::new(system.clone(), users.clone());
        let target = if wanted == 35 { self::system(35) } else { user(wanted) };
        let text = match how {
            0 => target.client_id.to_string(),
            1 => target.principal_id.to_string(),
            _ => target.id.as_str().to_owned(),
        };
        let text = if upper { text.to_ascii_uppercase() } else { text };
        let sel = match how {
            0 => Some(Selector::ClientId(&text)),
            1 => Some(Selector::ObjectId(&text)),
            2 => Some(Selector::ResourceId(&text)),
            3 => Some(Selector::ClientId(&text)),
            _ => None,
        };
        let got = select(&ids, sel);
        prop_assert_eq!(got.map(|i| &**i), model(system.as_ref(), &users, sel));
        if let Ok(identity) = got {
            let assigned = system.iter().chain(&users).any(|i| i == &**identity);
            prop_assert!(assigned, "selected {:?}, which is not assigned", identity);
        }
    }
}
