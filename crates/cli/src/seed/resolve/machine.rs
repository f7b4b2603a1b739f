//! Virtual machines of a seed, with their identities and extensions.

use domain::{
    Attachment, ExtensionSpec, IdentityKind, ManagedIdentity, PowerState, ProvisioningState, ResourceId, Subscription,
    TenantId, Timestamp, VirtualMachine, VmExtension, derived_ids, limits, names, vm_extension,
};

use super::super::error::SeedError;
use super::super::schema::{ExtensionSeed, MachineSeed, SystemAssignedSeed, Word};
use super::{DEFAULT_SIZE, Names, Resolver};

impl Resolver<'_> {
    pub(super) fn machine(
        &mut self,
        seed: MachineSeed,
        identities: &Names<ManagedIdentity>,
        subscriptions: &Names<Subscription>,
    ) -> Result<(), SeedError> {
        let MachineSeed { name, resource_group, vm_id, location, size, tags, identity, attachment, extensions } = seed;
        self.checked(&name, names::virtual_machine(&name.value))?;
        let group = self.group_of(resource_group.as_ref(), &name, subscriptions)?;
        let id = ResourceId::for_virtual_machine(group.subscription, &group.name, &name.value);
        let id = self.checked(&name, id)?;
        if self.world.virtual_machines.iter().any(|other| other.id == id) {
            return Err(self.error(name.referenced, format!("there are two virtual machines '{}'", name.value)));
        }
        let tenant = self.tenant_of(&group);
        let mut user_assigned: Vec<ResourceId> = Vec::new();
        for word in &identity.user_assigned {
            let assigned = self.referred("user-assigned identity", identities, Some(word), word)?;
            if assigned.tenant != tenant {
                let text = format!("identity '{}' lives in another tenant than VM '{}'", word.value, name.value);
                return Err(self.error(word.referenced, text));
            }
            if !user_assigned.contains(&assigned.id) {
                user_assigned.push(assigned.id);
            }
        }
        let location = location.unwrap_or_else(|| group.location.clone());
        let extensions =
            extensions.into_iter().map(|seed| self.extension(seed, &id, &location)).collect::<Result<Vec<_>, _>>()?;
        let with_extension = extensions.iter().any(VmExtension::is_managed_identity);
        self.checked(&name, limits::check_assign(user_assigned.len(), with_extension))?;
        let machine = VirtualMachine {
            vm_id: self.guid_or(vm_id.as_ref(), || derived_ids::vm_id(&id))?,
            tenant,
            name: name.value.clone(),
            location,
            size: size.unwrap_or_else(|| DEFAULT_SIZE.to_owned()),
            tags,
            system_assigned: self.system_assigned(&name, &identity.system_assigned, &id, tenant)?,
            user_assigned,
            attachment: attachment.map(|attachment| Attachment::Listen(attachment.listen)),
            document: "{}".to_owned(),
            power: PowerState::Running,
            generation: 0,
            created_at: Timestamp::from_unix(0),
            instance: None,
            id,
        };
        self.world.virtual_machines.push(machine);
        self.world.vm_extensions.extend(extensions);
        Ok(())
    }

    fn system_assigned(
        &self,
        vm: &Word,
        seed: &SystemAssignedSeed,
        id: &ResourceId,
        tenant: TenantId,
    ) -> Result<Option<ManagedIdentity>, SeedError> {
        let (client_id, principal_id) = match seed {
            SystemAssignedSeed::Enabled(false) => return Ok(None),
            SystemAssignedSeed::Enabled(true) => (None, None),
            SystemAssignedSeed::Ids(ids) => (ids.client_id.as_deref(), ids.principal_id.as_deref()),
        };
        Ok(Some(ManagedIdentity {
            kind: IdentityKind::SystemAssigned,
            tenant,
            principal_id: self.parsed(vm.referenced, principal_id, || derived_ids::principal_id(id))?,
            client_id: self.parsed(vm.referenced, client_id, || derived_ids::client_id(id))?,
            id: id.clone(),
        }))
    }

    fn extension(&self, seed: ExtensionSeed, vm: &ResourceId, location: &str) -> Result<VmExtension, SeedError> {
        let ExtensionSeed { name, extension_type, publisher, type_handler_version, settings } = seed;
        let name = name.unwrap_or_else(|| extension_type.clone());
        self.checked(&name, names::vm_extension(&name.value))?;
        let settings = serde_json::Value::Object(settings).to_string();
        let extension = VmExtension {
            id: self.checked(&name, vm.child("extensions", &name.value))?,
            vm: vm.clone(),
            name: name.value.clone(),
            location: location.to_owned(),
            tags: Default::default(),
            spec: ExtensionSpec {
                publisher: publisher.unwrap_or_else(|| vm_extension::MANAGED_IDENTITY_PUBLISHER.to_owned()),
                extension_type: extension_type.value,
                type_handler_version: type_handler_version.unwrap_or_else(|| "1.0".to_owned()),
                auto_upgrade_minor_version: true,
                enable_automatic_upgrade: None,
                force_update_tag: None,
                settings: Some(settings),
                protected_settings: None,
            },
            sequence: 1,
            state: ProvisioningState::Creating,
            status: None,
        };
        if !extension.is_managed_identity() {
            let text = format!(
                "there is no extension of publisher '{}' and type '{}'; known: {} of {}",
                extension.spec.publisher,
                extension.spec.extension_type,
                vm_extension::MANAGED_IDENTITY_LINUX,
                vm_extension::MANAGED_IDENTITY_PUBLISHER
            );
            return Err(self.error(extension_type.referenced, text));
        }
        self.checked(
            &name,
            contract::extension::Settings::parse(extension.spec.settings.as_deref().unwrap_or_default()),
        )?;
        Ok(extension)
    }
}
