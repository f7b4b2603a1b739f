//! What a template may know: its surroundings, and the resources as they are.

use contract::arm::{ArmError, Code, cloud_metadata};
use domain::{OperationId, ResourceId, Scope};
use serde_json::Value;
use store::ReadTx;
use template::{Context, ProviderType, ResourceGroup, Runtime, Subscription, TemplateError};

use super::super::authorization::Caller;
use super::super::failure::Failure;
use super::super::kind::{self, Kind};
use super::super::work::Work;
use super::super::{members, provider, resource, resource_group, storage_profile, subscription};

/// The api-version whose document of the cloud `environment()` gives.
const CLOUD_VERSION: &str = "2022-09-01";

/// What a deployment knows of the world around it.
pub(crate) struct Surroundings {
    pub(crate) context: Context,
}

impl Surroundings {
    /// Those of a deployment in a resource group, which began at a time with an operation.
    pub(crate) fn of(
        tx: &dyn ReadTx,
        work: &Work,
        id: &ResourceId,
        began: domain::Timestamp,
        operation: OperationId,
    ) -> Result<Self, Failure> {
        let group = id.group().map(|id| tx.resource_group(&id)).transpose()?.flatten();
        let group = group.ok_or_else(|| ArmError::group_not_found(id.resource_group().unwrap_or_default()))?;
        let of = tx.subscription(group.subscription)?.ok_or_else(|| subscription::not_found(group.subscription))?;
        let locations: Vec<String> = subscription::location_names().into_iter().map(str::to_owned).collect();
        let types = kind::TYPED.iter().filter_map(|(name, _)| name.split_once('/'));
        let providers = types.map(|(namespace, resource_type)| ProviderType {
            namespace: namespace.to_owned(),
            resource_type: resource_type.to_owned(),
            api_versions: provider::VERSIONS.iter().map(|version| (*version).to_owned()).collect(),
            locations: locations.clone(),
        });
        let tags = group.tags.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        Ok(Self {
            context: Context {
                subscription: Subscription {
                    subscription_id: of.id.to_string(),
                    tenant_id: of.tenant.to_string(),
                    display_name: of.name,
                },
                resource_group: ResourceGroup {
                    name: group.name.clone(),
                    location: group.location.clone(),
                    tags: tags.collect(),
                },
                deployment_name: id.name().to_owned(),
                environment: cloud_metadata::document(&work.base_url, CLOUD_VERSION),
                providers: providers.collect(),
                started_at: began.unix(),
                seed: operation.as_uuid(),
            },
        })
    }
}

/// The resources that a template may refer to: those that whoever deploys it may read.
pub(crate) struct Resources<'t> {
    pub(crate) tx: &'t dyn ReadTx,
    pub(crate) work: &'t Work,
    pub(crate) caller: &'t Caller,
}

impl Runtime for Resources<'_> {
    fn resource(&self, id: &str) -> Option<Value> {
        let id = ResourceId::parse(id).ok()?;
        let scope = Scope::At(id.clone());
        if id.provider().is_none() {
            if !self.caller.may("Microsoft.Resources/subscriptions/resourceGroups/read", &scope) {
                return None;
            }
            let found = self.tx.resource_group(&id).ok()??;
            return Some(resource_group::shown(&found));
        }
        if !self.caller.may(&format!("{}/read", kind::spelt(&id.resource_type())), &scope) {
            return None;
        }
        if id.resource_type().eq_ignore_ascii_case("Microsoft.Resources/deployments") {
            let found = self.tx.deployment(&id).ok()??;
            return super::shown(&found).ok();
        }
        // What isn't there and what can't be read are the same to a template: it is told that it isn't there.
        resource::get(self.tx, &self.work.without_query(), Kind::of(&id)?, &id).ok()
    }

    fn kept(&self, id: &str, body: Value) -> Value {
        let before = ResourceId::parse(id).ok().and_then(|id| self.tx.virtual_machine(&id).ok()?);
        match (before, body) {
            (Some(before), Value::Object(body)) => {
                let mut body = members::spelt(Kind::VirtualMachine, &body);
                // What can't be read is compared as it was said.
                let completed = storage_profile::complete(&mut body, Some(&before), &before.name, before.vm_id);
                debug_assert!(completed.is_ok(), "{} has a description", before.id);
                if let Some(Value::Object(properties)) = body.get_mut("properties") {
                    storage_profile::show(properties, &before.name, before.vm_id);
                }
                body.into()
            }
            (_, body) => body,
        }
    }
}

/// A template's error as the control plane tells it, with its place.
pub(crate) fn refusal(error: TemplateError) -> ArmError {
    let code = match error.code {
        template::Code::InvalidTemplate => Code::InvalidTemplate,
        template::Code::InvalidRequestContent => Code::InvalidRequestContent,
        template::Code::ResourceNotFound => Code::ResourceNotFound,
        template::Code::DeploymentOutputEvaluationFailed => Code::DeploymentOutputEvaluationFailed,
    };
    let told = ArmError { target: error.target, ..ArmError::new(code, error.message) };
    match error.line.zip(error.column) {
        Some((line, column)) => told.place(line, column),
        None => told,
    }
}
