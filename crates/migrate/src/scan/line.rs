//! The words that lead to a line, and what judges it.

mod endpoint;
mod extension;
mod setting;

use contract::extension::DEFAULT_PORT;
use memchr::memmem;
use regex::bytes::Regex;

use self::endpoint::Endpoint;
use self::extension::Extension;
use self::setting::Setting;
use super::clients::Clients;
use super::kind::Kind;
use super::window::Window;
use super::{Report, RulesError};
use crate::finding::Level;
use crate::rule::Rule;

/// Ports that the extension is known to have: its default, one of the public samples, and a misprint of a published page.
/// (rashidqureshi/MSI-Samples; MicrosoftDocs/azure-docs pull 3114.)
pub(super) const KNOWN_PORTS: [u16; 3] = [DEFAULT_PORT, 50_343, 50_432];

/// Words of which one stands in every line that a rule could find, and in every file that names a library. They are looked for
/// as they are written here, which is several times faster than in any case; of what may be written in several ways, the usual
/// ones are here.
pub const WORDS: [&str; 28] = [
    "50342",
    "oauth2/token",
    "MSI_ENDPOINT",
    "msi_endpoint",
    "AZUREPS_HOST_ENVIRONMENT",
    "ManagedIdentity-Settings",
    "managedidentity-settings",
    "/var/lib/waagent",
    "anagedIdentityExtensionFor",
    "managedidentityextensionfor",
    "anagedIdentityLinuxExtension",
    "anagedIdentityWindowsExtension",
    "Microsoft.ManagedIdentity",
    "microsoft.managedidentity",
    "msi-extension-handler",
    "ManagedServicePort",
    "managedserviceport",
    "msi-port",
    "identity-port",
    "get_msi_token",
    "msrestazure",
    "azure-cli",
    "ms-rest-azure",
    "ms-rest-nodeauth",
    "go-autorest",
    "azure-client-authentication",
    "Services.AppAuthentication",
    "services.appauthentication",
];

/// How many earlier findings may reach into a line.
const BEFORE: usize = 4;

/// A finding before its place is known.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) rule: Rule,
    pub(super) level: Level,
    /// Where it begins and ends in the window.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) detail: String,
}

/// A line that holds one of the words.
pub(super) struct Line<'a, 'w> {
    /// What it stands in.
    pub(super) window: &'a Window<'w>,
    /// Where it begins.
    pub(super) start: usize,
    /// Its bytes.
    pub(super) bytes: &'w [u8],
    /// The kind of its file.
    pub(super) kind: Kind,
    /// Whether it is a comment or prose.
    pub(super) comment: bool,
}

impl Line<'_, '_> {
    /// A finding in it, from its own range. In a comment it is only a note.
    pub(super) fn found(&self, rule: Rule, level: Level, range: std::ops::Range<usize>, detail: String) -> Found {
        let level = if self.comment { Level::Note } else { level };
        Found { rule, level, start: self.start + range.start, end: self.start + range.end, detail }
    }
}

/// What looks at lines.
pub(super) struct Lines {
    words: Regex,
    endpoint: Endpoint,
    setting: Setting,
    extension: Extension,
    pub(super) clients: Clients,
    /// Whether only ports are looked for.
    only_ports: bool,
}

impl Lines {
    /// Looks for everything.
    pub(super) fn new(ports: &[u16]) -> Result<Self, RulesError> {
        let words = WORDS.into_iter().map(str::to_owned);
        Self::make(words.chain(ports.iter().flat_map(|&port| addresses(port))).collect(), ports, false)
    }

    /// Looks only for the endpoint on these ports.
    pub(super) fn only(ports: &[u16]) -> Result<Self, RulesError> {
        Self::make(ports.iter().flat_map(|&port| addresses(port)).collect(), ports, true)
    }

    fn make(words: Vec<String>, ports: &[u16], only_ports: bool) -> Result<Self, RulesError> {
        let words: Vec<_> = words.iter().map(|word| regex::escape(word)).collect();
        let words = expression(&words.join("|"))?;
        Ok(Self {
            words,
            endpoint: Endpoint::new(ports)?,
            setting: Setting::new()?,
            extension: Extension::new()?,
            clients: Clients::new()?,
            only_ports,
        })
    }

    /// Whether one of the words stands in a text.
    pub(super) fn any(&self, text: &[u8]) -> bool {
        self.words.is_match(text)
    }

    /// What the lines of a window have.
    pub(super) fn find(&self, window: &Window<'_>, kind: Kind, report: &mut Report) -> Vec<Found> {
        let mut found = Vec::new();
        let mut judged = 0..0;
        let mut documentation = Documentation::default();
        for word in self.words.find_iter(window.bytes) {
            let range = window.line(word.start());
            if range == judged {
                continue;
            }
            judged = range.clone();
            let bytes = window.get(range.clone());
            let comment = kind.is_comment(&String::from_utf8_lossy(bytes))
                || (kind == Kind::Python && documentation.holds(window, range.start));
            let line = Line { window, start: range.start, bytes, kind, comment };
            self.judge(&line, &mut found, report);
        }
        found.retain(|found| (window.begin..window.end).contains(&found.start));
        found
    }

    fn judge(&self, line: &Line<'_, '_>, found: &mut Vec<Found>, report: &mut Report) {
        if self.only_ports {
            found.extend(self.endpoint.find(line));
            return;
        }
        let first = found.len();
        add(found, self.setting.set(line), first);
        add(found, self.endpoint.find(line), first);
        add(found, self.setting.find(line), first);
        add(found, self.extension.find(line, report), first);
        // A port says nothing new beside something else, or inside of a resource.
        if found.len() == first && !self.extension.is_near(line) {
            add(found, self.endpoint.port(line), first);
        }
    }
}

/// Where Python's documentation stands: in strings of three quotes that begin a line. Places come in order.
#[derive(Default)]
struct Documentation {
    at: usize,
    /// The quotes of the string that goes on, and whether it is documentation.
    open: Option<(&'static [u8], bool)>,
}

impl Documentation {
    fn holds(&mut self, window: &Window<'_>, at: usize) -> bool {
        while self.at < at {
            let rest = window.get(self.at..at);
            let of = |quotes: &'static [u8]| memmem::find(rest, quotes).map(|found| (found, quotes));
            let next = match self.open {
                Some((quotes, _)) => of(quotes),
                None => of(b"\"\"\"").into_iter().chain(of(b"'''")).min(),
            };
            let Some((found, quotes)) = next else { break };
            let start = self.at + found;
            self.open = match self.open {
                Some(_) => None,
                None => {
                    let line = window.line(start);
                    Some((quotes, window.get(line.start..start).trim_ascii().is_empty()))
                }
            };
            self.at = start + quotes.len();
        }
        self.open.is_some_and(|(_, documentation)| documentation)
    }
}

/// Adds what overlaps nothing before it: the first says most. A value on the line after its name is part of what was found
/// there.
fn add(found: &mut Vec<Found>, new: Vec<Found>, first: usize) {
    for new in new {
        let overlaps = |old: &Found| old.start < new.end && new.start < old.end;
        if !found.get(first.saturating_sub(BEFORE)..).unwrap_or_default().iter().any(overlaps) {
            found.push(new);
        }
    }
}

/// The ways to write the endpoint's address.
fn addresses(port: u16) -> [String; 3] {
    ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("{host}:{port}"))
}

/// An expression for bytes that need not be UTF-8.
pub(super) fn expression(text: &str) -> Result<Regex, regex::Error> {
    regex::bytes::RegexBuilder::new(text).unicode(false).build()
}

/// Whether a byte is part of a name.
pub(super) fn is_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documentation_is_told_from_a_string_that_is_used() {
        let text = b"def f():\n    \"\"\"Says\n    one\n    \"\"\"\n    x = \"\"\"\n    two\n    \"\"\"\n    three\n'''\nfour\n";
        let window = Window::whole(text);
        let mut documentation = Documentation::default();
        let mut holds = |word: &[u8]| documentation.holds(&window, memmem::find(text, word).unwrap());
        assert_eq!([holds(b"one"), holds(b"two"), holds(b"three"), holds(b"four")], [true, false, false, true]);
    }
}
