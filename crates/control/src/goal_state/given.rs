//! A goal state as agents are told of it.

use contract::guest_agent as wire;
use domain::{GoalState, ProvisioningState, VmExtension};
use uuid::Uuid;

use super::wanted::{self, Wanted};
use super::{GoalStateError, GoalStates, failed, protection};

impl GoalStates {
    /// What is told of a goal state.
    pub(super) fn given(
        &self,
        wanted: &Wanted,
        goal_state: &GoalState,
        base_url: &str,
    ) -> Result<wire::GoalState, GoalStateError> {
        let machine = &wanted.machine;
        let vm_id = machine.vm_id.as_uuid();
        let derived = |what: &str| Uuid::new_v5(&vm_id, what.as_bytes()).to_string();
        let container_id = derived("container");
        let extensions = wanted.extensions.iter();
        let extensions = extensions.map(|extension| self.extension(extension, goal_state, base_url));
        let extensions = extensions.collect::<Result<_, _>>()?;
        Ok(wire::GoalState {
            incarnation: goal_state.incarnation,
            // In digits: Azure's agent names folders after it. A VM made anew begins with 1 again, and its disk may know
            // the tag of before.
            etag: ticks(goal_state).to_string(),
            ticks: ticks(goal_state),
            activity_id: derived(&goal_state.incarnation.to_string()),
            container_id: container_id.clone(),
            deployment_id: derived("deployment"),
            vm_name: machine.name.clone(),
            vm_id: vm_id.to_string(),
            subscription_id: machine.id.subscription().map(|id| id.to_string()).unwrap_or_default(),
            resource_group: machine.id.resource_group().unwrap_or_default().to_owned(),
            location: machine.location.clone(),
            vm_size: machine.size.clone(),
            extensions,
            has_certificates: goal_state.protection.is_some(),
            status_blob_url: format!("{base_url}/status/{container_id}?sr=b"),
            base_url: base_url.to_owned(),
        })
    }

    fn extension(
        &self,
        extension: &VmExtension,
        goal_state: &GoalState,
        base_url: &str,
    ) -> Result<wire::WantedExtension, GoalStateError> {
        let name = wanted::handler(extension);
        let protected = goal_state.protection.as_ref().and_then(|protection| {
            let cms_base64 = protection.settings.get(&extension.name.to_ascii_lowercase())?.clone();
            Some(wire::Protected { cms_base64, thumbprint: protection::thumbprint(&protection.certificate) })
        });
        Ok(wire::WantedExtension {
            version: wanted::version(extension, &*self.versions).map_err(failed("the listing of packages"))?,
            manifest_url: format!("{base_url}/extensions/{name}/manifest.xml"),
            state: match extension.state {
                ProvisioningState::Deleting => wire::WantedState::Uninstall,
                ProvisioningState::Creating
                | ProvisioningState::Updating
                | ProvisioningState::Succeeded
                | ProvisioningState::Failed => match extension.disabled {
                    true => wire::WantedState::Disabled,
                    false => wire::WantedState::Enabled,
                },
            },
            auto_upgrade: extension.spec.auto_upgrade_minor_version,
            sequence: extension.sequence,
            settings: extension.spec.settings.clone(),
            protected,
            name,
        })
    }
}

/// When it changed last, in ticks of a hundred nanoseconds since the year 1. Two changes of one second differ by their
/// numbers: an agent that is offered two forms takes the later one.
fn ticks(goal_state: &GoalState) -> u64 {
    const UNIX_EPOCH: u64 = 621_355_968_000_000_000;
    let seconds = u64::try_from(goal_state.changed_at.unix()).unwrap_or_default();
    UNIX_EPOCH + seconds * 10_000_000 + goal_state.incarnation % 10_000_000
}
