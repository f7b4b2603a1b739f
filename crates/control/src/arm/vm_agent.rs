//! A machine's guest agent in answers.

use domain::{PowerState, VirtualMachine, VmExtension};
use serde_json::{Value, json};
use store::ReadTx;

use super::failure::Failure;
use super::work::Work;
use super::{document, vm_extension};

/// The version of what acts as agent in this process.
const OURS: &str = env!("CARGO_PKG_VERSION");
/// That of an agent of which nothing was heard, and what is said of it (learn.microsoft.com, the sample of the instance view
/// of a scale set's machine).
const UNKNOWN: &str = "Unknown";
const NOT_HEARD: &str = "VM status blob is found but not yet populated.";
const SILENT: &str = "VM Agent is unresponsive.";

/// How the agent of a machine fares, and the software of extensions that it looks after.
pub(crate) fn view(
    tx: &dyn ReadTx,
    vm: &VirtualMachine,
    extensions: &[VmExtension],
    work: &Work,
) -> Result<Value, Failure> {
    let handlers: Vec<Value> = extensions.iter().filter_map(vm_extension::handler_view).collect();
    let (said, now) = (work.agents.of(vm), work.now);
    let (version, is_ready, at, message) = match &said {
        Some(said) => {
            let (agent, silent) = (&said.agent, work.agents.is_silent(vm, None, now));
            let message = if silent { SILENT } else { agent.formatted_message.message.as_str() };
            (agent.version.as_str(), agent.status == "Ready" && !silent, said.at, message)
        }
        None if tx.goal_state(&vm.id)?.is_some() => (UNKNOWN, false, now, NOT_HEARD),
        // It has none of its own.
        None => (OURS, true, now, ""),
    };
    let (code, level, text) = match is_ready && vm.power == PowerState::Running {
        true => ("succeeded", "Info", "Ready"),
        false => ("Unavailable", "Warning", "Not Ready"),
    };
    let mut status = json!({
        "code": format!("ProvisioningState/{code}"), "level": level, "displayStatus": text, "time": document::time(at),
    });
    if let (Value::Object(status), false) = (&mut status, message.is_empty()) {
        status.insert("message".to_owned(), message.into());
    }
    Ok(json!({"vmAgentVersion": version, "statuses": [status], "extensionHandlers": handlers}))
}
