//! Virtual machines of a seed, with their identities and extensions.

use domain::{
    Attachment, ExtensionSpec, IdentityKind, ManagedIdentity, PowerState, ProvisioningState, ResourceId, Subscription,
    TenantId, Timestamp, VirtualMachine, VmExtension, derived_ids, limits, names, vm_extension,
};
use serde_saphyr::Spanned;

use super::super::error::SeedError;
use super::super::schema::{ExtensionSeed, MachineSeed, SystemAssignedSeed, Word};
use super::{DEFAULT_SIZE, Names, Resolver};
use crate::attachment::AttachmentWords;

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
        let mut with_extension = false;
        for seed in extensions {
            let at = seed.extension_type.referenced;
            let extension = self.extension(seed, &id, &location)?;
            if std::mem::replace(&mut with_extension, extension.is_managed_identity()) {
                let text = format!("VM '{}' has a managed-identity extension already", name.value);
                return Err(self.error(at, text));
            }
            self.world.vm_extensions.push(extension);
        }
        self.checked(&name, limits::check_assign(user_assigned.len(), with_extension))?;
        let attachment = attachment.map(|words| self.attachment(words, &name)).transpose()?;
        let written = vm_id;
        let vm_id = self.guid_or(written.as_ref(), || derived_ids::vm_id(&id))?;
        self.claim("vmId", &vm_id, (written.as_ref(), &name), "VM")?;
        let machine = VirtualMachine {
            vm_id,
            tenant,
            name: name.value.clone(),
            location,
            size: size.unwrap_or_else(|| DEFAULT_SIZE.to_owned()),
            tags,
            system_assigned: self.system_assigned(&name, &identity.system_assigned, &id, tenant)?,
            user_assigned,
            attachment,
            document: "{}".to_owned(),
            power: PowerState::Running,
            generation: 0,
            created_at: Timestamp::from_unix(0),
            instance: None,
            id,
        };
        self.world.virtual_machines.push(machine);
        Ok(())
    }

    fn attachment(&mut self, words: Spanned<AttachmentWords>, vm: &Word) -> Result<Attachment, SeedError> {
        let at = words.referenced;
        let attachment = words.value.attachment(&self.beside("")).map_err(|why| self.error(at, why))?;
        self.claim_at("attachment", &attachment.claim(), at, format!("VM '{}'", vm.value))?;
        Ok(attachment)
    }

    fn system_assigned(
        &mut self,
        vm: &Word,
        seed: &SystemAssignedSeed,
        id: &ResourceId,
        tenant: TenantId,
    ) -> Result<Option<ManagedIdentity>, SeedError> {
        let (client_id, principal_id) = match seed {
            SystemAssignedSeed::Enabled(false) => return Ok(None),
            SystemAssignedSeed::Enabled(true) => (None, None),
            SystemAssignedSeed::Ids(ids) => (ids.client_id.as_ref(), ids.principal_id.as_ref()),
        };
        let identity = ManagedIdentity {
            kind: IdentityKind::SystemAssigned,
            tenant,
            principal_id: self.guid_or(principal_id, || derived_ids::principal_id(id))?,
            client_id: self.guid_or(client_id, || derived_ids::client_id(id))?,
            id: id.clone(),
        };
        self.claim("clientId", &identity.client_id, (client_id, vm), "VM")?;
        self.claim("principalId", &identity.principal_id, (principal_id, vm), "VM")?;
        Ok(Some(identity))
    }

    fn extension(&self, seed: ExtensionSeed, vm: &ResourceId, location: &str) -> Result<VmExtension, SeedError> {
        let ExtensionSeed {
            name,
            extension_type,
            publisher,
            type_handler_version,
            settings,
            protected_settings: _ignored,
        } = seed;
        let name = name.unwrap_or_else(|| extension_type.clone());
        self.checked(&name, names::vm_extension(&name.value))?;
        let settings = serde_json::Value::Object(settings.unwrap_or_default()).to_string();
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
            disabled: false,
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
