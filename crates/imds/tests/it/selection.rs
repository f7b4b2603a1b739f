use contract::selector::SPELLINGS;
use contract::selector::SelectorKind;

use super::*;

const NOT_FOUND: &str = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
const SEVERAL: &str = r#"{"error":"invalid_request","error_description":"Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request"}"#;

fn client_id_in(answer: &RawAnswer) -> Option<String> {
    let (_, rest) = answer.body.split_once("\"client_id\":\"")?;
    rest.split_once('"').map(|(id, _)| id.to_owned())
}

#[tokio::test]
async fn the_default_identity() {
    for (system, user, wanted) in
        [(true, 0, Ok(0)), (true, 2, Ok(0)), (false, 1, Ok(1)), (false, 2, Err(SEVERAL)), (false, 0, Err(NOT_FOUND))]
    {
        let answer = World::new(fixtures::vm(system, user)).get(TOKEN).await;
        match wanted {
            Ok(number) => assert_eq!(client_id_in(&answer), Some(fixtures::client_id(number).to_string())),
            Err(body) => assert_eq!((answer.status, answer.body.as_str()), (400, body)),
        }
    }
    assert_eq!((NOT_FOUND.len(), SEVERAL.len()), (68, 168), "the captured lengths");
}

#[tokio::test]
async fn every_spelling_selects_and_ids_are_echoed_as_sent() {
    let world = World::new(fixtures::vm(true, 3));
    for (name, kind) in SPELLINGS {
        let value = match kind {
            SelectorKind::ClientId => fixtures::client_id(2).to_string(),
            SelectorKind::ObjectId => fixtures::principal_id(2).to_string(),
            SelectorKind::ResourceId => fixtures::identity_id(2).to_string(),
        };
        for value in [value.clone(), value.to_uppercase(), value.replace('/', "%2F")] {
            let answer = world.get(&format!("{TOKEN}&{name}={value}")).await;
            assert_eq!(client_id_in(&answer), Some(fixtures::client_id(2).to_string()), "{name}={value}");
            let value = value.replace("%2F", "/");
            let echoes = [
                (
                    "\"msi_res_id\":",
                    SelectorKind::ResourceId,
                    format!("\"86399\",\"msi_res_id\":\"{value}\",\"not_before\""),
                ),
                (
                    "\"object_id\":",
                    SelectorKind::ObjectId,
                    format!("\"1799999700\",\"object_id\":\"{value}\",\"resource\""),
                ),
            ];
            for (member, of, whole) in echoes {
                assert_eq!(answer.body.contains(member), kind == of, "{}", answer.body);
                assert!(kind != of || answer.body.contains(&whole), "{}", answer.body);
            }
        }
    }
}

#[tokio::test]
async fn the_spellings_are_these_seven_in_any_case() {
    let world = World::new(fixtures::vm(true, 3));
    let (client, principal, id) = (fixtures::client_id(2), fixtures::principal_id(2), fixtures::identity_id(2));
    let spellings = [
        ("client_id", client.to_string()),
        ("clientid", client.to_string()),
        ("object_id", principal.to_string()),
        ("principal_id", principal.to_string()),
        ("msi_res_id", id.to_string()),
        ("mi_res_id", id.to_string()),
        ("resource_id", id.to_string()),
    ];
    assert_eq!(SPELLINGS.len(), spellings.len(), "a new spelling needs its line here");
    for (name, value) in spellings {
        for name in [name.to_owned(), name.to_uppercase()] {
            let answer = world.get(&format!("{TOKEN}&{name}={value}")).await;
            assert_eq!(client_id_in(&answer), Some(client.to_string()), "{name}");
            let twice = world.get(&format!("{TOKEN}&{name}={value}&{}={value}", name.to_lowercase())).await;
            assert!(twice.status == 400 && twice.body.contains("is specified more than once"), "{}", twice.body);
        }
    }
    assert_eq!(world.source.asked(), 1, "all of them are the same identity");
}

#[tokio::test]
async fn the_system_assigned_identity_can_be_named() {
    let world = World::new(fixtures::vm(true, 1));
    for selector in
        [format!("client_id={}", fixtures::client_id(0)), format!("object_id={}", fixtures::principal_id(0))]
    {
        let answer = world.get(&format!("{TOKEN}&{selector}")).await;
        assert_eq!(client_id_in(&answer), Some(fixtures::client_id(0).to_string()));
    }
}

#[tokio::test]
async fn what_is_not_assigned_is_never_another_identity() {
    let world = World::new(fixtures::vm(true, 1));
    for selector in [
        format!("client_id={}", fixtures::client_id(2)),
        format!("client_id={}", fixtures::principal_id(1)),
        format!("object_id={}", fixtures::client_id(1)),
        format!("msi_res_id={}", fixtures::identity_id(2)),
        format!("msi_res_id={}", fixtures::client_id(1)),
        "client_id=x".to_owned(),
        "client_id=%00".to_owned(),
    ] {
        let answer = world.get(&format!("{TOKEN}&{selector}")).await;
        assert_eq!((answer.status, answer.body.as_str()), (400, NOT_FOUND), "{selector}");
    }
    assert_eq!(world.source.asked(), 0);
}

#[tokio::test]
async fn an_empty_selector_counts_as_absent() {
    let world = World::new(fixtures::vm(true, 1));
    let answer = world.get(&format!("{TOKEN}&client_id=&msi_res_id={}", fixtures::identity_id(1))).await;
    assert_eq!(client_id_in(&answer), Some(fixtures::client_id(1).to_string()));
}

#[tokio::test]
async fn one_of_a_thousand_identities_is_found() {
    let world = World::new(fixtures::vm(false, 1_000));
    let answer = world.get(&format!("{TOKEN}&msi_res_id={}", fixtures::identity_id(997))).await;
    assert_eq!(client_id_in(&answer), Some(fixtures::client_id(997).to_string()));
}
