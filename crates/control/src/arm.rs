//! The control plane: the resources of Azure's Resource Manager, for `az`, its SDKs and templates.
//!
//! One request is read into a `route::Route`, its caller is found out and authorised, and one function of the noun's
//! file answers it. Each of those takes an `Authorized`, whatever it reads or writes, runs inside a store transaction and
//! knows nothing of HTTP, so that a deployment of a template uses the same ones. To add a type with a behaviour: a line in
//! `kind.rs`, a file of its name, a line in `resource.rs`; to add an action: a variant and a line in `route.rs`; the
//! compiler asks for the rest.

mod authorization;
mod body;
mod catalogue;
mod cutover;
pub(crate) mod deployment;
mod directory;
mod document;
mod export;
mod failure;
mod federated_credential;
mod generic;
pub mod guest;
mod identity;
mod kind;
mod members;
mod operation;
mod playbook;
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
pub mod scheduled_event;
mod seal;
mod storage_profile;
mod subscription;
mod target;
mod user_assigned_identity;
mod virtual_machine;
mod vm_agent;
mod vm_extension;
mod work;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use contract::arm::{ArmError, Code};
use domain::PrincipalId;
use http::Uri;
use http::request::Parts;
use store::{Act, ReadTx, Tx};

use self::authorization::{Authorized, Caller, Permission};
use self::body::Query;
use self::failure::Failure;
use self::reply::Reply;
use self::route::{Look, Open, Read, Route, Template, Write};
use self::work::Work;
use crate::App;

pub(crate) use self::document::HAS_CUSTOM_DATA;
pub use self::route::NAMES as ROUTES;
pub(crate) use self::scheduled_event::event_id;

pub(crate) use self::directory::{by_ids, service_principals};
pub(crate) use self::provider::cloud_metadata;
pub(crate) use self::storage_profile::image_os;

/// Carries out the deployments that are accepted, for ever; ends what guests say nothing of, and forgets what is old.
pub async fn keep_deploying(app: Arc<App>) {
    deployment::worker::keep_running(app).await;
}

/// Takes one step of every deployment that can take one; whether any did. [`keep_deploying`] does it for ever.
///
/// # Errors
/// When the store fails: nothing of the step was done.
pub async fn deploy_once(app: &App) -> Result<bool, ArmError> {
    deployment::worker::advance_all(app, &mut deployment::worker::Waiting::default()).await.map_err(Failure::told)
}

/// Waits no more for guests that have said nothing for too long, as of now. [`keep_deploying`] does it for ever.
///
/// # Errors
/// When the store fails: nothing was ended.
pub async fn give_up_once(app: &App) -> Result<(), ArmError> {
    let given_up = guest::give_up(app, app.authority.clock().now()).await;
    given_up.map_err(|error| Failure::from(error).told())
}

/// Whether a path is the control plane's.
pub(crate) fn is_ours(uri: &Uri) -> bool {
    let first = uri.path().split('/').find(|segment| !segment.is_empty()).unwrap_or_default();
    ["subscriptions", "tenants", "providers"].iter().any(|ours| ours.eq_ignore_ascii_case(first))
}

/// Which route a request is, one of [`ROUTES`]: for documents and tests.
///
/// # Errors
/// When it is none.
pub fn route_name(method: &http::Method, path: &str) -> Result<&'static str, ArmError> {
    read_route(method, path).map(|route| route.name())
}

fn read_route(method: &http::Method, path: &str) -> Result<Route, ArmError> {
    let target = target::parse(path)
        .map_err(|why| ArmError::new(Code::InvalidResourceName, format!("The request's path is not valid: {why}.")))?;
    let route = route::resolve(method, target)?;
    debug_assert!(ROUTES.contains(&route.name()), "{} is missing from the list of routes", route.name());
    Ok(route)
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
    let bearer = authorization::bearer(app, &head.headers)?;
    let (query, route) = match asked(head) {
        Ok(asked) => asked,
        Err(error) => {
            // Whose principal is gone learns nothing else.
            app.store.read(move |tx| authorization::known(tx, &bearer)).await?;
            return Err(error.into());
        }
    };
    let Some(permission) = route.permission() else {
        let caller = Arc::new(app.store.read(move |tx| authorization::known(tx, &bearer)).await?);
        return answer_open(app, route, caller).await;
    };
    let (principal, wanted) = (bearer.principal_id, permission.clone());
    let text = body::read(body).await;
    let admit = move |tx: &dyn ReadTx| authorization::admit(tx, &bearer, &permission);
    let act = Act::new(principal.to_string(), &wanted.action, wanted.scope.to_string(), app.authority.clock().now());
    let answered = carry_out(app, Work::new(app, query), route, act, admit, text).await;
    if let Err(failure) = &answered
        && failure.is_forbidden()
    {
        // A transaction that is refused is gone; the refusal is an act too.
        record_refusal(app, principal, &wanted).await?;
    }
    answered
}

/// What a request asks for.
fn asked(head: &Parts) -> Result<(Query, Route), ArmError> {
    let query = Query::parse(head.uri.query().unwrap_or_default())?;
    let route = read_route(&head.method, head.uri.path())?;
    metrics::counter!("symbolon_arm_routes_total", "route" => route.name()).increment(1);
    query.api_version()?;
    Ok((query, route))
}

/// Answers in one transaction, in which the caller is admitted first and whatever is said of the body comes after.
async fn carry_out(
    app: &App,
    work: Work,
    route: Route,
    act: Act,
    admit: impl FnOnce(&dyn ReadTx) -> Result<Authorized, Failure> + Send + 'static,
    text: Result<Vec<u8>, ArmError>,
) -> Result<Reply, Failure> {
    match route {
        Route::Open(_) => Err(unauthorized().into()),
        Route::Read(read) => {
            let body = text.and_then(|text| body::object(&text, false));
            let answer = move |tx: &dyn ReadTx| {
                let authorized = admit(tx)?;
                answer_read(tx, &work, &authorized, read, &body?)
            };
            app.store.read(answer).await
        }
        Route::Write(write) => {
            // Before the one turn of all writers, though a fault of it is told only to who is admitted.
            let body = text.and_then(|text| body::object(&text, write.needs_body()));
            let answer = move |tx: &mut dyn Tx| {
                let authorized = admit(tx)?;
                answer_write(tx, &work, &authorized, write, &body?)
            };
            let (reply, cursor) = app.store.write_through(act, answer).await?;
            // Whoever asks the metadata service next sees the change.
            app.settled.wait_for(&cursor).await;
            Ok(reply)
        }
        Route::Template(Template::Deploy, id) => {
            let answer = move |tx: &mut dyn Tx| {
                let authorized = admit(tx)?;
                deployment::put(tx, &work, &authorized, &id, &text?)
            };
            app.store.write(act, answer).await
        }
        Route::Template(Template::Validate, id) => {
            let answer = move |tx: &dyn ReadTx| {
                let authorized = admit(tx)?;
                deployment::validate(tx, &work, &authorized, &id, &text?)
            };
            app.store.read(answer).await
        }
        Route::Template(Template::WhatIf, id) => {
            let answer = move |tx: &dyn ReadTx| {
                let authorized = admit(tx)?;
                deployment::what_if(tx, &work, &authorized, &id, &text?)
            };
            app.store.read(answer).await
        }
        Route::Playbook(subscription) => {
            let authorized = app.store.read(admit).await?;
            playbook::show(app, &authorized, subscription)
        }
        Route::ChangePlaybook(what, subscription) => {
            let order = move |tx: &mut dyn Tx| {
                let order = playbook::order(&admit(tx)?, what, &text?)?;
                // The act itself, which changes nothing in the store.
                tx.record();
                Ok::<_, Failure>(order)
            };
            let order = app.store.write(act, order).await?;
            playbook::carry_out(app, order, subscription)
        }
    }
}

async fn record_refusal(app: &App, principal: PrincipalId, permission: &Permission) -> Result<(), store::Error> {
    let now = app.authority.clock().now();
    let Permission { action, scope, .. } = permission;
    let act = Act::new(principal.to_string(), format!("refused: {action}"), scope.to_string(), now);
    app.store
        .write(act, |tx| {
            tx.record();
            Ok::<_, store::Error>(())
        })
        .await
}

async fn answer_open(app: &App, route: Route, caller: Arc<Caller>) -> Result<Reply, Failure> {
    match route {
        Route::Open(Open::Tenants) => subscription::tenants(app, &caller).await,
        Route::Open(Open::Subscriptions) => subscription::list(app, caller).await,
        Route::Open(Open::Operation(id)) => operation::status(app, caller, id).await,
        Route::Open(Open::OperationResult(id)) => operation::result(app, caller, id).await,
        Route::Read(_) | Route::Write(_) | Route::Template(..) | Route::Playbook(_) | Route::ChangePlaybook(..) => {
            Err(unauthorized().into())
        }
    }
}

/// For a route that nobody was admitted to.
fn unauthorized() -> ArmError {
    ArmError::new(Code::AuthorizationFailed, "The request is not authorized.")
}

fn answer_write(
    tx: &mut dyn Tx,
    work: &Work,
    authorized: &Authorized,
    write: Write,
    body: &body::Object,
) -> Result<Reply, Failure> {
    match write {
        Write::Group(change, id) => resource_group::write(tx, work, authorized, change, &id, body),
        Write::Resource(change, kind, id) => resource::write(tx, work, authorized, change, kind, &id, body),
        Write::RoleAssignment(change, scope, name) => {
            role_assignment::write(tx, work, authorized, change, &scope, &name, body)
        }
        Write::Register(subscription, namespace) => Ok(provider::register(authorized, subscription, &namespace)),
        Write::Power(action, id) => power::change(tx, work, authorized, action, &id),
        Write::FireEvent(id) => scheduled_event::fire(tx, work, authorized, &id, body),
        Write::SimulateEviction(id) => scheduled_event::simulate_eviction(tx, work, authorized, &id),
        Write::Switch(switch, id) => vm_extension::switch(tx, work, authorized, switch, &id),
        Write::ManualUpgrade(id) => scale_set_machine::upgrade(tx, work, authorized, &id, body),
        Write::DeleteInstances(id) => scale_set_machine::delete_some(tx, work, authorized, &id, body),
        Write::DeleteDeployment(id) => deployment::delete(tx, authorized, &id),
        Write::CancelDeployment(id) => deployment::cancel(tx, work, authorized, &id),
        Write::Cutover(id) => cutover::put(tx, work, authorized, &id, body),
    }
}

fn answer_read(
    tx: &dyn ReadTx,
    work: &Work,
    authorized: &Authorized,
    read: Read,
    body: &body::Object,
) -> Result<Reply, Failure> {
    match read {
        Read::Subscription(id) => subscription::get(tx, authorized, id),
        Read::Locations(id) => Ok(subscription::locations(authorized, id)),
        Read::Providers(id) => Ok(provider::list(authorized, id)),
        Read::Provider(id, namespace) => Ok(provider::get(authorized, id, &namespace)),
        Read::Groups(id) => resource_group::list(tx, work, authorized, id),
        Read::Group(look, id) => resource_group::read(tx, authorized, look, &id),
        Read::Resources(scope) => resource::list_all(tx, work, authorized, &scope),
        Read::Export(id) => export::export(tx, work, authorized, &id, body),
        Read::Resource(look, kind, id) => resource::read(tx, work, authorized, look, kind, &id),
        Read::Collection { kind, scope, resource_type } => {
            resource::list(tx, work, authorized, kind, &scope, &resource_type)
        }
        Read::RoleAssignment(look, scope, name) => role_assignment::read(tx, authorized, look, &scope, &name),
        Read::RoleAssignments(scope) => role_assignment::list(tx, work, authorized, &scope),
        Read::RoleDefinition(scope, name) => role_definition::get(authorized, &scope, &name),
        Read::RoleDefinitions(scope) => role_definition::list(work, authorized, &scope),
        Read::InstanceView(kind, id) => resource::instance_view(tx, work, authorized, kind, &id),
        Read::ScheduledEvents(id) => scheduled_event::list(tx, authorized, &id),
        Read::AssociatedResources(id) => user_assigned_identity::associated(tx, authorized, &id),
        Read::Deployment(Look::Get, id) => deployment::get(tx, authorized, &id),
        Read::Deployment(Look::Head, id) => deployment::head(tx, authorized, &id),
        Read::Deployments(group) => deployment::list(tx, authorized, &group),
        Read::DeploymentOperations(id) => deployment::operations(tx, authorized, &id),
        Read::DeploymentStatus(id, operation) => deployment::status(tx, authorized, &id, operation),
        Read::Catalogue(subscription, names) => catalogue::get(authorized, subscription, &names),
        Read::Cutover(id) => cutover::get(tx, authorized, &id),
        Read::Machines(scope) => cutover::machines(tx, work, authorized, &scope),
    }
}
