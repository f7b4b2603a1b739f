use super::*;

const BODY: &str = "{\"access_token\":\"token-0\",\"refresh_token\":\"\",\"expires_in\":\"86400\",\
                    \"expires_on\":\"1800086400\",\"not_before\":\"1799999700\",\
                    \"resource\":\"https://management.azure.com/\",\"token_type\":\"Bearer\"}";

#[tokio::test]
async fn get_and_form_post_give_the_documented_body() {
    let world = World::new(&[0]);
    let encoded = "resource=https%3A%2F%2Fmanagement.azure.com%2F";
    for answer in [
        world.get(&format!("/oauth2/token?{encoded}")).await,
        world.get("//oauth2/token/?resource=https://management.azure.com/").await,
        world.post("/oauth2/token", encoded).await,
        world.post("/oauth2/token?xms_cc=CP1", &format!("{encoded}&grant_type=client_credentials&client_id=")).await,
    ] {
        assert_eq!((answer.status, answer.body.as_str()), (200, BODY));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("server"), None);
    }
    assert_eq!(world.source.asked(), 1, "one token for all of them");
}

#[tokio::test]
async fn a_form_may_say_its_charset_and_come_in_chunks() {
    let world = World::new(&[0]);
    let lines = "Metadata: true\r\nContent-Type: application/x-www-form-urlencoded;charset=utf-8\r\nContentType: x\r\n";
    let head = format!("POST /oauth2/token HTTP/1.1\r\n{}{lines}", world.host());
    assert_eq!(world.send(&format!("{head}Content-Length: 10\r\n\r\nresource=r")).await.status, 200);
    let chunks = "8\r\nresource\r\n2\r\n=r\r\n0\r\n\r\n";
    assert_eq!(world.send(&format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}")).await.status, 200);
}

#[tokio::test]
async fn localhost_has_three_names_with_the_port_or_none() {
    let world = World::new(&[0]);
    let port = world.address.port();
    for name in ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"] {
        for host in [name.to_owned(), format!("{name}:{port}")] {
            let request = format!("GET /oauth2/token?resource=r HTTP/1.1\r\nHost: {host}\r\nMetadata: True\r\n\r\n");
            assert_eq!(world.send(&request).await.status, 200, "{host}");
        }
    }
}

#[tokio::test]
async fn identities_are_selected_as_on_the_metadata_service() {
    let world = World::new(&[1, 2]);
    let several = world.get("/oauth2/token?resource=r").await;
    assert!(several.status == 400 && several.body.contains("Multiple user assigned identities exist"));
    let (client, principal, id) = (fixtures::client_id(2), fixtures::principal_id(2), fixtures::identity_id(2));
    for selector in [
        format!("client_id={client}"),
        format!("clientid={client}"),
        format!("object_id={principal}"),
        format!("principal_id={principal}"),
        format!("msi_res_id={id}"),
        format!("mi_res_id={id}"),
        format!("resource_id={id}"),
    ] {
        for selector in [selector.clone(), selector.to_uppercase()] {
            assert_eq!(world.post("/oauth2/token", &format!("resource=r&{selector}")).await.status, 200, "{selector}");
            assert_eq!(world.get(&format!("/oauth2/token?resource=r&{selector}")).await.status, 200, "{selector}");
        }
    }
    assert_eq!(world.source.asked(), 1, "all of them are the same identity");
    let unknown = world.get(&format!("/oauth2/token?resource=r&client_id={}", fixtures::client_id(3))).await;
    let body = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
    assert_eq!((unknown.status, unknown.body.as_str()), (400, body));
}

#[tokio::test]
async fn an_authority_that_is_gone_is_the_documented_500() {
    let world = World::new(&[0]);
    world.source.take_down();
    let answer = world.get("/oauth2/token?resource=r").await;
    let logs = world.disk.log_folder();
    let body = format!(
        "{{\"error\":\"unknown\",\"error_description\":\"Failed to retrieve token from the Active directory. \
         For details see logs in {}\"}}",
        logs.display()
    );
    let cause = || std::fs::read_to_string(logs.join("msi-extension.log")).expect("the 500 points at a log");
    assert!(cause().contains("no token could be had from the authority "), "{}", cause());
    assert_eq!((answer.status, answer.body.as_str()), (500, body.as_str()));
    world.source.fail_with(Some(broker::SourceError::Refused {
        error: "invalid_client".to_owned(),
        description: "AADSTS700027: the certificate is not registered".to_owned(),
    }));
    assert_eq!(world.get("/oauth2/token?resource=r").await.body, body, "a revoked credential looks the same");
    assert!(cause().contains("AADSTS700027: the certificate is not registered\n"), "{}", cause());
    for (error, code) in [("invalid_resource", 500_011), ("invalid_scope", 70_011)] {
        let (error, description) = (error.to_owned(), format!("AADSTS{code}: no"));
        let body = format!("{{\"error\":\"invalid_resource\",\"error_description\":\"{description}\"}}");
        world.source.fail_with(Some(broker::SourceError::Refused { error, description }));
        let answer = world.get("/oauth2/token?resource=r").await;
        assert_eq!((answer.status, answer.body), (400, body), "what is asked for is the caller's to mend");
    }
}

/// The authority itself, and not a stand-in for its client: one that is gone, and one that says nothing.
#[tokio::test]
async fn the_500_comes_within_the_time_that_the_authority_is_given() {
    let silent = bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let gone = bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let addresses = [gone.local_addr(), silent.local_addr()].map(|address| address.expect("an address"));
    drop(gone);
    // An hour is beyond the patience of any test: there the refusal ends the exchange, and not the time.
    for (address, patience) in addresses.into_iter().zip([3_600_000, 50]) {
        let (base, patience) = (format!("https://{address}"), std::time::Duration::from_millis(patience));
        let authority = AuthorityClient::new(&base, rustls::RootCertStore::empty(), patience).expect("a client");
        let world = World::with_authority(&[0], authority);
        let answer = world.get("/oauth2/token?resource=r").await;
        assert!(answer.status == 500 && answer.body.starts_with("{\"error\":\"unknown\""), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_cached_token_counts_down() {
    let world = World::new(&[0]);
    world.get("/oauth2/token?resource=r").await;
    world.clock.advance(std::time::Duration::from_secs(60));
    assert!(world.get("/oauth2/token?resource=r").await.body.contains("\"expires_in\":\"86340\""));
}
