use super::*;

const INFO: &str = "/metadata/identity/info?api-version=2018-02-01";

#[tokio::test]
async fn it_is_the_tenant_of_the_identities() {
    for (system, user) in [(true, 0), (true, 1), (false, 1), (false, 3)] {
        let answer = World::new(fixtures::vm(system, user)).get(INFO).await;
        let body = "{\"tenantId\":\"10000000-0000-4000-8000-000000000001\"}";
        assert_eq!((answer.status, answer.body.as_str()), (200, body));
    }
    let none = World::new(fixtures::vm(false, 0)).get(INFO).await;
    assert!(none.status == 400 && none.body.contains("Identity not found"));
}
