//! The extension's public settings.

use super::DEFAULT_PORT;

/// The settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the endpoint listens.
    pub port: u16,
    /// Whether the extension is wanted only on the distributions that the document lists as supported. A setting of ours,
    /// `strictDistributions`.
    pub strict_distributions: bool,
    /// Whether an endpoint process that dies is started again by itself; the original's wasn't. A setting of ours,
    /// `supervised`.
    pub supervised: bool,
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
    /// Neither true nor false.
    #[error("the setting '{0}' of the extension is {1}; it must be true or false")]
    Flag(&'static str, String),
}

impl Default for Settings {
    fn default() -> Self {
        Self { port: DEFAULT_PORT, strict_distributions: false, supervised: false }
    }
}

impl Settings {
    /// Reads settings. Empty text, `null` and what is absent mean the default; other members are of no
    /// interest to the endpoint.
    ///
    /// # Errors
    /// When they are no object, or a member isn't what it should be.
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
        let member = |name: &str| settings.get(name).filter(|value| !value.is_null());
        let flag = |name: &'static str| {
            let told = |value: &serde_json::Value| InvalidSettings::Flag(name, value.to_string());
            member(name).map_or(Ok(false), |value| value.as_bool().ok_or_else(|| told(value)))
        };
        let mut read = Self {
            port: DEFAULT_PORT,
            strict_distributions: flag("strictDistributions")?,
            supervised: flag("supervised")?,
        };
        if let Some(port) = member("port") {
            let number = port.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
            read.port = number.ok_or_else(|| InvalidSettings::Port(port.to_string()))?;
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_means_the_default() {
        for json in ["", "  ", "null", "{}", r#"{"port":null}"#, r#"{"other":1}"#] {
            let default = Settings { port: 50_342, strict_distributions: false, supervised: false };
            assert_eq!(Settings::parse(json), Ok(default), "{json}");
        }
        let settings = Settings::parse(r#"{"port":50343,"strictDistributions":true}"#);
        assert_eq!(settings, Ok(Settings { port: 50_343, strict_distributions: true, supervised: false }));
        let settings = Settings::parse(r#"{"supervised":true}"#);
        assert_eq!(settings, Ok(Settings { supervised: true, ..Settings::default() }));
    }

    #[test]
    fn what_is_no_port_is_told() {
        for wrong in ["0", "65536", "-1", "1.5", "\"50342\"", "[]", "true"] {
            let settings = Settings::parse(&format!("{{\"port\":{wrong}}}"));
            assert_eq!(settings, Err(InvalidSettings::Port(wrong.to_owned())));
        }
        for (flag, wrong) in [("strictDistributions", "0"), ("supervised", "\"true\""), ("supervised", "{}")] {
            let settings = Settings::parse(&format!("{{\"{flag}\":{wrong}}}"));
            assert_eq!(settings, Err(InvalidSettings::Flag(flag, wrong.to_owned())));
        }
        for wrong in ["[]", "1", "{", "\"x\""] {
            assert_eq!(Settings::parse(wrong), Err(InvalidSettings::NotAnObject));
        }
    }
}
