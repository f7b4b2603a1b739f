use super::*;

#[tokio::test]
async fn the_body_and_headers_of_a_token() {
    let world = World::new(fixtures::vm(true, 0));
    let answer = world.get("/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://a.example/").await;
    assert_eq!(answer.status, 200);
    // Order, strings and members as captured from the real service (Azure.Identity log of 7 Mar 2024).
    assert_eq!(
        answer.body,
        "{\"access_token\":\"token-0\",\"client_id\":\"30000000-0000-4000-8000-000000000000\",\
         \"expires_in\":\"86400\",\"expires_on\":\"1800086400\",\"ext_expires_in\":\"86399\",\
         \"not_before\":\"1799999700\",\"resource\":\"https://a.example/\",\"token_type\":\"Bearer\"}"
    );
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("server").is_some_and(|server| server.starts_with("IMDS/")));
    assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
    assert!(answer.header("date").is_some());
    assert!(!answer.closes());
}

#[tokio::test]
async fn request_ids_are_guids_and_differ() {
    let world = World::new(fixtures::vm(true, 0));
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let answer = world.get(TOKEN).await;
        let id = answer.header("x-ms-request-id").expect("an id").to_owned();
        assert_eq!(id.parse::<uuid::Uuid>().expect("a GUID").get_version_num(), 4);
        assert!(ids.insert(id));
    }
}

#[tokio::test]
async fn a_cached_token_counts_down_and_is_not_made_again() {
    let world = World::new(fixtures::vm(true, 0));
    world.get(TOKEN).await;
    world.clock.advance(std::time::Duration::from_secs(83));
    let answer = world.get(TOKEN).await;
    assert!(answer.body.contains("\"expires_in\":\"86317\",\"expires_on\":\"1800086400\""), "{}", answer.body);
    assert_eq!(world.source.asked(), 1);
}

#[tokio::test]
async fn a_token_is_replaced_before_half_of_its_life_is_over() {
    let world = World::new(fixtures::vm(true, 0));
    world.get(TOKEN).await;
    world.clock.advance(std::time::Duration::from_secs(43_200));
    let answer = world.get(TOKEN).await;
    assert!(answer.body.contains("token-1") && answer.body.contains("\"expires_in\":\"86400\""), "{}", answer.body);
}

#[tokio::test]
async fn the_resource_is_echoed_byte_for_byte_and_is_its_own_token() {
    let world = World::new(fixtures::vm(true, 0));
    for (number, (sent, echoed)) in [
        ("https://management.azure.com", "https://management.azure.com"),
        ("https%3A%2F%2Fmanagement.azure.com%2f", "https://management.azure.com/"),
        ("https://management.azure.com//", "https://management.azure.com//"),
        ("api%3A%2F%2FAzureADTokenExchange", "api://AzureADTokenExchange"),
        ("e406a681-f3d4-42a8-90b6-c2b029497af1", "e406a681-f3d4-42a8-90b6-c2b029497af1"),
        ("%22quoted%22", "\\\"quoted\\\""),
    ]
    .into_iter()
    .enumerate()
    {
        let target = format!("/metadata/identity/oauth2/token?resource={sent}&api-version=2018-02-01");
        let answer = world.get(&target).await;
        assert!(answer.body.contains(&format!("\"resource\":\"{echoed}\",")), "{}", answer.body);
        assert!(answer.body.contains(&format!("\"token-{number}\"")), "{}", answer.body);
    }
}

#[tokio::test]
async fn bypass_cache_makes_and_stores_a_new_token() {
    let world = World::new(fixtures::vm(true, 0));
    for (query, token) in [("", 0), ("&bypass_cache=false", 0), ("&bypass_cache=True", 1), ("", 1)] {
        let answer = world.get(&format!("{TOKEN}{query}")).await;
        assert!(answer.body.contains(&format!("\"token-{token}\"")), "{query}: {}", answer.body);
    }
}

#[tokio::test]
async fn paths_and_headers_of_real_clients_are_taken() {
    let world = World::new(fixtures::vm(true, 0));
    let query = "?api-version=2019-08-01&resource=r&xms_cc=CP1&claims=%7B%7D";
    for path in [
        "/metadata/identity/oauth2/token",
        "/metadata/identity/oauth2/token/",
        "//metadata/identity/oauth2/token",
        "/METADATA/identity/oauth2/token",
    ] {
        assert_eq!(world.get(&format!("{path}{query}")).await.status, 200, "{path}");
    }
    for lines in [
        "metadata: True\r\nx-identity-header: secret\r\n",
        "Metadata: true\r\nContent-Type: application/x-www-form-urlencoded;charset=utf-8\r\n",
        "Metadata: true\r\nsec-fetch-mode: cors\r\naccept-language: *\r\nx-client-SKU: MSAL.Python\r\n",
        "Metadata: true\r\nContent-Length: 0\r\n",
    ] {
        let request = format!("GET {TOKEN} HTTP/1.1\r\n{}{lines}\r\n", world.host());
        assert_eq!(world.send(&request).await.status, 200, "{lines}");
    }
    for host in ["169.254.169.254", "169.254.169.254:80"] {
        let request = format!("GET {TOKEN} HTTP/1.1\r\nHost: {host}\r\nMetadata: true\r\n\r\n");
        assert_eq!(world.send(&request).await.status, 200, "{host}");
    }
}
