//! Names of hosts resolved without the system's library: `/etc/hosts`, then the servers in `/etc/resolv.conf`.
//!
//! The program is linked statically, so that one package runs on any Linux, and the system's own resolver loads
//! libraries at run time. Both files are read for each name that is looked for: a name that can be resolved only now
//! is resolved now.

use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use broker::names::Resolve;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::system_conf::parse_resolv_conf;

/// How much of either file is read, in bytes.
const MAX_FILE: u64 = 256 * 1024;
/// Where a server is asked; tests have one of their own.
const DNS_PORT: u16 = 53;

/// Resolves names as the files below `root` say.
#[derive(Clone, Debug)]
pub struct Resolver {
    root: PathBuf,
    port: u16,
}

impl Resolver {
    /// A resolver of the machine whose files are below `root`.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), port: DNS_PORT }
    }

    async fn find(self, host: String) -> io::Result<Vec<IpAddr>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let host = host.trim_end_matches('.');
        let listed = in_hosts(&read(&self.root.join("etc/hosts"))?, host);
        if !listed.is_empty() {
            return Ok(listed);
        }
        // Never asked of a server (RFC 6761, 6.3).
        if host.eq_ignore_ascii_case("localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let found = self.ask(host).await?;
        if found.is_empty() { Err(io::Error::new(io::ErrorKind::NotFound, "it has no address")) } else { Ok(found) }
    }

    async fn ask(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut text = read(&self.root.join("etc/resolv.conf"))?;
        if !text.lines().any(|line| line.trim_start().starts_with("nameserver")) {
            // What the system's library does without one (resolv.conf(5)).
            text.push_str("\nnameserver 127.0.0.1\n");
        }
        let (config, mut options) = parse_resolv_conf(text).map_err(io::Error::other)?;
        let mut servers = config.name_servers().to_vec();
        servers.iter_mut().flat_map(|server| &mut server.connections).for_each(|at| at.port = self.port);
        let config = ResolverConfig::from_parts(config.domain().cloned(), config.search().to_vec(), servers);
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = 0;
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = options;
        let found = builder.build().map_err(io::Error::other)?.lookup_ip(host).await.map_err(io::Error::other)?;
        Ok(found.iter().collect())
    }
}

impl Resolve for Resolver {
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.clone().find(host.to_owned()).boxed()
    }
}

/// A file's text, as far as it is of use; none when there is no file.
fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(MAX_FILE).read_to_end(&mut bytes)?,
        Err(why) if why.kind() == io::ErrorKind::NotFound => 0,
        Err(why) => return Err(why),
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The addresses that a hosts file has for a name, in its order (hosts(5)).
fn in_hosts(text: &str, host: &str) -> Vec<IpAddr> {
    let listed = text.lines().filter_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|name| name.trim_end_matches('.').eq_ignore_ascii_case(host)).then_some(address)
    });
    listed.collect()
}

#[cfg(test)]
mod tests;
