//! A guest for every machine, which does at once what is wanted of it.

use control::arm::guest::{Report, report};
use domain::{HandlerOutcome, HandlerStatus, ProvisioningState, VmExtension, VmId};

use super::*;

/// What the guests say of the extensions that they are given.
pub(super) struct Guest {
    outcome: HandlerOutcome,
    /// The extensions for which that holds, by a part of their ids; the others do well.
    of: &'static str,
}

impl Guest {
    /// Guests that do well.
    pub(super) const SOUND: Self = Self { outcome: HandlerOutcome::Success, of: "" };

    /// Guests of which those whose extension has this in its id fail with the handler's own code.
    pub(super) const fn failing(of: &'static str) -> Self {
        Self { outcome: HandlerOutcome::Error(51), of }
    }

    /// Guests that fail for good.
    pub(super) const fn terminal(code: i32) -> Self {
        Self { outcome: HandlerOutcome::Terminal(code), of: "" }
    }

    /// Guests that are at work and don't come to an end.
    pub(super) const fn busy() -> Self {
        Self { outcome: HandlerOutcome::Transitioning, of: "" }
    }

    /// Says everything that there is to say; whether there was something that changed anything.
    pub(super) async fn work(&self, world: &World) -> bool {
        let (extensions, machines) = world
            .store
            .read(|tx| {
                let (mut under_way, mut waited) = (Vec::new(), Vec::new());
                for snapshot in tx.vm_snapshots()? {
                    let extensions = tx.vm_extensions(&snapshot.id)?.into_iter();
                    under_way.extend(extensions.filter(|extension| extension.state.is_under_way()));
                    if tx.operation_on(&snapshot.id)?.is_some() {
                        waited.extend(tx.virtual_machine(&snapshot.id)?);
                    }
                }
                Ok::<_, store::Error>((under_way, waited))
            })
            .await
            .expect("the store");
        let mut changed = false;
        for extension in extensions {
            let status = self.status(world, &extension);
            changed |= status.outcome != HandlerOutcome::Transitioning;
            let id = extension.id;
            say(
                world,
                match extension.state {
                    ProvisioningState::Deleting => Report::Gone { extension: id },
                    ProvisioningState::Creating
                    | ProvisioningState::Updating
                    | ProvisioningState::Succeeded
                    | ProvisioningState::Failed => Report::Handler { extension: id, status },
                },
            )
            .await;
        }
        for machine in machines {
            changed = true;
            say(world, Report::Power { vm: machine.id, generation: machine.generation }).await;
        }
        changed
    }

    /// What the guest says of an extension.
    pub(super) fn status(&self, world: &World, extension: &VmExtension) -> HandlerStatus {
        let outcome = if extension.id.as_str().contains(self.of) { self.outcome } else { HandlerOutcome::Success };
        let message = match outcome {
            HandlerOutcome::Transitioning | HandlerOutcome::Success => "",
            HandlerOutcome::Error(_) | HandlerOutcome::Terminal(_) => "the port is taken",
        };
        HandlerStatus {
            sequence: extension.sequence,
            outcome,
            version: "1.0.0.0".to_owned(),
            message: message.to_owned(),
            at: world.app.authority.clock().now(),
        }
    }
}

/// Says something as the guest of the machine that is there.
pub(super) async fn say(world: &World, said: Report) {
    let of = match &said {
        Report::Handler { extension, .. } | Report::Gone { extension } => extension.parent().expect("a machine's"),
        Report::Power { vm, .. } | Report::Cutover { vm, .. } | Report::Calls { vm, .. } => vm.clone(),
    };
    say_as(world, vm_id(world, of).await, said).await;
}

/// Says something as the guest of the machine with this unique id.
pub(super) async fn say_as(world: &World, of: VmId, said: Report) {
    let now = world.app.authority.clock().now();
    report(&world.store, now, of, said).await.expect("the report is taken");
}

/// The unique id of a machine.
pub(super) async fn vm_id(world: &World, vm: ResourceId) -> VmId {
    let found = world.store.read(move |tx| tx.virtual_machine(&vm)).await;
    found.expect("the store").expect("the machine").vm_id
}
