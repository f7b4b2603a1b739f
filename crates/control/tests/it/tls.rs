use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustls::RootCertStore;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::*;

#[tokio::test]
async fn the_surface_is_served_over_tls_with_a_certificate_of_the_local_ca() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // Of this machine's own time: the client's library reads that clock.
    let now = domain::Clock::now(&domain::SystemClock::new());
    let identity = control::tls::open(folder.path(), &[address.ip()], now).unwrap();
    let (end, ended) = oneshot::channel::<()>();
    let served =
        tokio::spawn(control::server::serve(listener, identity.server, world.router.clone(), 16, async move {
            drop(ended.await);
        }));
    let client = |roots: RootCertStore| {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector =
            hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().build();
        Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(connector)
    };
    let mut roots = RootCertStore::empty();
    roots.add(identity.ca).unwrap();
    let trusting = client(roots);
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{}/healthz", address.port()).parse().unwrap();
        let answer = trusting.get(url).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "{\"status\":\"alive\"}");
    }
    let url = format!("https://localhost:{}/healthz", address.port()).parse().unwrap();
    assert!(client(RootCertStore::empty()).get(url).await.is_err(), "nobody trusts it by itself");
    end.send(()).unwrap();
    served.await.unwrap();
}
