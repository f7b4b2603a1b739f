//! The extension's public settings.

use super::DEFAULT_PORT;

/// The settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the endpoint listens.
    pub port: u16,
}

/// Why settings can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    /// Not a JSON object.
    #[error("the settings of the extension are not a JSON object")]
    NotAnObject,
    /// Not a port.
    #[error("the setting 'port' of the extension is {0}; it must be a whole number from 1 to 65535")]
    Port(String),
}

impl Default for Settings {
    fn default() -> Self {
        Self { port: DEFAULT_PORT }
    }
}

impl Settings {
    /// Reads settings. Empty text, `null` and an absent port mean the default; other members are of no
    /// interest to the endpoint.
    ///
    /// # Errors
    /// When they are no object or the port is no port.
    pub fn parse(json: &str) -> Result<Self, InvalidSettings> {
        if json.trim().is_empty() {
            return Ok(Self::default());
        }
        let value: serde_json::Value = serde_json::from_str(json).map_err(|_| InvalidSettings::NotAnObject)?;
        let settings = match value {
            serde_json::Value::Null => return Ok(Self::default()),
            serde_json::Value::Object(settings) => settings,
            serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_)
            | serde_json::Value::Array(_) => return Err(InvalidSettings::NotAnObject),
        };
        let Some(port) = settings.get("port").filter(|port| !port.is_null()) else { return Ok(Self::default()) };
        let number = port.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
        number.map(|port| Self { port }).ok_or_else(|| InvalidSettings::Port(port.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_means_the_default() {
        for json in ["", "  ", "null", "{}", r#"{"port":null}"#, r#"{"other":1}"#] {
            assert_eq!(Settings::parse(json), Ok(Settings { port: 50_342 }), "{json}");
        }
        assert_eq!(Settings::parse(r#"{"port":50343}"#), Ok(Settings { port: 50_343 }));
    }

    #[test]
    fn what_is_no_port_is_told() {
        for wrong in ["0", "65536", "-1", "1.5", "\"50342\"", "[]", "true"] {
            let settings = Settings::parse(&format!("{{\"port\":{wrong}}}"));
            assert_eq!(settings, Err(InvalidSettings::Port(wrong.to_owned())));
        }
        for wrong in ["[]", "1", "{", "\"x\""] {
            assert_eq!(Settings::parse(wrong), Err(InvalidSettings::NotAnObject));
        }
    }
}
