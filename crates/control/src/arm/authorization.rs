//! Who asks, and what they may do. A handler needs an [`Authorized`], and only [`authorize`] makes one.

use std::sync::Arc;

use authority::verify::{TokenRefusal, VerifiedToken, verify};
use contract::arm::{ArmError, Code};
use contract::jose;
use domain::{
    ClientId, PrincipalId, ResourceId, RoleAssignment, RoleDefinition, Scope, SubscriptionId, TenantId, role_definition,
};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::Value;
use store::ReadTx;

use super::failure::Failure;
use super::subscription;
use crate::App;

/// Audiences that stand for this control plane whatever its own name.
const AUDIENCES: [&str; 4] = [
    "https://management.azure.com",
    "https://management.azure.com/",
    "https://management.core.windows.net",
    "https://management.core.windows.net/",
];

/// Who asks.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) tenant: TenantId,
    pub(crate) principal_id: PrincipalId,
    pub(crate) client_id: ClientId,
    roles: Vec<(Scope, &'static RoleDefinition)>,
    /// The subscriptions of its tenant: a role at the root is one in these, and no role reaches beyond them.
    subscriptions: Vec<SubscriptionId>,
}

/// What is asked for: an action in a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Permission {
    pub(crate) action: String,
    pub(crate) scope: Scope,
    /// Whether it is enough to have it somewhere within the scope; the answer then shows only what one may see.
    pub(crate) within: bool,
}

/// The proof that a caller may do what it asks for.
#[derive(Clone, Debug)]
pub(crate) struct Authorized {
    caller: Arc<Caller>,
    action: Arc<str>,
}

/// The token of whoever asks the control plane. It is good; whether its principal still lives is for the store to say.
pub(crate) fn bearer(app: &App, headers: &HeaderMap) -> Result<VerifiedToken, ArmError> {
    let own = [app.base_url.clone(), format!("{}/", app.base_url)];
    let audiences: Vec<&str> = AUDIENCES.iter().copied().chain(own.iter().map(String::as_str)).collect();
    bearer_for(app, headers, &audiences)
}

/// Finds out who asks the directory, whose tokens are its own.
pub(crate) async fn authenticate_at_directory(app: &App, headers: &HeaderMap) -> Result<Caller, Failure> {
    let own = [format!("{}/msgraph", app.base_url), format!("{}/msgraph/", app.base_url)];
    let bearer = bearer_for(app, headers, &own.each_ref().map(String::as_str))?;
    app.store.read(move |tx| known(tx, &bearer)).await
}

fn bearer_for(app: &App, headers: &HeaderMap, audiences: &[&str]) -> Result<VerifiedToken, ArmError> {
    let token = bearer_token(headers)?;
    let tenant = unverified_tenant(token).ok_or_else(|| invalid(TokenRefusal::Malformed))?;
    let (ring, now) = (app.authority.ring().load(), app.authority.clock().now());
    verify(token, &ring, app.authority.issuers(), tenant, audiences, now).map_err(invalid)
}

/// The living principal of a token, with its roles. A token outlives the principal that it was made for; that is no use.
pub(crate) fn known(tx: &dyn ReadTx, bearer: &VerifiedToken) -> Result<Caller, Failure> {
    caller(tx, bearer.tenant, bearer.principal_id, bearer.client_id)
}

/// The same for whoever needs no token: a deployment goes on in the name of who began it.
pub(crate) fn caller(
    tx: &dyn ReadTx,
    tenant: TenantId,
    principal_id: PrincipalId,
    client_id: ClientId,
) -> Result<Caller, Failure> {
    let living = tx.service_principal(principal_id)?.filter(|principal| principal.deleted_at.is_none());
    if living.is_none_or(|principal| principal.tenant != tenant) {
        let text = "The access token's principal does not exist any more.";
        return Err(ArmError::new(Code::InvalidAuthenticationToken, text).into());
    }
    let roles = tx.role_assignments_of(principal_id)?.into_iter().filter_map(|assignment| {
        let RoleAssignment { role, scope, .. } = assignment;
        role_definition::by_name(&role).map(|role| (scope, role))
    });
    let roles = roles.collect();
    let subscriptions = tx.subscriptions()?.into_iter().filter(|found| found.tenant == tenant).map(|found| found.id);
    Ok(Caller { tenant, principal_id, client_id, roles, subscriptions: subscriptions.collect() })
}

/// Admits whoever holds a token to what is asked for, as the roles are in this transaction.
pub(crate) fn admit(tx: &dyn ReadTx, bearer: &VerifiedToken, permission: &Permission) -> Result<Authorized, Failure> {
    let caller = known(tx, bearer)?;
    if let Scope::At(id) = &permission.scope
        && let Some(subscription) = id.subscription()
        && !caller.subscriptions.contains(&subscription)
    {
        return Err(elsewhere(tx, subscription)?.into());
    }
    Ok(authorize(Arc::new(caller), permission)?)
}

/// Why a subscription is none of the caller's: there is none, or it is of another tenant.
fn elsewhere(tx: &dyn ReadTx, id: SubscriptionId) -> Result<ArmError, store::Error> {
    let Some(found) = tx.subscription(id)? else { return Ok(subscription::not_found(id)) };
    let text = format!(
        "The access token is from the wrong issuer. It must match the tenant '{}' associated with this subscription.",
        found.tenant
    );
    Ok(ArmError::new(Code::InvalidAuthenticationTokenTenant, text))
}

/// Whether a caller may do something; the proof of it.
pub(crate) fn authorize(caller: Arc<Caller>, permission: &Permission) -> Result<Authorized, ArmError> {
    let Permission { action, scope, within } = permission;
    if caller.may(action, scope) || (*within && caller.may_within(action, scope)) {
        return Ok(Authorized { caller, action: action.as_str().into() });
    }
    Err(caller.refused(action, &scope.to_string()))
}

impl Caller {
    /// Whether it may do something in a scope.
    pub(crate) fn may(&self, action: &str, scope: &Scope) -> bool {
        self.is_at_home(scope)
            && self.roles.iter().any(|(held, role)| {
                let covers = match scope {
                    Scope::Root => *held == Scope::Root,
                    Scope::At(id) => held.contains(id),
                };
                covers && role.allows(action)
            })
    }

    fn may_within(&self, action: &str, scope: &Scope) -> bool {
        self.is_at_home(scope)
            && self.roles.iter().any(|(held, role)| {
                let below = match held {
                    Scope::Root => true,
                    Scope::At(held) => scope.contains(held),
                };
                below && role.allows(action)
            })
    }

    /// Whether it has a role in a subscription or in anything below it.
    pub(crate) fn sees(&self, subscription: SubscriptionId) -> bool {
        let id = ResourceId::for_subscription(subscription);
        self.roles.iter().any(|(held, _)| match held {
            Scope::Root => true,
            Scope::At(held) => held.subscription() == id.subscription(),
        })
    }

    fn is_at_home(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Root => true,
            Scope::At(id) => id.subscription().is_some_and(|subscription| self.subscriptions.contains(&subscription)),
        }
    }

    fn refused(&self, action: &str, scope: &str) -> ArmError {
        let (client, object) = (self.client_id, self.principal_id);
        ArmError::new(
            Code::AuthorizationFailed,
            format!(
                "The client '{client}' with object id '{object}' does not have authorization to perform action \
                 '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please \
                 refresh your credentials."
            ),
        )
    }
}

impl Authorized {
    pub(crate) fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// The tenant of every subscription that it may do anything in.
    pub(crate) fn tenant(&self) -> TenantId {
        self.caller.tenant
    }

    /// Whether the caller may do this to a resource; of what a list has, only that is shown.
    pub(crate) fn may_see(&self, id: &ResourceId) -> bool {
        self.caller.may(&self.action, &Scope::At(id.clone()))
    }

    /// Whether the caller may do something else.
    pub(crate) fn may(&self, action: &str, id: &ResourceId) -> bool {
        self.caller.may(action, &Scope::At(id.clone()))
    }

    /// That the caller may use something that the request names beside its own target.
    pub(crate) fn linked(&self, action: &str, linked: &ResourceId, target: &ResourceId) -> Result<(), ArmError> {
        if self.may(action, linked) {
            return Ok(());
        }
        let Caller { client_id, principal_id, .. } = &*self.caller;
        Err(ArmError::new(
            Code::LinkedAuthorizationFailed,
            format!(
                "The client '{client_id}' with object id '{principal_id}' has permission to perform action '{}' on \
                 scope '{target}'; however, it does not have permission to perform action(s) '{action}' on the linked \
                 scope(s) '{linked}' or the linked scope(s) are invalid.",
                self.action
            ),
        ))
    }
}

fn bearer_token(headers: &HeaderMap) -> Result<&str, ArmError> {
    let missing = || {
        let text = "Authentication failed. The 'Authorization' header is missing.";
        ArmError::new(Code::AuthenticationFailed, text)
    };
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(missing)?;
    let malformed = || {
        let text = "Authentication failed. The 'Authorization' header is provided in an invalid format.";
        ArmError::new(Code::AuthenticationFailed, text)
    };
    if values.next().is_some() {
        return Err(malformed());
    }
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(malformed)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(malformed()) }
}

/// The tenant that a token says it is of. What follows verifies it against that tenant.
fn unverified_tenant(token: &str) -> Option<TenantId> {
    let claims = jose::decode(token.split('.').nth(1)?)?;
    let claims = jose::object(&claims).ok()?;
    claims.get("tid").and_then(Value::as_str)?.parse().ok()
}

fn invalid(refusal: TokenRefusal) -> ArmError {
    match refusal {
        TokenRefusal::Time => ArmError::new(
            Code::ExpiredAuthenticationToken,
            "The access token expiry UTC time is earlier than current UTC time.",
        ),
        TokenRefusal::Audience => ArmError::new(
            Code::InvalidAuthenticationToken,
            "The access token has been obtained for wrong audience or resource. It should exactly match with one of \
             the allowed audiences of this control plane.",
        ),
        TokenRefusal::Malformed
        | TokenRefusal::Header
        | TokenRefusal::Issuer
        | TokenRefusal::UnknownKey
        | TokenRefusal::Signature
        | TokenRefusal::Claim(_)
        | TokenRefusal::Tenant => ArmError::new(Code::InvalidAuthenticationToken, "The access token is invalid."),
    }
}
