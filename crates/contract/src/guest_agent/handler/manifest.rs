//! What a package says of itself.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{InvalidFile, first, pretty};

/// `HandlerManifest.json`: how a package is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandlerManifest {
    /// Relative to the handler's folder, as are the others.
    pub install_command: String,
    /// Run for each change.
    pub enable_command: String,
    /// Run before it goes.
    pub disable_command: String,
    /// Run in a new version's folder before the old one goes.
    pub update_command: String,
    /// Run when it goes.
    pub uninstall_command: String,
    /// `UpdateWithInstall` or `UpdateWithoutInstall`.
    #[serde(default = "update_with_install")]
    pub update_mode: String,
    /// Whether the machine is restarted after the installation.
    #[serde(default)]
    pub reboot_after_install: bool,
    /// Whether it writes a heartbeat.
    #[serde(default)]
    pub report_heartbeat: bool,
    /// Whether an update goes on when a command of it failed.
    #[serde(default)]
    pub continue_on_update_failure: bool,
}

fn update_with_install() -> String {
    "UpdateWithInstall".to_owned()
}

impl HandlerManifest {
    /// The manifest of a program that takes the command as its argument.
    #[must_use]
    pub fn of_program(program: &str) -> Self {
        let command = |name: &str| format!("{program} {name}");
        Self {
            install_command: command("install"),
            enable_command: command("enable"),
            disable_command: command("disable"),
            update_command: command("update"),
            uninstall_command: command("uninstall"),
            update_mode: update_with_install(),
            reboot_after_install: false,
            report_heartbeat: true,
            continue_on_update_failure: false,
        }
    }

    /// As the file is written.
    #[must_use]
    pub fn text(&self) -> String {
        pretty(&json!([{"version": 1.0, "handlerManifest": self}]))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidFile> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Entry {
            handler_manifest: HandlerManifest,
        }
        first::<Entry>(bytes, "a handler manifest").map(|entry| entry.handler_manifest)
    }
}
