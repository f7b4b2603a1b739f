//! Providers with their types, and the cloud's own metadata.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use contract::arm::cloud_metadata as wire;
use domain::SubscriptionId;
use http::Uri;
use serde_json::{Value, json};

use super::authorization::Authorized;
use super::body::Query;
use super::failure::Failure;
use super::reply::{self, Reply};
use super::{kind, subscription};
use crate::App;

/// The dates that are told of each type; every other date is taken too.
pub(crate) const VERSIONS: [&str; 5] = ["2024-11-01", "2024-07-01", "2023-03-01", "2021-04-01", "2018-06-01"];

/// `GET /metadata/endpoints`: without a token, for it says where one is had.
pub(crate) async fn cloud_metadata(State(app): State<Arc<App>>, uri: Uri) -> Response {
    let version =
        Query::parse(uri.query().unwrap_or_default()).and_then(|query| query.api_version().map(str::to_owned));
    match version {
        Ok(version) => Reply::ok(wire::document(&app.base_url, &version)).into_response(),
        Err(error) => reply::refuse(&Failure::from(error).told(), &app.base_url, "common"),
    }
}

pub(crate) fn list(_: &Authorized, subscription: SubscriptionId) -> Reply {
    let value: Vec<Value> = kind::PROVIDERS.iter().map(|namespace| shown(subscription, namespace)).collect();
    Reply::ok(json!({"value": value}))
}

pub(crate) fn get(_: &Authorized, subscription: SubscriptionId, namespace: &str) -> Reply {
    Reply::ok(shown(subscription, namespace))
}

/// Every provider is registered from the start.
pub(crate) fn register(_: &Authorized, subscription: SubscriptionId, namespace: &str) -> Reply {
    Reply::ok(shown(subscription, namespace))
}

fn shown(subscription: SubscriptionId, namespace: &str) -> Value {
    let namespace =
        kind::PROVIDERS.iter().find(|known| known.eq_ignore_ascii_case(namespace)).copied().unwrap_or(namespace);
    let mut types = kind::types_of(namespace);
    match namespace {
        "Microsoft.Resources" => types.extend(["deployments", "resourceGroups", "subscriptions"]),
        "Microsoft.Authorization" => types.extend(["roleAssignments", "roleDefinitions"]),
        "Microsoft.ManagedIdentity" => types.push("identities"),
        "Microsoft.Compute" => types.extend(["locations", "locations/operations", "locations/publishers"]),
        _ => {}
    }
    let locations = subscription::location_names();
    let shown = |name: &&str| {
        json!({
            "resourceType": name, "locations": locations, "apiVersions": VERSIONS,
            "defaultApiVersion": VERSIONS.first(), "capabilities": "None",
        })
    };
    json!({
        "id": format!("/subscriptions/{subscription}/providers/{namespace}"),
        "namespace": namespace,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": types.iter().map(shown).collect::<Vec<Value>>(),
    })
}
