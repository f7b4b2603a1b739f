//! What a deployment knows of the world around it: plain values, given by the caller.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The surroundings of one deployment to a resource group.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// The subscription.
    pub subscription: Subscription,
    /// The resource group.
    pub resource_group: ResourceGroup,
    /// The name of the deployment.
    pub deployment_name: String,
    /// What `environment()` gives: an object of cloud endpoints.
    pub environment: Value,
    /// What `providers()` knows; shared, since each nested deployment has a context of its own.
    pub providers: Arc<[ProviderType]>,
    /// When the deployment began, in seconds since 1970: the time that `utcNow` gives. The same whenever it is planned.
    pub started_at: i64,
    /// Random, and the same whenever the same deployment is planned: what `newGuid` makes its values of.
    pub seed: Uuid,
}

/// What `subscription()` and `tenant()` give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// Its GUID.
    pub subscription_id: String,
    /// The GUID of its tenant.
    pub tenant_id: String,
    /// Its name for people.
    pub display_name: String,
}

/// What `resourceGroup()` gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceGroup {
    /// Its name.
    pub name: String,
    /// Its location.
    pub location: String,
    /// Its tags.
    pub tags: Map<String, Value>,
}

/// A resource type as its provider publishes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderType {
    /// `Microsoft.Compute`.
    pub namespace: String,
    /// `virtualMachines/extensions`.
    pub resource_type: String,
    /// The newest first.
    pub api_versions: Vec<String>,
    /// Names of locations.
    pub locations: Vec<String>,
}

impl Context {
    /// `/subscriptions/{id}`.
    pub fn subscription_id(&self) -> String {
        format!("/subscriptions/{}", self.subscription.subscription_id)
    }

    /// `/subscriptions/{id}/resourceGroups/{name}`.
    pub fn group_id(&self) -> String {
        crate::resource_id::group(&self.subscription.subscription_id, &self.resource_group.name)
    }

    pub(crate) fn subscription_value(&self) -> Value {
        json!({
            "id": self.subscription_id(),
            "subscriptionId": self.subscription.subscription_id,
            "tenantId": self.subscription.tenant_id,
            "displayName": self.subscription.display_name,
        })
    }

    pub(crate) fn tenant_value(&self) -> Value {
        let id = &self.subscription.tenant_id;
        json!({ "countryCode": "", "displayName": "", "id": format!("/tenants/{id}"), "tenantId": id })
    }

    pub(crate) fn group_value(&self) -> Value {
        json!({
            "id": self.group_id(),
            "name": self.resource_group.name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": self.resource_group.location,
            "tags": self.resource_group.tags,
            "properties": { "provisioningState": "Succeeded" },
        })
    }
}

impl ProviderType {
    pub(crate) fn value(&self) -> Value {
        json!({
            "resourceType": self.resource_type,
            "locations": self.locations,
            "apiVersions": self.api_versions,
        })
    }
}
