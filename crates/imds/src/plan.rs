//! What to do with a request: a pure function from what is known of the VM and what it asked.

use std::sync::Arc;

use contract::gate::{Gate, Refusal, RequestHead, Route};
use contract::imds::{InfoRequest, TokenRequest};
use domain::{ManagedIdentity, SelectionError, VmSnapshot, select};

use crate::convert;

/// What comes of a request that isn't refused.
#[derive(Debug)]
pub enum Plan<'r> {
    /// The tenant of the VM's identities.
    Info(String),
    /// A token.
    Token(TokenWanted<'r>),
}

/// The token that a request needs.
#[derive(Debug)]
pub struct TokenWanted<'r> {
    /// Whose token.
    pub identity: Arc<ManagedIdentity>,
    /// What was asked.
    pub request: TokenRequest<'r>,
}

/// Decides what to do with a request. `leave` asks the VM's throttle, once, at its place in the order of
/// checks: behind the gate, before any parameter.
///
/// # Errors
/// The first check that fails, in the order of the contract.
pub fn plan<'r>(
    gate: &Gate,
    vm: &VmSnapshot,
    head: RequestHead<'r>,
    leave: impl FnOnce() -> bool,
) -> Result<Plan<'r>, Refusal> {
    let admitted = gate.admit(head)?;
    if !leave() {
        return Err(Refusal::TooManyRequests);
    }
    match admitted.route {
        Route::ImdsToken => token(vm, admitted.query).map(Plan::Token),
        Route::ImdsIdentityInfo => info(vm, admitted.query).map(Plan::Info),
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

fn refusal(error: SelectionError) -> Refusal {
    match error {
        SelectionError::NotFound => Refusal::IdentityNotFound,
        SelectionError::Multiple => Refusal::SeveralIdentities,
    }
}
