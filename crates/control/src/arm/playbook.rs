//! Playbooks: the faults that somebody orders for the VMs of a subscription. They live as long as the process, and in no
//! store; who ordered them stands in the audit log.

use contract::arm::{ArmError, Code};
use domain::{ResourceId, SubscriptionId};
use playbook::{Mistake, Shown, parse};
use serde_json::json;
use store::Act;

use super::authorization::Authorized;
use super::failure::Failure;
use super::record;
use super::reply::Reply;
use super::route::{Playbook, Route};
use crate::App;

/// Begins, shows or ends a subscription's playbook.
pub(crate) async fn answer(
    app: &App,
    authorized: &Authorized,
    what: Playbook,
    subscription: SubscriptionId,
    text: &[u8],
) -> Result<Reply, Failure> {
    match what {
        Playbook::Run => {
            let text = str::from_utf8(text).map_err(|_| invalid(&Mistake::whole("it is not UTF-8")))?;
            let playbook = parse(text).map_err(|mistake| invalid(&mistake))?;
            ordered(app, authorized, what, subscription).await?;
            let shown = app.playbooks.run(subscription, playbook);
            Ok(Reply::ok(document(subscription, &shown)?))
        }
        Playbook::Show => {
            let shown = app.playbooks.show(subscription).ok_or_else(|| none(subscription))?;
            Ok(Reply::ok(document(subscription, &shown)?))
        }
        Playbook::Stop => {
            ordered(app, authorized, what, subscription).await?;
            match app.playbooks.stop(subscription) {
                Some(shown) => Ok(Reply::ok(document(subscription, &shown)?)),
                None => Ok(Reply::empty(204)),
            }
        }
    }
}

/// Writes down who ordered it, before it is done.
async fn ordered(
    app: &App,
    authorized: &Authorized,
    what: Playbook,
    subscription: SubscriptionId,
) -> Result<(), store::Error> {
    let Some(permission) = Route::Playbook(what, subscription).permission() else { return Ok(()) };
    let (caller, now) = (authorized.caller().principal_id.to_string(), app.authority.clock().now());
    record(app, Act::new(caller, permission.action, permission.scope.to_string(), now)).await
}

fn document(subscription: SubscriptionId, shown: &Shown) -> Result<serde_json::Value, ArmError> {
    let internal = |_| ArmError::new(Code::InternalServerError, "The playbook can not be shown.");
    let properties = serde_json::to_value(shown).map_err(internal)?;
    let id = format!("{}/providers/Symbolon.Faults/playbooks/current", ResourceId::for_subscription(subscription));
    Ok(json!({"id": id, "name": "current", "type": "Symbolon.Faults/playbooks", "properties": properties}))
}

fn invalid(mistake: &Mistake) -> ArmError {
    ArmError::new(Code::InvalidRequestContent, format!("The playbook is not valid: {mistake}."))
}

fn none(subscription: SubscriptionId) -> ArmError {
    ArmError::new(Code::ResourceNotFound, format!("No playbook runs in the subscription '{subscription}'."))
}
