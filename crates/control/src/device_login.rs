//! `/devicelogin`: where a person lets a program in that shows a code. The bytes of the page are the contract's.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use contract::aadsts::Aadsts;
use contract::answer::Answer;
use contract::device_code::user_code;
use contract::device_login::{CONTENT_SECURITY_POLICY, LoginForm, Page};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY as POLICY, CONTENT_TYPE, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use secrecy::SecretString;

use crate::account;
use crate::answer::{self, Tracing};
use crate::app::App;
use crate::device_code::Flow;
use crate::token_endpoint::{MAX_FORM, check_content_type};

const UNKNOWN_CODE: &str = "No program waits for this code. It may have been used already, or its time is over.";
const WRONG_ACCOUNT: &str = "There is no such account, or this isn't its secret.";
const SEC_FETCH_SITE: &str = "sec-fetch-site";

pub(crate) async fn get() -> Response {
    page(StatusCode::OK, &Page::EnterCode { error: None })
}

pub(crate) async fn post(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    if is_another_sites(&headers, &app) {
        let text = "This form is sent from the authority's own page only";
        return answer::plain(Answer::error(403, "forbidden", text).keep_open());
    }
    let form = match answer::read_body(body, MAX_FORM).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let answered = match check_content_type(&headers).and_then(|()| LoginForm::parse(&form)) {
        Ok(form) => answer(&app, form).await,
        Err(refusal) => Err(Failure::Refused(refusal)),
    };
    match answered {
        Ok(response) => response,
        Err(Failure::Refused(refusal)) => Tracing::of(&headers, &app).refuse(&refusal, &app),
        Err(Failure::Store(error)) => answer::internal(&error),
    }
}

enum Failure {
    Refused(Aadsts),
    Store(store::Error),
}

async fn answer(app: &App, form: LoginForm<'_>) -> Result<Response, Failure> {
    let now = app.authority.clock().monotonic();
    let (LoginForm::Look { user_code: typed }
    | LoginForm::Approve { user_code: typed, .. }
    | LoginForm::Decline { user_code: typed }) = &form;
    let unknown = || page(StatusCode::BAD_REQUEST, &Page::EnterCode { error: Some(UNKNOWN_CODE) });
    let waiting = user_code(typed).and_then(|code| app.device_codes.waiting(&code, now));
    let Some(flow) = waiting else { return Ok(unknown()) };
    match form {
        LoginForm::Look { .. } => Ok(page(StatusCode::OK, &sign_in_page(&flow, None))),
        LoginForm::Decline { .. } => Ok(if app.device_codes.decline(&flow.user_code, now) {
            page(StatusCode::OK, &Page::Declined)
        } else {
            unknown()
        }),
        LoginForm::Approve { account, secret, .. } => {
            let secret = SecretString::from(secret.into_owned());
            let found = account::sign_in(app, flow.tenant, &account, &secret).await.map_err(Failure::Store)?;
            let Some(who) = found else {
                tracing::info!(client = flow.client.name, "a sign-in by a device code was refused");
                return Ok(page(StatusCode::UNAUTHORIZED, &sign_in_page(&flow, Some(WRONG_ACCOUNT))));
            };
            let account = who.account.username.clone();
            let (tenant, principal_id) = (who.tenant.id, who.principal_id);
            if !app.device_codes.approve(&flow.user_code, who, now) {
                return Ok(unknown());
            }
            tracing::info!(%tenant, %principal_id, client = flow.client.name, "a program was let in by its device code");
            Ok(page(StatusCode::OK, &Page::Approved { client: flow.client.name, account: &account }))
        }
    }
}

fn sign_in_page<'p>(flow: &'p Flow, error: Option<&'p str>) -> Page<'p> {
    Page::SignIn { user_code: &flow.user_code, client: flow.client.name, resource: &flow.scope.resource, error }
}

/// Whether a browser says that another site's page made it send this. What isn't a browser says nothing.
fn is_another_sites(headers: &HeaderMap, app: &App) -> bool {
    let foreign = |origin: &HeaderValue| {
        let host = origin.to_str().ok().and_then(|origin| origin.strip_prefix("https://"));
        !host.is_some_and(|host| app.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)))
    };
    let elsewhere = |site: &HeaderValue| !matches!(site.as_bytes(), b"same-origin" | b"none");
    headers.get_all(ORIGIN).iter().any(foreign) || headers.get_all(SEC_FETCH_SITE).iter().any(elsewhere)
}

fn page(status: StatusCode, page: &Page<'_>) -> Response {
    let mut response = (status, page.html()).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (POLICY, CONTENT_SECURITY_POLICY),
        (X_FRAME_OPTIONS, "DENY"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Without any referrer a browser would send its own forms with `Origin: null`.
        (REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
