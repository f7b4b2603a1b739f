use authority::Account;
use domain::{SecretId, Tenant, Timestamp};

use super::*;

const NAMED: &str = "dev";
const START: Monotonic = Monotonic::from_origin(Duration::from_secs(1_000));

fn client() -> PublicClient {
    PublicClient::find("04b07795-8ddb-461a-bbee-02f9e1bf7b46", NAMED).unwrap()
}

fn tenant(number: u128) -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(number))
}

fn account() -> SignedIn {
    SignedIn {
        tenant: Tenant { id: tenant(1), name: "dev".to_owned(), created_at: None },
        principal_id: "40000000-0000-4000-8000-0000000000c1".parse().unwrap(),
        client_id: "30000000-0000-4000-8000-0000000000c1".parse().unwrap(),
        account: Account { name: "ci".to_owned(), username: "ci@dev".to_owned() },
        secret: SecretId::from_uuid(Uuid::from_u128(9)),
        at: Timestamp::from_unix(0),
    }
}

fn begin(codes: &DeviceCodes, of: Option<TenantId>, now: Monotonic) -> Option<(String, String)> {
    codes.begin(client(), of, RequestedScope::parse("r/.default").unwrap(), now)
}

fn after(seconds: u64) -> Monotonic {
    START.plus(Duration::from_secs(seconds))
}

#[test]
fn a_code_is_given_away_once_and_to_its_client_alone() {
    let codes = DeviceCodes::default();
    let (user, device) = begin(&codes, Some(tenant(1)), START).unwrap();
    let powershell = PublicClient::find("1950a258-227b-4e31-a9cf-717495945fc2", NAMED).unwrap();
    let ask = |client, of| codes.redeem(&device, client, of, after(10)).map(|(_, who)| who.client_id);
    assert!(codes.approve(&user, account(), after(1)));
    for (client, of) in [(powershell, Some(tenant(1))), (client(), Some(tenant(2)))] {
        assert_eq!(ask(client, of), Err(Aadsts::UnknownDeviceCode));
    }
    assert_eq!(
        codes.redeem(&user, client(), None, after(10)).map(drop),
        Err(Aadsts::UnknownDeviceCode),
        "another code"
    );
    assert_eq!(ask(client(), Some(tenant(1))), Ok(account().client_id));
    assert_eq!(ask(client(), Some(tenant(1))), Err(Aadsts::UnknownDeviceCode), "used");
    assert!(!codes.approve(&user, account(), after(11)) && codes.waiting(&user, after(11)).is_none());
}

#[test]
fn a_code_of_no_tenant_in_particular_is_the_accounts() {
    let codes = DeviceCodes::default();
    let (user, device) = begin(&codes, None, START).unwrap();
    assert!(codes.approve(&user, account(), START));
    let elsewhere = codes.redeem(&device, client(), Some(tenant(2)), START);
    assert_eq!(elsewhere.map(drop), Err(Aadsts::UnknownDeviceCode));
    let (flow, _) = codes.redeem(&device, client(), None, START).unwrap();
    codes.give_back(&device, flow);
    assert!(codes.redeem(&device, client(), Some(tenant(1)), START).is_ok(), "no token was made the first time");
}

#[test]
fn who_asks_too_soon_is_told_to_wait() {
    let codes = DeviceCodes::default();
    let (_, device) = begin(&codes, None, START).unwrap();
    let ask = |milliseconds| codes.redeem(&device, client(), None, START.plus(Duration::from_millis(milliseconds)));
    for (milliseconds, answer) in [
        (0, Aadsts::AuthorizationPending),
        (100, Aadsts::SlowDown),
        (599, Aadsts::SlowDown),
        // A timer that fires a little early is no hurry.
        (1_590, Aadsts::AuthorizationPending),
    ] {
        assert_eq!(ask(milliseconds).map(drop), Err(answer), "{milliseconds}");
    }
}

#[test]
fn a_no_and_an_end_are_told_apart() {
    let codes = DeviceCodes::default();
    let (user, device) = begin(&codes, None, START).unwrap();
    let (late, old) = begin(&codes, None, START).unwrap();
    assert!(
        codes.decline(&user, after(1)) && !codes.decline(&user, after(1)) && !codes.approve(&user, account(), after(1))
    );
    assert_eq!(codes.redeem(&device, client(), None, after(2)).map(drop), Err(Aadsts::AuthorizationDeclined));
    assert!(codes.waiting(&late, after(899)).is_some() && codes.waiting(&late, after(900)).is_none());
    assert!(!codes.approve(&late, account(), after(900)));
    assert_eq!(codes.redeem(&old, client(), None, after(900)).map(drop), Err(Aadsts::DeviceCodeExpired));
    begin(&codes, None, after(1_799)).unwrap();
    assert_eq!(codes.redeem(&old, client(), None, after(1_799)).map(drop), Err(Aadsts::DeviceCodeExpired));
    begin(&codes, None, after(1_800)).unwrap();
    assert_eq!(codes.redeem(&old, client(), None, after(1_800)).map(drop), Err(Aadsts::UnknownDeviceCode), "forgotten");
}

#[test]
fn an_approved_code_ends_too() {
    let codes = DeviceCodes::default();
    let (user, device) = begin(&codes, None, START).unwrap();
    assert!(codes.approve(&user, account(), after(1)));
    assert_eq!(codes.redeem(&device, client(), None, after(900)).map(drop), Err(Aadsts::DeviceCodeExpired));
}

#[test]
fn places_are_counted_and_come_free_with_time() {
    let codes = DeviceCodes::default();
    let mut users = std::collections::HashSet::new();
    for _ in 0..PLACES {
        users.insert(begin(&codes, None, START).unwrap().0);
    }
    assert_eq!(users.len(), PLACES, "no user code twice");
    assert!(begin(&codes, None, after(899)).is_none());
    assert!(begin(&codes, None, after(900)).is_some());
    assert_eq!(format!("{codes:?}"), "DeviceCodes { flows: 1 }");
}
