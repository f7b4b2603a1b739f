//! Extensions in answers.

use domain::{ExtensionSpec, HandlerOutcome, HandlerStatus, VmExtension};
use serde_json::{Map, Value, json};

use crate::arm::{document, kind};

/// An extension in an answer: what only the guest may read isn't in it.
pub(crate) fn shown(extension: &VmExtension, expanded: bool) -> Value {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("id", extension.id.as_str().into());
    put("name", extension.name.as_str().into());
    put("type", kind::spelt(&extension.id.resource_type()).into());
    put("location", extension.location.as_str().into());
    if !extension.tags.is_empty() {
        put("tags", document::tags_value(&extension.tags));
    }
    let mut properties = spec_shown(&extension.spec);
    properties.insert("provisioningState".to_owned(), extension.state.as_str().into());
    if let Some(view) = expanded.then(|| view(extension)).flatten() {
        properties.insert("instanceView".to_owned(), view);
    }
    put("properties", properties.into());
    shown.into()
}

/// What runs, in an answer.
pub(crate) fn spec_shown(spec: &ExtensionSpec) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("autoUpgradeMinorVersion", spec.auto_upgrade_minor_version.into());
    if let Some(automatic) = spec.enable_automatic_upgrade {
        put("enableAutomaticUpgrade", automatic.into());
    }
    if let Some(tag) = &spec.force_update_tag {
        put("forceUpdateTag", tag.as_str().into());
    }
    put("publisher", spec.publisher.as_str().into());
    if let Some(settings) = spec.settings.as_deref().and_then(|text| serde_json::from_str(text).ok()) {
        put("settings", settings);
    }
    put("type", spec.extension_type.as_str().into());
    put("typeHandlerVersion", spec.type_handler_version.as_str().into());
    shown
}

/// How the software of an extension fares, once its handler has said something.
pub(crate) fn handler_view(extension: &VmExtension) -> Option<Value> {
    let HandlerStatus { outcome, version, at, .. } = extension.status.as_ref()?;
    let (code, level, text, message) = match outcome {
        HandlerOutcome::Success if extension.disabled => {
            ("unavailable".to_owned(), "Warning", "Not Ready", "Plugin disabled")
        }
        HandlerOutcome::Transitioning => ("transitioning".to_owned(), "Info", "Installing", ""),
        HandlerOutcome::Success | HandlerOutcome::Error(_) => {
            ("succeeded".to_owned(), "Info", "Ready", "Plugin enabled")
        }
        HandlerOutcome::Terminal(number) => (format!("failed/{number}"), "Error", "Not Ready", "Plugin failed"),
    };
    Some(json!({
        "type": format!("{}.{}", extension.spec.publisher, extension.spec.extension_type),
        "typeHandlerVersion": version,
        "status": {
            "code": format!("ProvisioningState/{code}"),
            "level": level,
            "displayStatus": text,
            "message": message,
            "time": document::time(*at),
        },
    }))
}

/// What the handler said, once it has said something.
pub(crate) fn view(extension: &VmExtension) -> Option<Value> {
    let HandlerStatus { outcome, version, message, at, .. } = extension.status.as_ref()?;
    let (code, level, text) = match outcome {
        HandlerOutcome::Transitioning => ("transitioning".to_owned(), "Info", "Transitioning"),
        HandlerOutcome::Success => ("succeeded".to_owned(), "Info", "Provisioning succeeded"),
        HandlerOutcome::Error(number) | HandlerOutcome::Terminal(number) => {
            (format!("failed/{number}"), "Error", "Provisioning failed")
        }
    };
    Some(json!({
        "name": extension.name,
        "type": format!("{}.{}", extension.spec.publisher, extension.spec.extension_type),
        "typeHandlerVersion": version,
        "statuses": [{
            "code": format!("ProvisioningState/{code}"),
            "level": level,
            "displayStatus": text,
            "message": message,
            "time": document::time(*at),
        }],
    }))
}
