//! Tenants, subscriptions and their locations.

use std::sync::Arc;

use contract::arm::{ArmError, Code};
use domain::{Subscription, SubscriptionId, Tenant};
use serde_json::{Value, json};
use store::ReadTx;

use super::authorization::{Authorized, Caller};
use super::failure::Failure;
use super::reply::Reply;
use crate::App;

/// The regions that are shown. Whatever else could be a region's name is taken too: a machine is where its owner says.
const LOCATIONS: [(&str, &str, &str, &str); 10] = [
    ("westus", "West US", "United States", "US"),
    ("westus2", "West US 2", "United States", "US"),
    ("eastus", "East US", "United States", "US"),
    ("eastus2", "East US 2", "United States", "US"),
    ("centralus", "Central US", "United States", "US"),
    ("westeurope", "West Europe", "Netherlands", "Europe"),
    ("northeurope", "North Europe", "Ireland", "Europe"),
    ("germanywestcentral", "Germany West Central", "Germany", "Europe"),
    ("uksouth", "UK South", "United Kingdom", "Europe"),
    ("southeastasia", "Southeast Asia", "Singapore", "Asia Pacific"),
];

/// `GET /tenants`: the caller's own.
pub(crate) async fn tenants(app: &App, caller: &Caller) -> Result<Reply, Failure> {
    let id = caller.tenant;
    let tenant = app.store.read(move |tx| tx.tenant(id)).await?;
    let value: Vec<Value> = tenant.iter().map(tenant_shown).collect();
    Ok(Reply::ok(json!({"value": value})))
}

/// `GET /subscriptions`: those in which the caller may do anything.
pub(crate) async fn list(app: &App, caller: Arc<Caller>) -> Result<Reply, Failure> {
    let subscriptions = app.store.read(|tx| tx.subscriptions()).await?;
    let seen = subscriptions.iter().filter(|found| found.tenant == caller.tenant && caller.sees(found.id));
    let value: Vec<Value> = seen.map(shown).collect();
    Ok(Reply::ok(json!({"count": {"type": "Total", "value": value.len()}, "value": value})))
}

pub(crate) fn get(tx: &dyn ReadTx, _: &Authorized, id: SubscriptionId) -> Result<Reply, Failure> {
    match tx.subscription(id)? {
        Some(found) => Ok(Reply::ok(shown(&found))),
        None => Err(not_found(id).into()),
    }
}

/// That a subscription isn't there.
pub(crate) fn not_found(id: impl std::fmt::Display) -> ArmError {
    ArmError::new(Code::SubscriptionNotFound, format!("The subscription '{id}' could not be found."))
}

pub(crate) fn locations(_: &Authorized, id: SubscriptionId) -> Reply {
    let shown = |(name, display, geography, group): &(&str, &str, &str, &str)| {
        json!({
            "id": format!("/subscriptions/{id}/locations/{name}"),
            "name": name,
            "type": "Region",
            "displayName": display,
            "regionalDisplayName": format!("({group}) {display}"),
            "metadata": {
                "regionType": "Physical", "regionCategory": "Recommended", "geography": geography,
                "geographyGroup": group, "longitude": "0", "latitude": "0", "physicalLocation": geography,
                "pairedRegion": [],
            },
        })
    };
    Reply::ok(json!({"value": LOCATIONS.iter().map(shown).collect::<Vec<Value>>()}))
}

/// The names of the regions that are shown, as people read them.
pub(crate) fn location_names() -> Vec<&'static str> {
    LOCATIONS.iter().map(|(_, display, _, _)| *display).collect()
}

/// The names of the regions that are shown, as resources have them.
pub(crate) fn regions() -> Vec<&'static str> {
    LOCATIONS.iter().map(|(name, _, _, _)| *name).collect()
}

pub(crate) fn shown(found: &Subscription) -> Value {
    json!({
        "id": format!("/subscriptions/{}", found.id),
        "subscriptionId": found.id.to_string(),
        "tenantId": found.tenant.to_string(),
        "displayName": found.name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off",
        },
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
    })
}

fn tenant_shown(tenant: &Tenant) -> Value {
    json!({
        "id": format!("/tenants/{}", tenant.id),
        "tenantId": tenant.id.to_string(),
        "displayName": tenant.name,
        "defaultDomain": format!("{}.onmicrosoft.com", tenant.name),
        "tenantCategory": "Home",
    })
}
