//! From what was written to what it means: names become references, absent ids are derived, rules are checked.

mod application;
mod claims;
mod machine;

use std::collections::HashMap;
use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

use control::seed::World;
use domain::{
    IdentityKind, ManagedIdentity, ResourceGroup, ResourceId, Subscription, Tenant, UserAssignedIdentity, derived_ids,
    names,
};
use serde_saphyr::Location;

use claims::Claims;

use super::error::SeedError;
use super::schema::{ResourceGroupSeed, SeedFile, SubscriptionSeed, TenantSeed, UserAssignedSeed, Word};

/// The name of the tenant, subscription or resource group that is meant where none is named.
pub(crate) const DEFAULT_NAME: &str = "dev";
/// Where things are when the file doesn't say.
pub(crate) const DEFAULT_LOCATION: &str = "westeurope";
/// The size of a VM when the file doesn't say.
pub(crate) const DEFAULT_SIZE: &str = "Standard_B1s";
/// The only audience that Azure's own exchange uses.
const DEFAULT_AUDIENCE: &str = "api://AzureADTokenExchange";

pub(super) fn resolve(file: SeedFile, path: &Path) -> Result<World, SeedError> {
    let mut resolver = Resolver {
        path,
        world: World::default(),
        tenants: Names::default(),
        groups: Names::default(),
        claims: Claims::default(),
    };
    resolver.tenants(file.tenants)?;
    let subscriptions = resolver.subscriptions(file.subscriptions)?;
    resolver.resource_groups(file.resource_groups, &subscriptions)?;
    let identities = resolver.user_assigned(file.user_assigned_identities, &subscriptions)?;
    for machine in file.virtual_machines {
        resolver.machine(machine, &identities, &subscriptions)?;
    }
    for issuer in file.issuers {
        resolver.issuer(issuer)?;
    }
    for application in file.applications {
        resolver.application(application)?;
    }
    Ok(resolver.world)
}

type Names<T> = HashMap<String, T>;

struct Resolver<'p> {
    path: &'p Path,
    world: World,
    tenants: Names<Tenant>,
    groups: Names<ResourceGroup>,
    claims: Claims,
}

impl Resolver<'_> {
    fn tenants(&mut self, seeds: Vec<TenantSeed>) -> Result<(), SeedError> {
        for TenantSeed { name, id } in seeds {
            self.checked(&name, names::display_name("tenant", &name.value))?;
            let written = id;
            let id = self.guid_or(written.as_ref(), || derived_ids::tenant_id(&name.value))?;
            let tenant = Tenant { id, name: name.value.clone(), created_at: None };
            self.unique(&name, "tenant", |this| this.tenants.insert(key(&name), tenant.clone()).is_some())?;
            self.claim("id", &id, (written.as_ref(), &name), "tenant")?;
            self.world.tenants.push(tenant);
        }
        if self.world.tenants.is_empty() {
            let tenant =
                Tenant { id: derived_ids::tenant_id(DEFAULT_NAME), name: DEFAULT_NAME.to_owned(), created_at: None };
            self.tenants.insert(DEFAULT_NAME.to_owned(), tenant.clone());
            self.world.tenants.push(tenant);
        }
        Ok(())
    }

    fn subscriptions(&mut self, seeds: Vec<SubscriptionSeed>) -> Result<Names<Subscription>, SeedError> {
        let mut known = Names::default();
        for SubscriptionSeed { name, id, tenant } in seeds {
            self.checked(&name, names::display_name("subscription", &name.value))?;
            let written = id;
            let id = self.guid_or(written.as_ref(), || derived_ids::subscription_id(&name.value))?;
            let tenant = self.referred("tenant", &self.tenants, tenant.as_ref(), &name)?.id;
            let subscription = Subscription { id, name: name.value.clone(), tenant };
            self.unique(&name, "subscription", |_| known.insert(key(&name), subscription.clone()).is_some())?;
            self.claim("id", &id, (written.as_ref(), &name), "subscription")?;
            self.world.subscriptions.push(subscription);
        }
        if known.is_empty() {
            let tenant = self.world.tenants.first().map(|tenant| tenant.id);
            let tenant = tenant.unwrap_or_else(|| derived_ids::tenant_id(DEFAULT_NAME));
            let id = derived_ids::subscription_id(DEFAULT_NAME);
            let subscription = Subscription { id, name: DEFAULT_NAME.to_owned(), tenant };
            known.insert(DEFAULT_NAME.to_owned(), subscription.clone());
            self.world.subscriptions.push(subscription);
        }
        Ok(known)
    }

    fn resource_groups(
        &mut self,
        seeds: Vec<ResourceGroupSeed>,
        subscriptions: &Names<Subscription>,
    ) -> Result<(), SeedError> {
        for ResourceGroupSeed { name, subscription, location } in seeds {
            self.checked(&name, names::resource_group(&name.value))?;
            let subscription = self.referred("subscription", subscriptions, subscription.as_ref(), &name)?.id;
            let location = location.unwrap_or_else(|| DEFAULT_LOCATION.to_owned());
            let group = self.group(&name, subscription, location)?;
            self.unique(&name, "resource group", |this| this.groups.insert(key(&name), group.clone()).is_some())?;
            self.world.resource_groups.push(group);
        }
        Ok(())
    }

    fn group(
        &self,
        name: &Word,
        subscription: domain::SubscriptionId,
        location: String,
    ) -> Result<ResourceGroup, SeedError> {
        let id = self.checked(name, ResourceId::for_resource_group(subscription, &name.value))?;
        Ok(ResourceGroup { id, name: name.value.clone(), location, tags: Default::default(), subscription })
    }

    /// The group that is named, or the only one, or the one that is made because there is none.
    fn group_of(
        &mut self,
        word: Option<&Word>,
        user: &Word,
        subscriptions: &Names<Subscription>,
    ) -> Result<ResourceGroup, SeedError> {
        if word.is_none() && self.groups.is_empty() {
            let name = Word::new(DEFAULT_NAME.to_owned(), user.referenced, user.defined);
            let subscription = self.referred("subscription", subscriptions, None, user)?.id;
            let group = self.group(&name, subscription, DEFAULT_LOCATION.to_owned())?;
            self.groups.insert(DEFAULT_NAME.to_owned(), group.clone());
            self.world.resource_groups.push(group);
        }
        self.referred("resource group", &self.groups, word, user)
    }

    fn tenant_of(&self, group: &ResourceGroup) -> domain::TenantId {
        let owner = self.world.subscriptions.iter().find(|subscription| subscription.id == group.subscription);
        owner.map_or_else(|| derived_ids::tenant_id(DEFAULT_NAME), |subscription| subscription.tenant)
    }

    fn user_assigned(
        &mut self,
        seeds: Vec<UserAssignedSeed>,
        subscriptions: &Names<Subscription>,
    ) -> Result<Names<ManagedIdentity>, SeedError> {
        let mut known = Names::default();
        for UserAssignedSeed { name, resource_group, location, client_id, principal_id, tags } in seeds {
            self.checked(&name, names::user_assigned_identity(&name.value))?;
            let group = self.group_of(resource_group.as_ref(), &name, subscriptions)?;
            let id = ResourceId::for_user_assigned_identity(group.subscription, &group.name, &name.value);
            let id = self.checked(&name, id)?;
            let identity = ManagedIdentity {
                kind: IdentityKind::UserAssigned,
                tenant: self.tenant_of(&group),
                principal_id: self.guid_or(principal_id.as_ref(), || derived_ids::principal_id(&id))?,
                client_id: self.guid_or(client_id.as_ref(), || derived_ids::client_id(&id))?,
                id,
            };
            self.unique(&name, "user-assigned identity", |_| known.insert(key(&name), identity.clone()).is_some())?;
            self.claim("clientId", &identity.client_id, (client_id.as_ref(), &name), "identity")?;
            self.claim("principalId", &identity.principal_id, (principal_id.as_ref(), &name), "identity")?;
            let location = location.unwrap_or(group.location);
            let identity = UserAssignedIdentity { identity, name: name.value, location, tags };
            self.world.user_assigned_identities.push(identity);
        }
        Ok(known)
    }

    /// What a word refers to; without a word the only one there is, or the one with the default name.
    fn referred<T: Clone>(
        &self,
        noun: &str,
        known: &Names<T>,
        word: Option<&Word>,
        user: &Word,
    ) -> Result<T, SeedError> {
        let Some(word) = word else {
            let only = if known.len() == 1 { known.values().next() } else { known.get(DEFAULT_NAME) };
            return only.cloned().ok_or_else(|| {
                let text = format!("say which {noun} '{}' belongs to: there are {}", user.value, known.len());
                self.error(user.referenced, text)
            });
        };
        known.get(&key(word)).cloned().ok_or_else(|| {
            let mut names: Vec<_> = known.keys().map(String::as_str).collect();
            names.sort_unstable();
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            self.error(word.referenced, format!("there is no {noun} '{}' in this file; there is {there}", word.value))
        })
    }

    fn unique(&mut self, name: &Word, noun: &str, insert: impl FnOnce(&mut Self) -> bool) -> Result<(), SeedError> {
        if insert(self) {
            return Err(self.error(name.referenced, format!("there are two of the {noun} '{}'", name.value)));
        }
        Ok(())
    }

    fn guid_or<T: FromStr<Err: Display>>(&self, word: Option<&Word>, or: impl FnOnce() -> T) -> Result<T, SeedError> {
        match word {
            None => Ok(or()),
            Some(word) => self.checked(word, word.value.parse().map_err(|why| format!("'{}': {why}", word.value))),
        }
    }

    fn checked<T, E: Display>(&self, word: &Word, result: Result<T, E>) -> Result<T, SeedError> {
        result.map_err(|why| self.error(word.referenced, why.to_string()))
    }

    fn error(&self, at: Location, message: String) -> SeedError {
        SeedError::at(self.path, at, message)
    }

    /// A path in the file is meant from the file's own folder.
    fn beside(&self, path: &str) -> std::path::PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }
}

fn key(word: &Word) -> String {
    word.value.to_ascii_lowercase()
}
