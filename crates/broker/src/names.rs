//! Names of hosts turned into addresses: by the system's library, or by whatever a program brings along.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

/// Turns the name of a host into its addresses.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `host`, in the order in which they are to be tried.
    ///
    /// # Errors
    /// When there are none, or nobody can say.
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// What the system's library says: `/etc/hosts`, DNS and what else is set up there. A program that is linked
/// statically has no such library.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemNames;

impl Resolve for SystemNames {
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect()) }.boxed()
    }
}

/// A [`Resolve`] in the form that hyper's connector wants.
#[derive(Clone)]
pub struct Names(Arc<dyn Resolve>);

impl Names {
    /// Resolves names by it.
    #[must_use]
    pub fn new(names: Arc<dyn Resolve>) -> Self {
        Self(names)
    }
}

impl Service<Name> for Names {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.0.resolve(name.as_str());
        // The connector puts the port in.
        let address = |ip| SocketAddr::new(ip, 0);
        async move { Ok(resolving.await?.into_iter().map(address).collect::<Vec<_>>().into_iter()) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_system_knows_localhost_and_what_is_no_name() {
        let found = SystemNames.resolve("localhost").await.unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
        assert!(SystemNames.resolve("no\0name").await.is_err());
    }
}
