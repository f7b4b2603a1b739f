//! The VMs that a host serves, brought to what an inventory says: at the start, and whenever it is read again.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use broker::certificates::Certificates;
use broker::credential::Credential;
use broker::throttle::Throttle;
use domain::{Attachment, ResourceId, VmId};
use imds::{Attached, ControlPlane, Host, Vm};
use listen::Opener;
use tokio::task::JoinSet;

use super::{NoControlPlane, Placed};

/// The VMs of a host.
pub(crate) struct Serving {
    host: Host,
    source: Arc<Certificates>,
    opener: Opener,
    control_plane: Arc<NoControlPlane>,
    throttled: bool,
    machines: HashMap<ResourceId, Served>,
    /// Those that are gone and have something in flight.
    leaving: JoinSet<()>,
}

struct Served {
    vm_id: VmId,
    attachment: Attachment,
    vm: Arc<Vm>,
    attached: Attached,
}

impl Serving {
    /// No VM yet.
    pub(crate) fn new(
        host: Host,
        source: Arc<Certificates>,
        opener: Opener,
        control_plane: Arc<NoControlPlane>,
        throttled: bool,
    ) -> Self {
        Self { host, source, opener, control_plane, throttled, machines: HashMap::new(), leaving: JoinSet::new() }
    }

    /// Serves these VMs and no others, whose identities sign in with these credentials. One that stays keeps its connections
    /// and its tokens, but for those of identities that it has no more. What can't be opened at once comes back, is tried
    /// again, and keeps nothing else back.
    pub(crate) async fn become_as(
        &mut self,
        machines: Vec<Placed>,
        credentials: Vec<Credential>,
    ) -> Vec<anyhow::Error> {
        let wanted: HashMap<&ResourceId, &Placed> = machines.iter().map(|placed| (&placed.vm.id, placed)).collect();
        let is_gone = |id: &ResourceId, served: &mut Served| {
            let stays = |placed: &&&Placed| placed.vm.vm_id == served.vm_id && placed.attachment == served.attachment;
            wanted.get(id).filter(stays).is_none()
        };
        // Before any is opened: another may come to have what they had.
        let gone: Vec<_> = self.machines.extract_if(is_gone).collect();
        for (id, served) in gone {
            tracing::info!(vm = %id, "the VM is served no more");
            let end = served.attached.close().await;
            self.leaving.spawn(async move { told(end.await) });
        }
        let mut new = Vec::new();
        for placed in machines {
            match self.machines.get(&placed.vm.id) {
                Some(served) => served.vm.update(placed.vm),
                None => new.push(placed),
            }
        }
        // Nobody asks any more for an identity whose credential goes.
        self.source.replace(credentials);
        let mut failures = Vec::new();
        for Placed { name, vm, attachment } in new {
            let opened = imds::open_now(&self.opener, &attachment).await.with_context(|| format!("VM '{name}'"));
            let listener = opened.unwrap_or_else(|why| {
                failures.push(why);
                None
            });
            let throttled = self.throttled.then(|| Throttle::faithful(Arc::clone(&self.control_plane.clock)));
            let (id, vm_id) = (vm.id.clone(), vm.vm_id);
            let control_plane: Arc<dyn ControlPlane> = self.control_plane.clone();
            let vm = Vm::new(vm, throttled.unwrap_or_else(Throttle::off)).with_control_plane(control_plane);
            let vm = Arc::new(vm);
            let attached = Attached::start(&self.host, Arc::clone(&vm), attachment.clone(), listener);
            self.machines.insert(id, Served { vm_id, attachment, vm, attached });
        }
        failures
    }

    /// Serves none any more; what is in flight is finished.
    pub(crate) async fn end(mut self) {
        // All are told before anyone is waited for.
        let ends: Vec<_> = self.machines.into_values().map(|served| served.attached.end()).collect();
        for end in ends {
            told(end.await);
        }
        while let Some(left) = self.leaving.join_next().await {
            told(left);
        }
    }
}

fn told(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a listener ended badly");
    }
}
