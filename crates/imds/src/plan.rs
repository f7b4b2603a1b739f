//! What to do with a request: a pure function from what is known of the VM and what it asked.

use std::sync::Arc;

use contract::gate::{Admitted, Gate, Refusal, RequestHead, Route};
use contract::imds::{
    AttestedRequest, EventsRequest, InfoRequest, LoadBalancerRequest, NoParameters, TokenRequest, versions,
};
use domain::{ManagedIdentity, SelectionError, VmSnapshot, select};

use crate::convert;
use crate::documents::{Document, Documents};

/// What comes of a request that isn't refused.
#[derive(Debug)]
pub enum Plan<'r> {
    /// The tenant of the VM's identities.
    Info(String),
    /// A token.
    Token(TokenWanted<'r>),
    /// A document that is ready.
    Document(Document),
    /// A document that is to be signed.
    Attested(AttestedRequest<'r>),
    /// Leave for scheduled events to begin; the body says which.
    Approve,
}

/// The token that a request needs.
#[derive(Debug)]
pub struct TokenWanted<'r> {
    /// Whose token.
    pub identity: Arc<ManagedIdentity>,
    /// What was asked.
    pub request: TokenRequest<'r>,
}

/// Decides what to do with a request. `leave` asks the VM's throttle for a route, once, at its place in the order of
/// checks: behind the gate, before any parameter.
///
/// # Errors
/// The first check that fails, in the order of the contract.
pub(crate) fn plan<'r>(
    gate: &Gate,
    vm: &VmSnapshot,
    documents: &Documents,
    head: RequestHead<'r>,
    leave: impl FnOnce(Route) -> bool,
) -> Result<Plan<'r>, Refusal> {
    let admitted = gate.admit(head)?;
    if !leave(admitted.route) {
        return Err(Refusal::TooManyRequests);
    }
    match admitted.route {
        Route::ImdsToken => token(vm, admitted.query).map(Plan::Token),
        Route::ImdsIdentityInfo => info(vm, admitted.query).map(Plan::Info),
        Route::ImdsInstance => documents.instance(admitted.path, admitted.query).map(Plan::Document),
        Route::ImdsVersions => NoParameters::parse(admitted.query).map(|_| Plan::Document(Document::json(versions()))),
        Route::ImdsAttested => AttestedRequest::parse(admitted.query).map(Plan::Attested),
        Route::ImdsScheduledEvents => scheduled_events(documents, admitted),
        Route::ImdsLoadBalancer => load_balancer(documents, admitted.query).map(Plan::Document),
        // A gate of this surface knows no such route.
        Route::ExtensionToken => Err(Refusal::Internal),
    }
}

fn token<'r>(vm: &VmSnapshot, query: &'r str) -> Result<TokenWanted<'r>, Refusal> {
    let request = TokenRequest::parse(query)?;
    let selector = request.selector.as_ref().map(convert::selector);
    let identity = select(&vm.identities, selector).map_err(refusal)?;
    Ok(TokenWanted { identity: Arc::clone(identity), request })
}

/// The tenant of the system-assigned identity; with user-assigned ones alone the VM's own, which is theirs.
fn info(vm: &VmSnapshot, query: &str) -> Result<String, Refusal> {
    InfoRequest::parse(query)?;
    match vm.identities.iter().next() {
        Some(_) => Ok(vm.tenant.to_string()),
        None => Err(Refusal::IdentityNotFound),
    }
}

fn scheduled_events<'r>(documents: &Documents, admitted: Admitted<'r>) -> Result<Plan<'r>, Refusal> {
    let request = EventsRequest::parse(admitted.query)?;
    if admitted.post {
        return Ok(Plan::Approve);
    }
    let events = &documents.description.scheduled_events;
    Ok(Plan::Document(Document::json(events.render(request.api_version))))
}

fn load_balancer(documents: &Documents, query: &str) -> Result<Document, Refusal> {
    LoadBalancerRequest::parse(query)?;
    let found = documents.description.load_balancer.as_ref().ok_or(Refusal::NoLoadBalancer)?;
    found.render().map(Document::json).map_err(|_| Refusal::Internal)
}

fn refusal(error: SelectionError) -> Refusal {
    match error {
        SelectionError::NotFound => Refusal::IdentityNotFound,
        SelectionError::Multiple => Refusal::SeveralIdentities,
    }
}
