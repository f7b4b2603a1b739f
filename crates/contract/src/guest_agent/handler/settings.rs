//! What a handler is to do.

use serde_json::{Value, json};

use super::{InvalidFile, MAX_FILE};
use crate::guest_agent::Protected;
use crate::guest_agent::names::is_thumbprint;
use crate::guest_agent::unreadable::{Unreadable, read};

/// `config/<N>.settings`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The public settings.
    pub public: Option<Value>,
    /// The protected ones.
    pub protected: Option<Protected>,
}

impl Settings {
    /// As the file is written.
    #[must_use]
    pub fn text(&self) -> String {
        let protected = self.protected.as_ref();
        let settings = json!({
            "publicSettings": self.public,
            "protectedSettings": protected.map(|protected| &protected.cms_base64),
            "protectedSettingsCertThumbprint": protected.map(|protected| &protected.thumbprint),
        });
        json!({"runtimeSettings": [{"handlerSettings": settings}]}).to_string()
    }

    /// Reads the file. An empty one has no settings, and so has one whose protected settings are an empty object, as the
    /// original extension's own sample template has them.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidFile> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let what = "a settings file";
        let read: Value = read(bytes, MAX_FILE).map_err(|why| InvalidFile { what, why })?;
        let invalid = InvalidFile { what, why: Unreadable::Shape };
        let Some(runtime) = read.get("runtimeSettings").and_then(Value::as_array) else { return Err(invalid) };
        let Some(handler) = runtime.first() else { return Ok(Self::default()) };
        let Some(handler) = handler.get("handlerSettings").and_then(Value::as_object) else { return Err(invalid) };
        let public = handler.get("publicSettings").filter(|public| !public.is_null()).cloned();
        let thumbprint = handler.get("protectedSettingsCertThumbprint").and_then(Value::as_str);
        let protected = match handler.get("protectedSettings") {
            None | Some(Value::Null) => None,
            Some(Value::String(cms)) if cms.is_empty() => None,
            Some(Value::Object(members)) if members.is_empty() => None,
            Some(Value::String(cms)) => {
                let thumbprint = thumbprint.filter(|thumbprint| is_thumbprint(thumbprint)).ok_or(invalid)?;
                Some(Protected { cms_base64: cms.clone(), thumbprint: thumbprint.to_owned() })
            }
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => return Err(invalid),
        };
        Ok(Self { public, protected })
    }
}
