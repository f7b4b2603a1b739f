//! One listener for several VMs, which are told apart by who is at the other end: by the address that it says it has, or by
//! the context id that the hypervisor gives it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::Attachment;
use listen::{Admitted, Endpoint, EndpointError, InFlight, Peer, Shutdown};
use tokio::task::JoinHandle;

use crate::faults::Served;
use crate::host::{Host, endpoint};

/// The listeners of a host that VMs share.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<tokio::sync::Mutex<HashMap<Endpoint, Common>>>);

/// One of them, open as long as there is a VM.
struct Common {
    members: Members,
    shutdown: Shutdown,
    serving: JoinHandle<InFlight>,
}

type Members = Arc<Mutex<HashMap<Peer, Admitted<Served>>>>;

/// Why a VM can't be served at a shared listener.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SharedError {
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("another VM has {0} already")]
    Taken(String),
}

/// Who is at the other end when it is the VM of an attachment, where that tells VMs apart.
pub(crate) fn peer(attachment: &Attachment) -> Option<Peer> {
    match attachment {
        Attachment::Source { source, .. } => Some(Peer::Ip(source.to_canonical())),
        Attachment::Vsock { cid, .. } => Some(Peer::Vsock(*cid)),
        Attachment::Listen(_) | Attachment::Device { .. } | Attachment::Namespace { .. } | Attachment::Unix { .. } => {
            None
        }
    }
}

impl Shared {
    /// Serves a VM from now on. The first one opens the listener.
    pub(crate) async fn join(
        &self,
        host: &Host,
        attachment: &Attachment,
        peer: Peer,
        member: Admitted<Served>,
    ) -> Result<(), SharedError> {
        let mut all = self.0.lock().await;
        let common = match all.entry(endpoint(attachment)) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(free) => free.insert(start(host, attachment).await?),
        };
        match lock(&common.members).entry(peer) {
            Entry::Occupied(_) => Err(SharedError::Taken(attachment.claim())),
            Entry::Vacant(free) => {
                free.insert(member);
                Ok(())
            }
        }
    }

    /// Serves it no more. The last one closes the listener; what is in flight then comes back.
    pub(crate) async fn leave(&self, attachment: &Attachment, peer: Peer) -> Option<InFlight> {
        let (mut all, endpoint) = (self.0.lock().await, endpoint(attachment));
        let common = all.get(&endpoint)?;
        let is_last = {
            let mut members = lock(&common.members);
            members.remove(&peer);
            members.is_empty()
        };
        let common = is_last.then(|| all.remove(&endpoint)).flatten()?;
        common.shutdown.end();
        common.serving.await.ok()
    }
}

async fn start(host: &Host, attachment: &Attachment) -> Result<Common, EndpointError> {
    let listener = host.open(attachment).await?;
    let (members, shutdown) = (Members::default(), Shutdown::default());
    let known = Arc::clone(&members);
    let admit = move |peer: Peer| {
        let admitted = lock(&known).get(&peer).cloned();
        if admitted.is_none() {
            metrics::counter!("symbolon_imds_strangers_total").increment(1);
            tracing::debug!(?peer, "somebody who is none of the VMs was hung up on");
        }
        admitted
    };
    let serving = tokio::spawn(listen::serve_shared(listener, admit, host.config(), shutdown.ending()));
    Ok(Common { members, shutdown, serving })
}

fn lock(members: &Members) -> MutexGuard<'_, HashMap<Peer, Admitted<Served>>> {
    members.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vms_at_one_vsock_port_are_told_apart_by_their_context_ids() {
        let [one, other]: [Attachment; 2] = ["port=80,vsock=3", "port=80,vsock=4"].map(|text| text.parse().unwrap());
        assert_eq!(endpoint(&one), endpoint(&other), "they share a listener");
        assert_eq!((peer(&one), peer(&other)), (Some(Peer::Vsock(3)), Some(Peer::Vsock(4))));
    }
}
