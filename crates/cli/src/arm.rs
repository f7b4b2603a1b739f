//! The control plane of a running `up`, as the admin's commands ask it. They know nothing that a client of another
//! maker wouldn't: only the secret in the data directory makes them the admin's.

pub(crate) mod document;
pub(crate) mod endpoints;
pub(crate) mod identities;
pub(crate) mod operation;
mod refusal;
pub(crate) mod target;

use anyhow::Context;
use contract::arm::Code;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, StatusCode};
use hyper::body::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::RootCertStore;
use serde_json::Value;

use self::refusal::Refusal;
use self::target::Target;
use crate::args::arm::ArmArgs;
use crate::http_client::{self, Answer, Call};
use crate::up::instance::{self, Instance};
use crate::up::world;
use crate::{data_dir, decode, retry};

/// The control plane, asked as the admin.
pub(crate) struct Arm {
    pub(crate) instance: Instance,
    subscription: String,
    group: Option<String>,
    roots: RootCertStore,
    token: String,
}

impl Arm {
    /// Finds the running `up` and signs in to it.
    pub(crate) async fn open(args: &ArmArgs) -> anyhow::Result<Self> {
        let data = data_dir::locate(args.data.data_dir.as_deref())?;
        let instance = instance::find(&data)?;
        let roots = decode::roots(&instance)?;
        let tenant = instance.tenant_id.parse().context("the running symbolon names no tenant; start it again")?;
        let admin = world::read_admin(&data, tenant)?;
        let admin = admin.with_context(|| {
            format!("{} is gone; start symbolon up again, it makes a new one", data.join(world::ADMIN_FILE).display())
        })?;
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope={}",
            encode(&admin.client_id),
            encode(&admin.client_secret),
            encode(&format!("{}/.default", instance.arm))
        );
        let url = format!("{}/{}/oauth2/v2.0/token", instance.authority, instance.tenant_id);
        let headers = [(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")];
        let call = Call { method: Method::POST, url: &url, headers: &headers, body: form.into() };
        let answer = http_client::send(call, roots.clone()).await?;
        let body: Value = serde_json::from_slice(&answer.body).with_context(|| format!("{url} answered no JSON"))?;
        let token = body.get("access_token").and_then(Value::as_str).with_context(|| {
            let why = document::text(&body, "/error_description").unwrap_or("it gave no reason");
            format!("the authority gives the admin no token: {why}; start symbolon up again")
        })?;
        let first = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let subscription = args.subscription.clone().or_else(|| first(&instance.subscription_id));
        Ok(Self {
            subscription: subscription.context("there is no VM whose subscription it could be; say --subscription")?,
            group: args.resource_group.clone().or_else(|| first(&instance.resource_group)),
            token: token.to_owned(),
            roots,
            instance,
        })
    }

    /// What is there.
    pub(crate) async fn get(&self, target: &Target) -> anyhow::Result<Value> {
        let answer = self.send(Method::GET, &self.url(target), Bytes::new()).await?;
        body(&answer)?.context("the control plane answered nothing")
    }

    /// What is there, if it is.
    pub(crate) async fn find(&self, target: &Target) -> anyhow::Result<Option<Value>> {
        match self.get(target).await {
            Err(why) if why.downcast_ref().is_some_and(|why: &Refusal| why.is(Code::ResourceNotFound)) => Ok(None),
            found => found.map(Some),
        }
    }

    /// All of a collection, with every page in the first one's answer.
    pub(crate) async fn list(&self, target: &Target) -> anyhow::Result<Value> {
        let mut all = self.get(target).await?;
        while let Some(next) = document::text(&all, "/nextLink").map(str::to_owned) {
            let answer = self.send(Method::GET, &next, Bytes::new()).await?;
            let mut page = body(&answer)?.context("a page of the list is empty")?;
            let more = page.get_mut("value").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
            let next = page.get("nextLink").cloned();
            if let Some(there) = all.get_mut("value").and_then(Value::as_array_mut) {
                there.extend(more);
            }
            if let Value::Object(all) = &mut all {
                all.shift_remove("nextLink");
                all.extend(next.map(|next| ("nextLink".to_owned(), next)));
            }
        }
        Ok(all)
    }

    /// Sends a request with the admin's token; a refusal is an error.
    async fn send(&self, method: Method, url: &str, body: Bytes) -> anyhow::Result<Answer> {
        // The token is for nobody else.
        let ours = url.strip_prefix(&self.instance.arm).is_some_and(|rest| rest.starts_with('/'));
        anyhow::ensure!(ours, "the control plane sends us to {url}, which isn't its own address");
        let bearer = format!("Bearer {}", self.token);
        let headers = [(AUTHORIZATION.as_str(), bearer.as_str()), (CONTENT_TYPE.as_str(), "application/json")];
        let call = Call { method: method.clone(), url, headers: &headers, body };
        let send = async || http_client::send(call.clone(), self.roots.clone()).await;
        let answer = retry::patiently(&method, send, retry::wait).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        let refusal = anyhow::Error::new(Refusal::of(&answer));
        let given_up = retry::is_busy(answer.status) && method.is_idempotent();
        Err(if given_up { refusal.context(retry::given_up()) } else { refusal })
    }

    fn url(&self, target: &Target) -> String {
        target.url(&self.instance.arm)
    }
}

/// The JSON of an answer, if it has any.
fn body(answer: &Answer) -> anyhow::Result<Option<Value>> {
    if answer.body.is_empty() || answer.status == StatusCode::NO_CONTENT {
        return Ok(None);
    }
    serde_json::from_slice(&answer.body).map(Some).context("the control plane answered something that isn't JSON")
}
