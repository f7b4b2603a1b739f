//! Playbooks: the faults that somebody orders for the VMs of a subscription. They live as long as the process, and in no
//! store; who ordered them stands in the audit log.

use contract::arm::{ArmError, Code};
use domain::{ResourceId, SubscriptionId};
use playbook::{Mistake, Shown, parse};
use serde_json::{Value, json};

use super::authorization::Authorized;
use super::failure::Failure;
use super::reply::Reply;
use super::route::PlaybookChange;
use crate::App;

/// What somebody wants of a subscription's playbook.
pub(crate) enum Order {
    Run(playbook::Playbook),
    Stop,
}

/// Reads an order.
pub(crate) fn order(_: &Authorized, what: PlaybookChange, text: &[u8]) -> Result<Order, ArmError> {
    match what {
        PlaybookChange::Run => {
            let text = str::from_utf8(text).map_err(|_| invalid(&Mistake::whole("it is not UTF-8")))?;
            parse(text).map(Order::Run).map_err(|mistake| invalid(&mistake))
        }
        PlaybookChange::Stop => Ok(Order::Stop),
    }
}

/// Does what was ordered by somebody who may, once that is written down.
pub(crate) fn carry_out(app: &App, order: Order, subscription: SubscriptionId) -> Result<Reply, Failure> {
    match order {
        Order::Run(playbook) => Ok(Reply::ok(document(subscription, &app.playbooks.run(subscription, playbook))?)),
        Order::Stop => match app.playbooks.stop(subscription) {
            Some(shown) => Ok(Reply::ok(document(subscription, &shown)?)),
            None => Ok(Reply::empty(204)),
        },
    }
}

/// The playbook that runs, with what was asked since.
pub(crate) fn show(app: &App, _: &Authorized, subscription: SubscriptionId) -> Result<Reply, Failure> {
    let none = || {
        let text = format!("No playbook runs in the subscription '{subscription}'.");
        ArmError::new(Code::ResourceNotFound, text)
    };
    let shown = app.playbooks.show(subscription).ok_or_else(none)?;
    Ok(Reply::ok(document(subscription, &shown)?))
}

fn document(subscription: SubscriptionId, shown: &Shown) -> Result<Value, ArmError> {
    let internal = |_| ArmError::new(Code::InternalServerError, "The playbook can not be shown.");
    let properties = serde_json::to_value(shown).map_err(internal)?;
    let id = format!("{}/providers/Symbolon.Faults/playbooks/current", ResourceId::for_subscription(subscription));
    Ok(json!({"id": id, "name": "current", "type": "Symbolon.Faults/playbooks", "properties": properties}))
}

fn invalid(mistake: &Mistake) -> ArmError {
    ArmError::new(Code::InvalidRequestContent, format!("The playbook is not valid: {mistake}."))
}
