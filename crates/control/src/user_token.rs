//! The grants of somebody who has signed in to a program: by a device code, and by what renews it.

use authority::{Evidence, IdTokenSpec, Subject, TokenSpec};
use contract::aadsts::Aadsts;
use contract::scope::RequestedScope;
use contract::user_token::{UserAnswer, UserForm, UserGrant};
use domain::TenantId;

use crate::account::{self, SignedIn};
use crate::app::App;
use crate::public_client::PublicClient;
use crate::refresh_token;
use crate::tenant::TenantPath;
use crate::token_endpoint::{Failure, IN_FLIGHT, LIFETIME};

/// Answers a person's request. `named` is the tenant as the path has it.
pub(crate) async fn answer(
    app: &App,
    tenant: &TenantPath,
    named: &str,
    form: &UserForm<'_>,
) -> Result<Vec<u8>, Failure> {
    let tenant = match tenant {
        TenantPath::One(tenant) => Some(tenant.id),
        TenantPath::Common => None,
    };
    let client = PublicClient::find(&form.client_id, named)?;
    match &form.grant {
        UserGrant::DeviceCode(code) => {
            let now = app.authority.clock().monotonic();
            let (flow, who) = app.device_codes.redeem(code, client, tenant, now)?;
            let answered = tokens(app, client, &who, &flow.scope, &form.capabilities, Evidence::DeviceCode).await;
            if answered.is_err() {
                app.device_codes.give_back(code, flow);
            }
            answered
        }
        UserGrant::RefreshToken { token, scope } => {
            let who = renew(app, tenant, client, token).await?;
            tokens(app, client, &who, scope, &form.capabilities, Evidence::RefreshToken).await
        }
    }
}

/// Who a refresh token speaks for, if that is still so.
async fn renew(app: &App, tenant: Option<TenantId>, client: PublicClient, token: &str) -> Result<SignedIn, Failure> {
    let said = refresh_token::open(&app.kek, token, app.authority.clock().now())?;
    if said.client != client.client_id || tenant.is_some_and(|tenant| tenant != said.tenant) {
        return Err(Aadsts::InvalidRefreshToken.into());
    }
    let refresh_token::Sealed { tenant, principal_id, account, secret, at, .. } = said;
    let who = account::again(app, tenant, account, principal_id, secret, at).await?;
    who.ok_or_else(|| Aadsts::RefreshTokenRevoked.into())
}

async fn tokens(
    app: &App,
    client: PublicClient,
    who: &SignedIn,
    scope: &RequestedScope,
    capabilities: &[String],
    evidence: Evidence,
) -> Result<Vec<u8>, Failure> {
    let spec = TokenSpec {
        tenant: who.tenant.id,
        principal_id: who.principal_id,
        client_id: client.client_id,
        subject: Subject::User(who.account.clone()),
        audience: scope.resource.as_str().into(),
        lifetime: LIFETIME,
        tenant_created_at: who.tenant.created_at,
        capabilities: capabilities.to_vec(),
        evidence,
    };
    let access_token = app.authority.mint(&spec).await?.into_jwt();
    let id_token = if scope.openid {
        let account = scope.profile.then_some(&who.account);
        let (tenant, principal_id, client_id) = (who.tenant.id, who.principal_id, client.client_id);
        let spec = IdTokenSpec { tenant, principal_id, account, client_id, lifetime: LIFETIME };
        Some(app.authority.id_token(&spec).await?)
    } else {
        None
    };
    let sealed = || refresh_token::seal(&app.kek, who, client.client_id).map_err(Failure::Seal);
    let refresh_token = scope.offline_access.then(sealed).transpose()?;
    let body = UserAnswer {
        resource: &scope.resource,
        expires_in: LIFETIME.as_secs() - IN_FLIGHT,
        access_token: &access_token,
        refresh_token: refresh_token.as_deref(),
        id_token: id_token.as_deref(),
        principal_id: &who.principal_id.to_string(),
        tenant: &who.tenant.id.to_string(),
    };
    body.body().map_err(|error| Failure::Mint(error.into()))
}
