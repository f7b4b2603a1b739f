//! A VM's metadata service, open wherever its attachment says and as long as that is there.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::Attachment;
use listen::{Admitted, Ending, FileId, InFlight, Listener, Opener, Shutdown, serve_until_asked};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::Vm;
use crate::faults::Served;
use crate::host::{Host, hosts};
use crate::shared::peer;

/// How soon it is looked again for what nobody tells of: a namespace, an address that was taken.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The metadata service of a VM that is attached.
pub struct Attached {
    shutdown: Shutdown,
    /// Fails once nothing is listened on any more.
    closed: oneshot::Receiver<Infallible>,
    task: JoinHandle<()>,
}

impl Attached {
    /// Serves a VM from now on, at the listener that [`crate::open_now`] gave for its attachment.
    #[must_use]
    pub fn start(host: &Host, vm: Arc<Vm>, attachment: Attachment, listener: Option<Listener>) -> Self {
        let (shutdown, (open, closed)) = (Shutdown::default(), oneshot::channel());
        let service = host.service(vm, hosts(&attachment));
        let post = Post { host: host.clone(), attachment, service };
        let ending = shutdown.ending();
        let task = tokio::spawn(async move {
            let in_flight = match listener {
                Some(listener) => Some(serve_until_asked(listener, post.service, post.host.config(), ending).await),
                None => post.keep_open(ending).await,
            };
            drop(open);
            if let Some(in_flight) = in_flight {
                in_flight.done().await;
            }
        });
        Self { shutdown, closed, task }
    }

    /// Asks it to end, at once; what comes back waits until what is in flight is done.
    pub fn end(self) -> impl Future<Output = Result<(), JoinError>> + Send + 'static {
        self.shutdown.end();
        self.task
    }

    /// Closes it. Nobody is answered there any more when this returns; what comes back waits until what is in flight is
    /// done.
    pub async fn close(self) -> impl Future<Output = Result<(), JoinError>> + Send + 'static {
        self.shutdown.end();
        drop(self.closed.await);
        self.task
    }
}

struct Post {
    host: Host,
    attachment: Attachment,
    service: Served,
}

impl Post {
    /// Serves until the end is asked for; what is in flight then comes back.
    async fn keep_open(self, mut ending: Ending) -> Option<InFlight> {
        let mut place = Place::of(&self.attachment, &self.host);
        let (mut again, mut silent) = (every(LOOK_AGAIN), false);
        loop {
            let found = tokio::select! {
                biased;
                () = ending.asked() => return None,
                found = place.found() => found,
            };
            let shutdown = Shutdown::default();
            // What opens it may be held up by another VM's.
            let opened = tokio::select! {
                biased;
                () = ending.asked() => return None,
                opened = self.open(&shutdown) => opened,
            };
            match opened {
                Ok(open) => {
                    silent = false;
                    tracing::info!(attachment = %self.attachment, "the VM's metadata service is open");
                    let asked = tokio::select! {
                        biased;
                        () = ending.asked() => true,
                        () = place.lost(found) => false,
                    };
                    shutdown.end();
                    let in_flight = self.close(open).await;
                    if asked {
                        return in_flight;
                    }
                    tracing::info!(attachment = %self.attachment, "the VM's metadata service is closed");
                }
                Err(error) => {
                    if !std::mem::replace(&mut silent, true) {
                        let error: &dyn std::error::Error = &*error;
                        tracing::error!(attachment = %self.attachment, error, "the VM's metadata service can't be opened; trying again");
                    }
                    tokio::select! {
                        biased;
                        () = ending.asked() => return None,
                        () = place.lost(found) => {}
                        _ = again.tick() => {}
                    }
                }
            }
        }
    }

    async fn open(&self, shutdown: &Shutdown) -> Result<Open, Box<dyn std::error::Error + Send + Sync>> {
        let Post { host, attachment, service } = self;
        if let Some(peer) = peer(attachment) {
            let member = Admitted { service: service.clone(), share: host.share(), ending: shutdown.ending() };
            host.shared.join(host, attachment, peer, member).await?;
            return Ok(None);
        }
        let listener = host.open(attachment).await?;
        let serving = serve_until_asked(listener, service.clone(), host.config(), shutdown.ending());
        Ok(Some(tokio::spawn(serving)))
    }

    async fn close(&self, open: Open) -> Option<InFlight> {
        match (open, peer(&self.attachment)) {
            (Some(serving), _) => serving.await.ok(),
            (None, Some(peer)) => self.host.shared.leave(&self.attachment, peer).await,
            (None, None) => None,
        }
    }
}

/// A listener of its own, or a place at one that it shares.
type Open = Option<JoinHandle<InFlight>>;

/// What an attachment needs to be there. Which one it is says a number, so that one made anew is known for another: the file's
/// id, or the device's index.
struct Place {
    what: What,
    looks: Interval,
}

enum What {
    Always,
    Device(watch::Receiver<Option<u32>>),
    Namespace(PathBuf, Opener),
}

impl Place {
    fn of(attachment: &Attachment, host: &Host) -> Self {
        let what = match attachment {
            Attachment::Device { device, .. } => What::Device(host.devices().follow(device)),
            Attachment::Namespace { namespace, .. } => What::Namespace(namespace.clone(), host.opener.clone()),
            Attachment::Listen(_) | Attachment::Source { .. } | Attachment::Unix { .. } | Attachment::Vsock { .. } => {
                What::Always
            }
        };
        Self { what, looks: every(LOOK_AGAIN) }
    }

    /// Waits until it is there.
    async fn found(&mut self) -> FileId {
        match &mut self.what {
            What::Always => (0, 0),
            What::Device(index) => match index.wait_for(Option::is_some).await.map(|index| *index) {
                Ok(Some(index)) => (index.into(), 0),
                // Whoever tells of devices ends with the host.
                Ok(None) | Err(_) => pending().await,
            },
            What::Namespace(path, opener) => loop {
                self.looks.tick().await;
                if let Some(found) = opener.look(path).await {
                    return found;
                }
            },
        }
    }

    /// Waits until it is no longer the one that was found.
    async fn lost(&mut self, found: FileId) {
        match &mut self.what {
            What::Always => pending().await,
            What::Device(index) => {
                let is_other = |index: &Option<u32>| index.map(u64::from) != Some(found.0);
                if index.wait_for(is_other).await.is_err() {
                    pending::<()>().await;
                }
            }
            // A listener keeps the namespace alive that nobody else has any more: it must be looked for.
            What::Namespace(path, opener) => loop {
                self.looks.tick().await;
                if opener.look(path).await != Some(found) {
                    return;
                }
            },
        }
    }
}

fn every(time: Duration) -> Interval {
    let mut ticks = interval(time);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
