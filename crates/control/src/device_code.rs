//! `POST /{tenant}/oauth2/v2.0/devicecode`, and the codes that wait for a person.
//!
//! Codes live in this process and nowhere else: they are good for minutes, and a program whose code is gone with a
//! restart says so and is started again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use contract::aadsts::Aadsts;
use contract::device_code::{DeviceCodeAnswer, DeviceCodeForm, INTERVAL, LIFETIME, USER_CODE_LENGTH, user_code_of};
use contract::device_login;
use contract::jose;
use contract::scope::RequestedScope;
use domain::{Monotonic, TenantId};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use uuid::Uuid;

use crate::account::SignedIn;
use crate::answer::{self, Tracing};
use crate::app::App;
use crate::public_client::PublicClient;
use crate::tenant::{self, TenantError, TenantPath};
use crate::token_endpoint::{MAX_FORM, check_content_type};

/// How many codes may wait at a time. They belong to nobody yet, so anybody can fill the place.
const PLACES: usize = 1_024;
/// For how long after its end a code is still told from one that never was.
const REMEMBERED: Duration = LIFETIME;
/// How soon after the question before is too soon: a client that waits as it was told to is never so early.
const TOO_SOON: Duration = Duration::from_millis(INTERVAL * 500);

/// The codes that wait, by device code.
#[derive(Default)]
pub struct DeviceCodes {
    flows: Mutex<HashMap<String, Flow>>,
}

/// A program that waits for a person.
#[derive(Clone)]
pub(crate) struct Flow {
    pub(crate) user_code: String,
    pub(crate) client: PublicClient,
    /// The tenant of the path; none when that was left to the person.
    pub(crate) tenant: Option<TenantId>,
    pub(crate) scope: RequestedScope,
    made_at: Monotonic,
    asked_at: Option<Monotonic>,
    state: FlowState,
}

#[derive(Clone)]
enum FlowState {
    Waiting,
    Declined,
    Approved(SignedIn),
}

impl std::fmt::Debug for DeviceCodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceCodes").field("flows", &self.flows().len()).finish()
    }
}

impl Flow {
    fn is_over(&self, now: Monotonic) -> bool {
        now.since(self.made_at) >= LIFETIME
    }
}

impl DeviceCodes {
    /// Keeps a program's wish; its user code and its device code. `None` when all places are taken.
    fn begin(
        &self,
        client: PublicClient,
        tenant: Option<TenantId>,
        scope: RequestedScope,
        now: Monotonic,
    ) -> Option<(String, String)> {
        let mut flows = self.flows();
        flows.retain(|_, flow| now.since(flow.made_at) < LIFETIME + REMEMBERED);
        if flows.len() >= PLACES {
            flows.retain(|_, flow| !flow.is_over(now));
        }
        if flows.len() >= PLACES {
            return None;
        }
        let device_code = jose::encode([Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat());
        let mut user_code = random_user_code();
        while flows.values().any(|flow| flow.user_code == user_code) {
            user_code = random_user_code();
        }
        let codes = (user_code.clone(), device_code.clone());
        let state = FlowState::Waiting;
        flows.insert(device_code, Flow { user_code, client, tenant, scope, made_at: now, asked_at: None, state });
        Some(codes)
    }

    /// The program that waits for this user code.
    pub(crate) fn waiting(&self, user_code: &str, now: Monotonic) -> Option<Flow> {
        self.flows().values().find(|flow| is_waiting(flow, user_code, now)).cloned()
    }

    /// Lets the program in; whether it still waited.
    pub(crate) fn approve(&self, user_code: &str, account: SignedIn, now: Monotonic) -> bool {
        self.end(user_code, FlowState::Approved(account), now)
    }

    /// Sends the program away; whether it still waited.
    pub(crate) fn decline(&self, user_code: &str, now: Monotonic) -> bool {
        self.end(user_code, FlowState::Declined, now)
    }

    fn end(&self, user_code: &str, state: FlowState, now: Monotonic) -> bool {
        let mut flows = self.flows();
        let found = flows.values_mut().find(|flow| is_waiting(flow, user_code, now));
        found.map(|flow| flow.state = state).is_some()
    }

    /// What became of a device code. It is given away once.
    ///
    /// # Errors
    /// When nobody has signed in, or the code isn't this client's in this tenant.
    pub(crate) fn redeem(
        &self,
        device_code: &str,
        client: PublicClient,
        tenant: Option<TenantId>,
        now: Monotonic,
    ) -> Result<(Flow, SignedIn), Aadsts> {
        let mut flows = self.flows();
        let flow = flows.get_mut(device_code).filter(|flow| {
            flow.client == client && (tenant.is_none() || flow.tenant.is_none() || flow.tenant == tenant)
        });
        let flow = flow.ok_or(Aadsts::UnknownDeviceCode)?;
        if flow.is_over(now) {
            return Err(Aadsts::DeviceCodeExpired);
        }
        let account = match &flow.state {
            FlowState::Declined => return Err(Aadsts::AuthorizationDeclined),
            FlowState::Waiting => {
                let before = flow.asked_at.replace(now);
                let too_soon = before.is_some_and(|before| now.since(before) < TOO_SOON);
                return Err(if too_soon { Aadsts::SlowDown } else { Aadsts::AuthorizationPending });
            }
            FlowState::Approved(account) if tenant.is_none_or(|tenant| account.tenant.id == tenant) => account.clone(),
            FlowState::Approved(_) => return Err(Aadsts::UnknownDeviceCode),
        };
        let flow = flows.remove(device_code).ok_or(Aadsts::UnknownDeviceCode)?;
        Ok((flow, account))
    }

    /// Takes a code back that was redeemed and of which no token could be made.
    pub(crate) fn give_back(&self, device_code: &str, flow: Flow) {
        self.flows().insert(device_code.to_owned(), flow);
    }

    fn flows(&self) -> MutexGuard<'_, HashMap<String, Flow>> {
        self.flows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_waiting(flow: &Flow, user_code: &str, now: Monotonic) -> bool {
    flow.user_code == user_code && matches!(flow.state, FlowState::Waiting) && !flow.is_over(now)
}

fn random_user_code() -> String {
    let mut random = [0; USER_CODE_LENGTH];
    // A random UUID's seventh and ninth byte say what it is.
    let bytes = Uuid::new_v4().into_bytes().into_iter().enumerate().filter(|(at, _)| !matches!(at, 6 | 8));
    for (place, (_, byte)) in random.iter_mut().zip(bytes) {
        *place = byte;
    }
    user_code_of(random)
}

pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path(named): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let tracing = Tracing::of(&headers, &app);
    let form = match answer::read_body(body, MAX_FORM).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let tenant = match tenant::find(&app.store, &named).await {
        Ok(TenantPath::One(tenant)) => Some(tenant.id),
        Ok(TenantPath::Common) => None,
        Err(TenantError::Refused(refusal)) => return tracing.refuse(&refusal, &app),
        Err(TenantError::Store(error)) => return answer::internal(&error),
    };
    // msal4j says nothing of its form here.
    let told = if headers.contains_key(CONTENT_TYPE) { check_content_type(&headers) } else { Ok(()) };
    let read = told.and_then(|()| {
        let form = DeviceCodeForm::parse(&form)?;
        Ok((PublicClient::find(&form.client_id, &named)?, form.scope))
    });
    let (client, scope) = match read {
        Ok(read) => read,
        Err(refusal) => return tracing.refuse(&refusal, &app),
    };
    let now = app.authority.clock().monotonic();
    let Some((user_code, device_code)) = app.device_codes.begin(client, tenant, scope, now) else {
        return answer::busy();
    };
    let verification_uri = format!("{}{}", app.base_url, device_login::PATH);
    let codes =
        DeviceCodeAnswer { user_code: &user_code, device_code: &device_code, verification_uri: &verification_uri };
    match codes.body() {
        Ok(body) => answer::ok(body, 0),
        Err(error) => answer::internal(&error),
    }
}

#[cfg(test)]
mod tests;
