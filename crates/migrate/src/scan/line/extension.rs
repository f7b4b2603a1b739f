//! The extension's name and publisher: in a template, in a command, or anywhere else.

use contract::extension::DEFAULT_PORT;
use regex::bytes::Regex;

use super::{Found, Line, expression};
use crate::finding::Level;
use crate::rule::Rule;
use crate::scan::Report;
use crate::scan::near;

/// How many lines a resource may have between its type and what else names the extension.
const RESOURCE: usize = 15;

/// How many lines before and after its name the extension's settings stand.
const BEFORE: usize = 3;
const AFTER: usize = 10;

/// Finds the extension.
pub(super) struct Extension {
    name: Regex,
    kind: Regex,
    publisher: Regex,
    installs: Regex,
    handles: Regex,
    port: Regex,
}

impl Extension {
    pub(super) fn new() -> Result<Self, regex::Error> {
        Ok(Self {
            name: expression(
                r"(?i)(?:Microsoft\.ManagedIdentity\.)?ManagedIdentityExtensionFor(?:Linux|Windows)|ManagedIdentity(?:Linux|Windows)Extension|msi-extension-handler",
            )?,
            kind: expression(
                r#"(?i)type["']?\s*(?:[:=]|=>)\s*["']?(?P<value>ManagedIdentityExtensionFor(?:Linux|Windows))"#,
            )?,
            publisher: expression(
                r#"(?i)publisher["']?[\s:=>]+["']?(?P<value>Microsoft\.ManagedIdentity)(?:["'\s,;)}]|$)"#,
            )?,
            installs: expression(
                r"(?i)\baz\s+(?:vm|vmss)\s+extension\s+set\b|\b(?:Set|Add|New)-Az(?:ureRm)?(?:VM|Vmss)[A-Za-z]*Extension\b",
            )?,
            handles: expression(
                r"(?i)\baz\s+(?:vm|vmss)\s+extension\s+(?:delete|show|list|wait)\b|\b(?:Remove|Get)-Az(?:ureRm)?(?:VM|Vmss)[A-Za-z]*Extension\b",
            )?,
            port: expression(r#"(?i)\bport["']?\s*(?:[:=]|=>)\s*["']?(?P<value>[0-9]{2,5})\b"#)?,
        })
    }

    pub(super) fn find(&self, line: &Line<'_, '_>, report: &mut Report) -> Vec<Found> {
        let named = self.name.find(line.bytes).map(|name| name.range());
        let publisher = self.publisher.captures(line.bytes).and_then(|captures| captures.name("value"));
        let Some(range) = named.clone().or_else(|| publisher.map(|found| found.range())) else { return Vec::new() };
        let at = line.start + range.start;
        let joined = near::command(line.window, at);
        let command = line.window.get(joined.clone());
        if self.installs.is_match(command) {
            self.learn(line, at, report);
            // One finding a command, where it first names the extension.
            let name = self.name.find(command).map(|name| name.start());
            let publisher = self.publisher.find(command).map(|publisher| publisher.start());
            let first = joined.start + name.or(publisher).unwrap_or_default();
            let own = (line.start..line.start + line.bytes.len()).contains(&first);
            return if own { vec![line.found(Rule::Command, Level::Error, range, String::new())] } else { Vec::new() };
        }
        if self.handles.is_match(command) {
            let detail = "what removes or shows it goes when it is gone everywhere".to_owned();
            return vec![line.found(Rule::Name, Level::Note, range, detail)];
        }
        if let Some(value) = self.kind.captures(line.bytes).and_then(|captures| captures.name("value")) {
            self.learn(line, at, report);
            return vec![line.found(Rule::Resource, Level::Error, value.range(), String::new())];
        }
        // The line with its type speaks for the rest of a resource.
        if self.kind.is_match(near::lines(line.window, at, RESOURCE)) {
            return Vec::new();
        }
        let (rule, level) = match named {
            Some(_) => (Rule::Name, Level::Warning),
            None => (Rule::Resource, Level::Warning),
        };
        vec![line.found(rule, level, range, String::new())]
    }

    /// Whether a resource or a command that installs the extension is around a line.
    pub(super) fn is_near(&self, line: &Line<'_, '_>) -> bool {
        let around = near::lines(line.window, line.start, RESOURCE);
        self.kind.is_match(around) || self.publisher.is_match(around)
    }

    /// Takes a port that stands near for the extension's: its settings follow its type, and a variable that holds them stands
    /// right before a command. Ports below 1024 are those of other things.
    fn learn(&self, line: &Line<'_, '_>, at: usize, report: &mut Report) {
        let around = near::between(line.window, at, BEFORE, AFTER);
        let ports = self.port.captures_iter(around).filter_map(|captures| captures.name("value"));
        let ports = ports.filter_map(|port| std::str::from_utf8(port.as_bytes()).ok()?.parse().ok());
        report.ports.extend(ports.filter(|&port: &u16| port != DEFAULT_PORT && port >= 1024));
    }
}
