//! Changes, which go on after the answer.

use std::time::Duration;

use http::header::LOCATION;
use http::{HeaderMap, Method, StatusCode};
use hyper::body::Bytes;
use serde_json::Value;

use super::refusal::Refusal;
use super::target::Target;
use super::{Arm, body, document};
use crate::args::arm::LongArgs;
use crate::http_client::Answer;
use crate::printer::Printer;
use crate::retry::{LONGEST, rest, retry_after};

/// How long to wait where the server says nothing.
const PAUSE: Duration = Duration::from_secs(1);

/// A change that is asked for.
pub(crate) struct Change<'a> {
    pub(crate) method: Method,
    pub(crate) target: &'a Target,
    pub(crate) body: Bytes,
    /// What is said while it goes on.
    pub(crate) doing: &'a str,
}

/// What became of a change.
pub(crate) struct Changed {
    /// The status of the first answer.
    pub(crate) status: StatusCode,
    /// The resource, the result, or how the operation ended.
    pub(crate) body: Option<Value>,
    /// It still goes on.
    pub(crate) going_on: bool,
}

impl Arm {
    /// Changes something and waits until it is done, unless the user doesn't want to.
    pub(crate) async fn change(&self, change: Change<'_>, wait: bool, printer: &Printer) -> anyhow::Result<Changed> {
        let answer = self.send(change.method.clone(), &self.url(change.target), change.body).await?;
        let status = answer.status;
        let (follow, location) = (header(&answer.headers, "azure-asyncoperation"), header(&answer.headers, LOCATION));
        let location = location.filter(|_| status == StatusCode::ACCEPTED);
        let Some(url) = follow.clone().or(location) else {
            return Ok(Changed { status, body: body(&answer)?, going_on: false });
        };
        if !wait {
            printer.note(format!("{}: it goes on; its state is at {url}", change.doing))?;
            return Ok(Changed { status, body: body(&answer)?, going_on: true });
        }
        let ended = self.follow(&url, pause(&answer.headers), change.doing, printer).await?;
        let made = change.method == Method::PUT || change.method == Method::PATCH;
        let body = if made { Some(self.get(change.target).await?) } else { ended };
        Ok(Changed { status, body, going_on: false })
    }

    /// Asks for a result that may take a while.
    pub(crate) async fn ask(&self, change: Change<'_>, printer: &Printer) -> anyhow::Result<Value> {
        let changed = self.change(change, true, printer).await?;
        changed.body.ok_or_else(|| anyhow::anyhow!("the control plane answered nothing"))
    }

    /// Asks until the operation has ended; how it ended, or its result.
    async fn follow(
        &self,
        url: &str,
        first: Duration,
        doing: &str,
        printer: &Printer,
    ) -> anyhow::Result<Option<Value>> {
        let progress = printer.progress(doing)?;
        let (mut url, mut next) = (url.to_owned(), first);
        loop {
            rest(next).await;
            let answer = self.send(Method::GET, &url, Bytes::new()).await?;
            let state = body(&answer)?;
            match state.as_ref().and_then(|state| document::text(state, "/status")) {
                _ if answer.status == StatusCode::ACCEPTED => {}
                Some("Failed" | "Canceled") => return Err(failed(&answer, state.as_ref())),
                // A result has a status too: that of having come about.
                None | Some("Succeeded") => return Ok(state),
                Some(_) => {}
            }
            progress.goes_on()?;
            next = pause(&answer.headers);
            if let Some(moved) = header(&answer.headers, LOCATION) {
                url = moved;
            }
        }
    }
}

/// How a change is made.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) wait: bool,
    pub(crate) json: bool,
}

impl From<&LongArgs> for Manner {
    fn from(args: &LongArgs) -> Self {
        Self { wait: !args.no_wait, json: args.arm.json }
    }
}

/// Deletes something and says so.
pub(crate) async fn delete(arm: &Arm, target: &Target, how: Manner, printer: &Printer) -> anyhow::Result<()> {
    let doing = format!("deleting {}", target.title);
    let change = Change { method: Method::DELETE, target, body: Bytes::new(), doing: &doing };
    let changed = arm.change(change, how.wait, printer).await?;
    if how.json {
        return changed.body.map_or(Ok(()), |body| printer.json_pretty(&body));
    }
    Ok(match changed.status {
        StatusCode::NO_CONTENT => printer.line(format!("{} wasn't there", target.title)),
        _ if changed.going_on => Ok(()),
        _ => printer.line(format!("{} is deleted", target.title)),
    }?)
}

/// What a POST below a resource makes of it.
pub(crate) struct Action {
    pub(crate) segment: &'static str,
    pub(crate) doing: &'static str,
    pub(crate) done: &'static str,
}

/// Does something to a resource and says so.
pub(crate) async fn act(
    arm: &Arm,
    target: &Target,
    action: &Action,
    how: Manner,
    printer: &Printer,
) -> anyhow::Result<()> {
    let doing = format!("{} {}", action.doing, target.title);
    let below = target.below(&[action.segment]);
    let change = Change { method: Method::POST, target: &below, body: Bytes::new(), doing: &doing };
    let changed = arm.change(change, how.wait, printer).await?;
    if how.json {
        return changed.body.map_or(Ok(()), |body| printer.json_pretty(&body));
    }
    Ok(if changed.going_on { Ok(()) } else { printer.line(format!("{} {}", target.title, action.done)) }?)
}

fn failed(answer: &Answer, state: Option<&Value>) -> anyhow::Error {
    match state.and_then(|state| state.get("error")).and_then(Refusal::read) {
        Some(refusal) => refusal.into(),
        None => Refusal::of(answer).into(),
    }
}

fn header(headers: &HeaderMap, name: impl http::header::AsHeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn pause(headers: &HeaderMap) -> Duration {
    retry_after(headers).unwrap_or(PAUSE).clamp(PAUSE, LONGEST)
}
