//! Scheduled events of machines: who makes them, who lets them happen, and what they do.
//!
//! An event is made by `POST …/fireScheduledEvent` (Azure's platform makes its own; this is how a test does it) or, for a
//! machine that may be evicted, by Azure's own `POST …/simulateEviction`. It begins when its time has come or its machine
//! lets it, and does what it says with that. When it is over it vanishes.

use std::sync::Arc;
use std::time::Duration;

use contract::arm::{ArmError, Code};
use domain::{EventId, EventKind, PowerState, ResourceId, ScheduledEvent, Timestamp, VirtualMachine};
use serde_json::{Value, json};
use store::{Act, ReadTx, Tx};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::authorization::Authorized;
use super::body::{self, Object};
use super::failure::Failure;
use super::reply::Reply;
use super::work::Work;
use super::{document, scale_set_machine, virtual_machine};
use crate::App;
use crate::metadata::json as said;

/// The most events of one machine.
const MAX_EVENTS: usize = 64;
/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 256;
/// The longest notice and the longest duration, in seconds.
const MAX_SECONDS: u64 = 7 * 86_400;
/// How often it is looked which events are due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// `POST …/fireScheduledEvent`.
pub(crate) fn fire(
    tx: &mut dyn Tx,
    work: &Work,
    _: &Authorized,
    id: &ResourceId,
    body: &Object,
) -> Result<Reply, Failure> {
    let word = body::text(body, "eventType")?.unwrap_or_default();
    let kind = EventKind::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(word));
    let kind = kind.ok_or_else(|| body::wrong("eventType", "Freeze, Reboot, Redeploy, Preempt or Terminate"))?;
    let notice = seconds(body, "noticeInSeconds")?.map(Duration::from_secs);
    let duration = seconds(body, "durationInSeconds")?.and_then(|seconds| u32::try_from(seconds).ok());
    let description = body::text(body, "description")?.unwrap_or_default();
    if description.chars().count() > MAX_DESCRIPTION {
        return Err(body::wrong("description", "a string of at most 256 characters").into());
    }
    let by_user = match body::text(body, "eventSource")? {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("Platform") => false,
        Some(word) if word.eq_ignore_ascii_case("User") => true,
        Some(_) => return Err(body::wrong("eventSource", "Platform or User").into()),
    };
    let event = schedule(tx, work.now, id, |event| ScheduledEvent {
        kind,
        not_before: work.now.plus(notice.unwrap_or(kind.notice())),
        description: description.to_owned(),
        by_user,
        duration,
        ..event
    })?;
    Ok(Reply::ok(shown(&event)))
}

/// `POST …/simulateEviction`: 204 (Azure/azure-rest-api-specs `virtualMachine.json`).
pub(crate) fn simulate_eviction(
    tx: &mut dyn Tx,
    work: &Work,
    _: &Authorized,
    id: &ResourceId,
) -> Result<Reply, Failure> {
    let vm = virtual_machine::find(tx, id)?;
    let priority = profile(&vm, "priority")?;
    if !["Spot", "Low"].iter().any(|word| word.eq_ignore_ascii_case(&priority)) {
        let text = format!("The virtual machine '{}' is not a Spot virtual machine and can't be evicted.", vm.name);
        return Err(ArmError::new(Code::OperationNotAllowed, text).into());
    }
    schedule(tx, work.now, id, |event| ScheduledEvent { description: "The machine is evicted.".to_owned(), ..event })?;
    Ok(Reply::empty(204))
}

/// `GET …/scheduledEvents`.
pub(crate) fn list(tx: &dyn ReadTx, _: &Authorized, id: &ResourceId) -> Result<Reply, Failure> {
    let vm = virtual_machine::find(tx, id)?;
    let (incarnation, events) = tx.scheduled_events_of(&vm.id)?;
    let value: Vec<Value> = events.iter().map(shown).collect();
    Ok(Reply::ok(json!({"documentIncarnation": incarnation, "value": value})))
}

/// Why a machine may not let an event happen.
#[derive(Debug, thiserror::Error)]
pub enum NotApproved {
    /// It has no such event.
    #[error("there is no scheduled event {0}")]
    NoEvent(String),
    /// The change could not be made.
    #[error("the approval could not be kept")]
    Failed(#[source] store::Error),
    /// What the event does could not be done.
    #[error("the event could not begin: {0}")]
    NotBegun(String),
}

impl From<store::Error> for NotApproved {
    fn from(why: store::Error) -> Self {
        Self::Failed(why)
    }
}

/// A machine lets events of its own happen: all of them or none. One that has begun is fine.
///
/// # Errors
/// When it has no such event, or the store fails.
pub async fn approve(app: &App, vm: &ResourceId, events: &[String]) -> Result<(), NotApproved> {
    let now = app.authority.clock().now();
    let (vm, events) = (vm.clone(), events.to_vec());
    let act = Act::new("guest", "guest.approveEvent", vm.to_string(), now);
    let approved = app.store.write_through(act, move |tx| {
        // All are there before any begins, and those that remove the machine, and with it its events, begin last.
        let (mut first, mut last) = (Vec::new(), Vec::new());
        for text in events {
            let id = Uuid::parse_str(&text).ok().map(EventId::from_uuid);
            let event = id.map(|id| tx.scheduled_event(id)).transpose()?.flatten().filter(|event| event.vm == vm);
            let event = event.ok_or(NotApproved::NoEvent(text))?;
            let is_last = removes(tx, &event).map_err(not_begun)?;
            let ones = if is_last { &mut last } else { &mut first };
            if event.started_at.is_none() && !ones.contains(&event) {
                ones.push(event);
            }
        }
        first.into_iter().chain(last).try_for_each(|event| begin(tx, now, event)).map_err(not_begun)
    });
    let ((), cursor) = approved.await?;
    app.settled.wait_for(&cursor).await;
    Ok(())
}

fn not_begun(failure: Failure) -> NotApproved {
    NotApproved::NotBegun(failure.told().message)
}

/// Lets events begin and end when their time has come, until the process ends.
pub async fn keep_happening(app: Arc<App>) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(failure) = happen(&app).await {
            tracing::error!(why = failure, "scheduled events could not be looked after");
        }
    }
}

/// Lets events begin and end whose time has come. One that can't is logged, tried again the next time, and keeps no other back.
///
/// # Errors
/// Says why they could not be looked for.
pub async fn happen(app: &App) -> Result<(), String> {
    let now = app.authority.clock().now();
    let is_ripe = move |event: &ScheduledEvent| event.is_due(now) || event.is_over(now);
    let events = app.store.read(|tx| tx.scheduled_events()).await.map_err(|why| why.to_string())?;
    for event in events.into_iter().filter(is_ripe) {
        let act = Act::new("symbolon", "scheduledEvent", event.vm.to_string(), now);
        let done = app.store.write(act, move |tx| {
            // It may be gone or have begun meanwhile.
            match tx.scheduled_event(event.id)? {
                Some(event) if event.is_over(now) => tx.remove_scheduled_event(event.id).map(drop)?,
                Some(event) if event.is_due(now) => begin(tx, now, event)?,
                Some(_) | None => {}
            }
            Ok::<_, Failure>(())
        });
        if let Err(failure) = done.await {
            let why = failure.told().message;
            tracing::error!(vm = %event.vm, event = event_id(&event), why, "a scheduled event could not be looked after");
        }
    }
    Ok(())
}

/// Makes an event of a machine that is to be evicted, unless `as_wanted` says otherwise.
fn schedule(
    tx: &mut dyn Tx,
    now: Timestamp,
    id: &ResourceId,
    as_wanted: impl FnOnce(ScheduledEvent) -> ScheduledEvent,
) -> Result<ScheduledEvent, Failure> {
    let vm = virtual_machine::find(tx, id)?;
    let (_, there) = tx.scheduled_events_of(&vm.id)?;
    if there.len() >= MAX_EVENTS {
        let text = format!("The virtual machine '{}' has {MAX_EVENTS} scheduled events already.", vm.name);
        return Err(ArmError::new(Code::OperationNotAllowed, text).into());
    }
    let event = as_wanted(ScheduledEvent {
        id: EventId::from_uuid(Uuid::new_v4()),
        vm: vm.id,
        kind: EventKind::Preempt,
        not_before: now.plus(EventKind::Preempt.notice()),
        started_at: None,
        description: String::new(),
        by_user: false,
        duration: None,
    });
    tx.put_scheduled_event(&event)?;
    Ok(event)
}

/// An event begins, and does what it says.
fn begin(tx: &mut dyn Tx, now: Timestamp, event: ScheduledEvent) -> Result<(), Failure> {
    let Some(vm) = tx.virtual_machine(&event.vm)? else { return Ok(()) };
    let kind = event.kind;
    tx.put_scheduled_event(&ScheduledEvent { started_at: Some(now), ..event })?;
    match kind {
        EventKind::Freeze => Ok(()),
        // One that is off stays off.
        EventKind::Reboot | EventKind::Redeploy if vm.power != PowerState::Running => Ok(()),
        EventKind::Reboot | EventKind::Redeploy => power(tx, vm, PowerState::Running),
        EventKind::Preempt if !is_deleted_when_evicted(&vm)? => power(tx, vm, PowerState::Deallocated),
        EventKind::Preempt | EventKind::Terminate => scale_set_machine::remove(tx, &vm),
    }
}

fn power(tx: &mut dyn Tx, vm: VirtualMachine, power: PowerState) -> Result<(), Failure> {
    tx.put_virtual_machine(&VirtualMachine { power, generation: vm.generation + 1, ..vm })?;
    Ok(())
}

/// Whether an event removes its machine.
fn removes(tx: &dyn ReadTx, event: &ScheduledEvent) -> Result<bool, Failure> {
    match event.kind {
        EventKind::Freeze | EventKind::Reboot | EventKind::Redeploy => Ok(false),
        EventKind::Preempt => match tx.virtual_machine(&event.vm)? {
            Some(vm) => is_deleted_when_evicted(&vm),
            None => Ok(false),
        },
        EventKind::Terminate => Ok(true),
    }
}

fn is_deleted_when_evicted(vm: &VirtualMachine) -> Result<bool, Failure> {
    Ok(profile(vm, "evictionPolicy")?.eq_ignore_ascii_case("Delete"))
}

/// A word of a machine's own properties, or of the model's that a scale set's machine has.
fn profile(vm: &VirtualMachine, name: &str) -> Result<String, Failure> {
    let place = if vm.instance.is_some() { "properties.virtualMachineProfile" } else { "properties" };
    Ok(said(&document::parse(&vm.document)?, &format!("{place}.{name}")))
}

fn seconds(body: &Object, name: &str) -> Result<Option<u64>, ArmError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().filter(|seconds| *seconds <= MAX_SECONDS) {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(body::wrong(name, "a whole number of seconds, at most a week")),
        },
    }
}

fn shown(event: &ScheduledEvent) -> Value {
    json!({
        "eventId": event_id(event),
        "eventType": event.kind.as_str(),
        "eventStatus": if event.started_at.is_some() { "Started" } else { "Scheduled" },
        "resource": event.vm.as_str(),
        "notBefore": document::time(event.not_before),
        "description": event.description,
        "eventSource": if event.by_user { "User" } else { "Platform" },
        "durationInSeconds": event.duration.map_or(-1, i64::from),
    })
}

/// An event's id as machines see it.
pub(crate) fn event_id(event: &ScheduledEvent) -> String {
    event.id.to_string().to_ascii_uppercase()
}
