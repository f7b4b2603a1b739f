//! The few questions that `az role assignment` asks of a directory.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use domain::{PrincipalKind, ServicePrincipal, TenantId};
use serde_json::{Value, json};

use super::body::Query;
use super::failure::Failure;
use super::reply::{self, Reply};
use super::{authorization, body};
use crate::App;

/// `POST …/v1.0/directoryObjects/getByIds`.
pub(crate) async fn by_ids(State(app): State<Arc<App>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let found = async {
        let caller = authorization::authenticate_at_directory(&app, &head.headers).await?;
        let text = body::read(body).await?;
        let ids: Vec<String> = serde_json::from_slice::<Value>(&text)
            .ok()
            .and_then(|body| Some(body.get("ids")?.as_array()?.clone()))
            .unwrap_or_default()
            .iter()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect();
        principals(&app, caller.tenant, move |principal| {
            ids.iter().any(|id| id.eq_ignore_ascii_case(&principal.principal_id.to_string()))
        })
        .await
    };
    answer(&app, found.await)
}

/// `GET …/v1.0/servicePrincipals?$filter=servicePrincipalNames/any(c:c eq '…')`.
pub(crate) async fn service_principals(State(app): State<Arc<App>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let found = async {
        let caller = authorization::authenticate_at_directory(&app, &head.headers).await?;
        let query = Query::parse(head.uri.query().unwrap_or_default())?;
        let filter = query.get("$filter").unwrap_or_default();
        let named = filter.split('\'').nth(1).unwrap_or_default().to_ascii_lowercase();
        principals(&app, caller.tenant, move |principal| {
            [principal.client_id.to_string(), principal.principal_id.to_string()].contains(&named)
        })
        .await
    };
    answer(&app, found.await)
}

async fn principals(
    app: &App,
    tenant: TenantId,
    wanted: impl Fn(&ServicePrincipal) -> bool + Send + 'static,
) -> Result<Value, Failure> {
    let value = app
        .store
        .read(move |tx| {
            let all = tx.service_principals(tenant)?;
            let applications = tx.applications(tenant)?;
            let living = all.into_iter().filter(|found| found.deleted_at.is_none() && wanted(found));
            let shown = living.map(|found| {
                let application = applications.iter().find(|known| known.principal_id == found.principal_id);
                let name = match (&found.owner, application) {
                    (Some(owner), _) => owner.name().to_owned(),
                    (None, Some(application)) => application.name.clone(),
                    (None, None) => found.client_id.to_string(),
                };
                let kind = match found.kind {
                    PrincipalKind::Application => "Application",
                    PrincipalKind::SystemAssigned | PrincipalKind::UserAssigned => "ManagedIdentity",
                };
                json!({
                    "@odata.type": "#microsoft.graph.servicePrincipal",
                    "id": found.principal_id.to_string(),
                    "appId": found.client_id.to_string(),
                    "displayName": name,
                    "servicePrincipalNames": [found.client_id.to_string()],
                    "servicePrincipalType": kind,
                })
            });
            Ok::<_, store::Error>(shown.collect::<Vec<Value>>())
        })
        .await?;
    Ok(json!({"value": value}))
}

fn answer(app: &App, found: Result<Value, Failure>) -> Response {
    match found {
        Ok(value) => Reply::ok(value).into_response(),
        Err(failure) => reply::refuse(&failure.told(), &app.base_url, "common"),
    }
}
