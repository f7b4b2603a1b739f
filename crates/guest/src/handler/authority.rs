//! Whether the authority can be reached and would take what this machine dates, asked again and again for a while.
//!
//! The original extension failed at once when its authority's name didn't resolve, and the document's advice was to
//! start the VM again ("might fail due to DNS lookup failures. Restart the VM and try again",
//! MicrosoftDocs/azure-docs `howto-migrate-vm-extension.md`). Here the name is looked up again and the status says
//! which one it is; whoever mends the network needs to start nothing again.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use broker::SourceError;
use broker::http::AuthorityClient;
use broker::names::Resolve;
use contract::guest_agent::protected::Authority;
use domain::clock::LEEWAY;
use domain::{SharedClock, Timestamp};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Uri;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, RootCertStore};

use super::failure::{Code, Failure};
use crate::time::Time;

/// How long one exchange with the authority may take.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Asks once whether the authority can be reached.
pub trait Probe: Send + Sync {
    /// Asks.
    ///
    /// # Errors
    /// When it can't be.
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>>;
}

/// Asks until the authority can be reached, for at most `budget`. `told` hears of each new trouble.
///
/// # Errors
/// The last trouble, once the time is up.
pub async fn reach(
    probe: &dyn Probe,
    time: &Time,
    budget: Duration,
    mut told: impl FnMut(&Failure),
) -> Result<(), Failure> {
    let start = time.clock().monotonic();
    let left = || budget.saturating_sub(time.clock().monotonic().since(start));
    let mut pause = Duration::from_secs(1);
    let mut last = None;
    loop {
        let Err(trouble) = probe.probe().await else { return Ok(()) };
        if left().is_zero() {
            return Err(trouble);
        }
        if last.as_ref() != Some(&trouble) {
            told(&trouble);
            last = Some(trouble);
        }
        time.pause(pause.min(left())).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// A client of the authority at this address, which resolves names with `names`.
///
/// # Errors
/// When the address is none, or its certificates can't be read.
pub fn client(address: &Authority, names: Arc<dyn Resolve>) -> Result<AuthorityClient, Failure> {
    let unusable = |why: &dyn Error| Failure::of(Code::Credential, why);
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(address.certificates.as_bytes()) {
        let certificate = certificate.map_err(|why| unusable(&why))?;
        roots.add(certificate).map_err(|why| unusable(&why))?;
    }
    if roots.is_empty() && !address.certificates.trim().is_empty() {
        return Err(Failure::new(Code::Credential, "the authority's certificates are no PEM"));
    }
    // Those of the machine that can't be read are as if they weren't there.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    AuthorityClient::with_names(&address.url, roots, TIMEOUT, names).map_err(|why| unusable(&why))
}

/// Asks over the network.
pub struct NetworkProbe {
    address: Authority,
    client: AuthorityClient,
    names: Arc<dyn Resolve>,
    clock: SharedClock,
}

impl NetworkProbe {
    /// Asks the authority at this address, and compares its time with this clock's.
    ///
    /// # Errors
    /// As [`client`].
    pub fn new(address: Authority, names: Arc<dyn Resolve>, clock: SharedClock) -> Result<Self, Failure> {
        let client = client(&address, Arc::clone(&names))?;
        Ok(Self { address, client, names, clock })
    }

    async fn ask(&self) -> Result<(), Failure> {
        let url = &self.address.url;
        let uri = url.parse::<Uri>().ok();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or(url);
        let unresolved = |why: &dyn std::fmt::Display| {
            let message =
                format!("the name of the token authority, {host}, doesn't resolve: {why}; see to it that it does");
            Failure::new(Code::Name, message)
        };
        if host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_err() {
            match tokio::time::timeout(TIMEOUT, self.names.resolve(host)).await {
                Ok(Ok(_)) => {}
                Ok(Err(why)) => return Err(unresolved(&why)),
                Err(late) => return Err(unresolved(&late)),
            }
        }
        let theirs = self.client.reach().await.map_err(|why| {
            let told = match &why {
                SourceError::Unreachable { why, .. } => {
                    if let Some(behind) = behind_certificate(&**why) {
                        return clock_off(url, &format!("at least {} s behind", behind.as_secs()));
                    }
                    Failure::of(Code::Unreachable, &**why)
                }
                SourceError::Busy { .. }
                | SourceError::Refused { .. }
                | SourceError::ClockBehind { .. }
                | SourceError::Withdrawn
                | SourceError::Internal(_) => Failure::of(Code::Unreachable, &why),
            };
            Failure::new(Code::Unreachable, format!("the token authority at {url} can't be reached: {told}"))
        })?;
        theirs.map_or(Ok(()), |theirs| compare(url, self.clock.now(), theirs))
    }
}

/// Whether the clocks differ by no more than the authority bears: it refuses assertions that are outside of their time.
fn compare(url: &str, ours: Timestamp, theirs: Timestamp) -> Result<(), Failure> {
    let (ahead, behind) = (ours.since(theirs), theirs.since(ours));
    if ahead > LEEWAY {
        return Err(clock_off(url, &format!("{} s ahead of", ahead.as_secs())));
    }
    if behind > LEEWAY {
        return Err(clock_off(url, &format!("{} s behind", behind.as_secs())));
    }
    Ok(())
}

fn clock_off(url: &str, how: &str) -> Failure {
    let message = format!("this machine's clock is {how} that of the token authority at {url}; set the clock");
    Failure::new(Code::Clock, message)
}

/// How far this machine's clock is before the life of the authority's certificate, if that is why TLS failed.
fn behind_certificate(mut error: &(dyn Error + 'static)) -> Option<Duration> {
    loop {
        if let Some(rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext { time, not_before })) =
            error.downcast_ref()
        {
            return Some(Duration::from_secs(not_before.as_secs().saturating_sub(time.as_secs())));
        }
        // What an `io::Error` was made of isn't its source.
        let within = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        error = match within {
            Some(within) => within,
            None => error.source()?,
        };
    }
}

impl Probe for NetworkProbe {
    fn probe(&self) -> BoxFuture<'_, Result<(), Failure>> {
        self.ask().boxed()
    }
}

#[cfg(test)]
mod tests;
