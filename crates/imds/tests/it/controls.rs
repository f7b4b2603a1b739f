//! Negative controls: attacks that get nothing here, and a token where the one defence is missing.

use http::HeaderValue;
use testkit::weak::{Lacking, Weak};

use super::*;

/// What an attacker can make somebody else send, and the defence that stands in the way.
fn attacks(own: SocketAddr) -> Vec<(&'static str, String, Lacking)> {
    let host = format!("Host: {own}\r\n");
    let own = || Lacking::Host(HeaderValue::from_str(&own.to_string()).expect("a header"));
    let true_ = "Metadata: true\r\n";
    vec![
        ("a name that was rebound to this address", format!("Host: rebound.evil\r\n{true_}"), own()),
        ("the same with a port", format!("Host: rebound.evil:80\r\n{true_}"), own()),
        ("a proxy", format!("{host}{true_}X-Forwarded-For: 10.0.0.1\r\n"), Lacking::Forwarded),
        ("two proxies", format!("{host}{true_}X-Forwarded-For: a\r\nX-Forwarded-For: b\r\n"), Lacking::Forwarded),
        ("a page of another origin", format!("{host}{true_}Origin: http://evil\r\n"), Lacking::CrossOrigin),
        ("a page's own request", format!("{host}{true_}Sec-Fetch-Site: same-origin\r\n"), Lacking::CrossOrigin),
        ("a request that can only name an address", host.clone(), Lacking::Metadata),
    ]
}

#[tokio::test]
async fn each_attack_gets_a_token_only_where_its_one_defence_is_missing() {
    let world = World::new(fixtures::vm(true, 0));
    for index in 0..attacks(world.address).len() {
        let (name, lines, _) = attacks(world.address).swap_remove(index);
        let refused = world.send(&format!("GET {TOKEN} HTTP/1.1\r\n{lines}\r\n")).await;
        assert!((400..404).contains(&refused.status) && !refused.body.contains("token-"), "{name}: {refused:?}");

        let listener = bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (_, lines, lacking) = attacks(address).swap_remove(index);
        let (weak, shutdown) = (Weak { service: world.service(address), lacking }, Shutdown::default());
        tokio::spawn(serve(listener, weak, imds::listener_config(), shutdown.ending()));
        let leaked = exchange(address, format!("GET {TOKEN} HTTP/1.1\r\n{lines}\r\n")).await.expect("an answer");
        assert!(leaked.status == 200 && leaked.body.contains("token-"), "{name} tries nothing: {leaked:?}");
    }
}
