//! The control plane: the resources of Azure's Resource Manager, for `az`, its SDKs and templates.
//!
//! One request is read into a [`route::Route`], its caller is found out and authorised, and one function of the noun's
//! file answers it. Those functions run inside a store transaction and know nothing of HTTP, so that a deployment of a
//! template uses the same ones. To add a type with a behaviour: a line in `kind.rs`, a file of its name, a line in
//! `resource.rs`; to add an action: a line in `route.rs` and one in [`answer`].

mod authorization;
mod body;
mod catalogue;
mod directory;
mod document;
mod failure;
mod federated_credential;
mod generic;
pub mod guest;
mod identity;
mod kind;
mod members;
mod operation;
mod power;
mod provider;
mod reply;
mod resource;
mod resource_group;
mod role_assignment;
mod role_definition;
mod route;
mod scale_set;
mod scale_set_extension;
mod scale_set_machine;
mod seal;
mod subscription;
mod target;
mod user_assigned_identity;
mod virtual_machine;
mod vm_extension;
mod work;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use contract::arm::{ArmError, Code};
use domain::{SubscriptionId, TenantId};
use http::Uri;
use http::request::Parts;
use store::Act;

use self::authorization::{Authorized, Caller};
use self::body::Query;
use self::failure::Failure;
use self::reply::Reply;
use self::route::Route;
use self::work::Work;
use crate::App;

pub(crate) use self::directory::{by_ids, service_principals};
pub(crate) use self::provider::cloud_metadata;

/// Whether a path is the control plane's.
pub(crate) fn is_ours(uri: &Uri) -> bool {
    let first = uri.path().split('/').find(|segment| !segment.is_empty()).unwrap_or_default();
    ["subscriptions", "tenants", "providers"].iter().any(|ours| ours.eq_ignore_ascii_case(first))
}

/// Answers a request.
pub(crate) async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    match decide(&app, &head, body).await {
        Ok(reply) => {
            metrics::counter!("symbolon_arm_requests_total", "outcome" => "ok").increment(1);
            reply.into_response()
        }
        Err(failure) => {
            let error = failure.told();
            tracing::info!(code = error.code.as_str(), method = %head.method, "an ARM request was refused");
            metrics::counter!("symbolon_arm_requests_total", "outcome" => error.code.as_str()).increment(1);
            reply::refuse(&error, &app.base_url, "common")
        }
    }
}

async fn decide(app: &Arc<App>, head: &Parts, body: Body) -> Result<Reply, Failure> {
    let caller = Arc::new(authorization::authenticate(app, &head.headers).await?);
    let query = Query::parse(head.uri.query().unwrap_or_default())?;
    let target = target::parse(head.uri.path())
        .map_err(|why| ArmError::new(Code::InvalidResourceName, format!("The request's path is not valid: {why}.")))?;
    let route = route::resolve(&head.method, target)?;
    query.api_version()?;
    if let Some(subscription) = route.subscription() {
        check_subscription(app, subscription, caller.tenant).await?;
    }
    let authorized = match route.permission() {
        None => None,
        Some(permission) => match authorization::authorize(Arc::clone(&caller), &permission) {
            Ok(authorized) => Some(authorized),
            Err(error) => {
                record_refusal(app, &caller, &permission.action, &permission.scope.to_string()).await?;
                return Err(error.into());
            }
        },
    };
    let text = body::read(body).await?;
    let work = Work::new(app, query);
    answer(app, work, route, caller, authorized, text).await
}

/// A refusal is an act too.
async fn record_refusal(app: &App, caller: &Caller, action: &str, scope: &str) -> Result<(), store::Error> {
    let now = app.authority.clock().now();
    let act = Act::new(caller.principal_id.to_string(), format!("refused: {action}"), scope, now);
    app.store
        .write(act, |tx| {
            tx.record();
            Ok::<_, store::Error>(())
        })
        .await
}

async fn check_subscription(app: &App, id: SubscriptionId, tenant: TenantId) -> Result<(), Failure> {
    let found = app.store.read(move |tx| tx.subscription(id)).await?;
    match found {
        None => {
            let text = format!("The subscription '{id}' could not be found.");
            Err(ArmError::new(Code::SubscriptionNotFound, text).into())
        }
        Some(found) if found.tenant != tenant => {
            let text = format!(
                "The access token is from the wrong issuer. It must match the tenant '{}' associated with this \
                 subscription.",
                found.tenant
            );
            Err(ArmError::new(Code::InvalidAuthenticationTokenTenant, text).into())
        }
        Some(_) => Ok(()),
    }
}

async fn answer(
    app: &Arc<App>,
    work: Work,
    route: Route,
    caller: Arc<Caller>,
    authorized: Option<Authorized>,
    text: Vec<u8>,
) -> Result<Reply, Failure> {
    let Some(authorized) = authorized else {
        return match route {
            Route::Tenants => subscription::tenants(app, &caller).await,
            Route::Subscriptions => subscription::list(app, caller).await,
            Route::Operation(id) => operation::status(app, caller, id).await,
            Route::OperationResult(id) => operation::result(app, caller, id).await,
            // Every other route has a permission.
            _ => Err(ArmError::new(Code::AuthorizationFailed, "The request is not authorized.").into()),
        };
    };
    if route.writes() {
        let (action, target) = describe(&route);
        let act = Act::new(caller.principal_id.to_string(), action, target, work.now);
        let (body, apply) = (body::object(&text, &route), work.clone());
        let body = body?;
        let written = app.store.write_through(act, move |tx| write(tx, &apply, &authorized, route, body)).await;
        let (reply, cursor) = written?;
        // Whoever asks the metadata service next sees the change.
        app.settled.wait_for(&cursor).await;
        return Ok(reply);
    }
    let body = body::object(&text, &route)?;
    app.store.read(move |tx| read(tx, &work, &authorized, route, body)).await
}

fn describe(route: &Route) -> (String, String) {
    let permission = route.permission();
    permission.map_or_else(Default::default, |permission| (permission.action, permission.scope.to_string()))
}

fn write(
    tx: &mut dyn store::Tx,
    work: &Work,
    authorized: &Authorized,
    route: Route,
    body: body::Object,
) -> Result<Reply, Failure> {
    match route {
        Route::Group(verb, id) => resource_group::write(tx, work, authorized, verb, &id, &body),
        Route::Resource(verb, kind, id) => resource::write(tx, work, authorized, verb, kind, &id, body),
        Route::RoleAssignment(verb, scope, name) => {
            role_assignment::write(tx, work, authorized, verb, &scope, &name, &body)
        }
        Route::Register(subscription, namespace) => Ok(provider::register(subscription, &namespace)),
        Route::Power(action, id) => power::change(tx, work, authorized, action, &id),
        Route::ManualUpgrade(id) => scale_set_machine::upgrade(tx, work, authorized, &id, &body),
        Route::DeleteInstances(id) => scale_set_machine::delete_some(tx, work, authorized, &id, &body),
        other => Err(unanswered(&other)),
    }
}

fn read(
    tx: &dyn store::ReadTx,
    work: &Work,
    authorized: &Authorized,
    route: Route,
    _body: body::Object,
) -> Result<Reply, Failure> {
    match route {
        Route::Subscription(id) => subscription::get(tx, id),
        Route::Locations(id) => Ok(subscription::locations(id)),
        Route::Providers(id) => Ok(provider::list(id)),
        Route::Provider(id, namespace) => Ok(provider::get(id, &namespace)),
        Route::Groups(id) => resource_group::list(tx, work, authorized, id),
        Route::Group(verb, id) => resource_group::read(tx, verb, &id),
        Route::Resources(scope) => resource::list_all(tx, work, authorized, scope),
        Route::Resource(verb, kind, id) => resource::read(tx, work, verb, kind, &id),
        Route::Collection { kind, scope, resource_type } => {
            resource::list(tx, work, authorized, kind, &scope, &resource_type)
        }
        Route::RoleAssignment(verb, scope, name) => role_assignment::read(tx, verb, &scope, &name),
        Route::RoleAssignments(scope) => role_assignment::list(tx, work, &scope),
        Route::RoleDefinition(scope, name) => role_definition::get(&scope, &name),
        Route::RoleDefinitions(scope) => role_definition::list(work, &scope),
        Route::InstanceView(kind, id) => resource::instance_view(tx, work, kind, &id),
        Route::AssociatedResources(id) => user_assigned_identity::associated(tx, authorized, &id),
        Route::Catalogue(subscription, names) => catalogue::get(subscription, &names),
        other => Err(unanswered(&other)),
    }
}

fn unanswered(route: &Route) -> Failure {
    ArmError::new(Code::NotFound, format!("There is no answer to this request: {:?}.", std::mem::discriminant(route)))
        .into()
}
