//! `MSI_ENDPOINT`, the discovery document, options with the port, and calls.

use memchr::memmem;
use regex::bytes::{Captures, Regex};

use super::{Found, Line, expression, is_word};
use crate::finding::Level;
use crate::rule::Rule;
use crate::scan::kind::Kind;

/// How far after a name its value may stand, in bytes: it may be on the next line.
const VALUE: usize = 200;

/// Finds settings.
pub(super) struct Setting {
    name: Regex,
    value: Regex,
    cloud_shell: Regex,
    read: Regex,
    discovery: Regex,
    mounts: Regex,
    folder: Regex,
    option: Regex,
    call: Regex,
}

impl Setting {
    pub(super) fn new() -> Result<Self, regex::Error> {
        Ok(Self {
            name: expression(r"(?:ARM_|AZURE_)?MSI_ENDPOINT|(?:arm_)?msi_endpoint")?,
            value: expression(
                r#"^(?P<between>["'\])}]*[\s:=,"']*(?:value["']?\s*[:=]\s*)?["']?)(?:https?://(?i:localhost|127\.0\.0\.1|\[::1\])[^\s"'<>]*)"#,
            )?,
            // MSAL for Python then takes the VM for the Cloud Shell (its cloudshell.py).
            cloud_shell: expression(
                r#"AZUREPS_HOST_ENVIRONMENT(?P<between>["'\])}]*[\s:=,"']*(?:value["']?\s*[:=]\s*)?["']?)(?i:cloud-shell)[^\s"'<>]*"#,
            )?,
            // Whatever stands behind what is read is what it is compared with, or what is taken where it isn't set.
            read: expression(
                r#"(?i)(?:\$[{(]?|(?:\b|_)(?:get\w*|lookupenv|fetch|var(?:_os)?)\s*\(\s*["']|\b(?:eq|ne)\s+[\w.$"']*)$"#,
            )?,
            discovery: expression(r#"(?i)[^\s"'=:,(]*ManagedIdentity-Settings"#)?,
            mounts: expression(
                r"(?i)(?:^|\s)(?:-v|--volume|--mount)[= ]|^\s*-?\s*(?:path|mountPath|hostPath|source|target):|^\s*-\s+[^\s:]+:/|hostPath",
            )?,
            folder: expression(
                r#"(?i)(?:(?:-v|--volume)[= ]["']?|(?:path|mountPath|hostPath|source)["']?:\s*["']?|^\s*-\s+["']?)(?P<folder>/var/lib/waagent)/?(?:["':,]|\s*$)"#,
            )?,
            option: expression(r"(?i)-ManagedServicePort|--(?:msi|identity)-port")?,
            call: expression(r"get_msi_token\s*\(")?,
        })
    }

    /// `MSI_ENDPOINT` with the endpoint for a value, and what has MSAL for Python ask the endpoint without it.
    pub(super) fn set(&self, line: &Line<'_, '_>) -> Vec<Found> {
        let cloud_shell = self.cloud_shell.captures_iter(line.bytes).filter_map(|setting| {
            let range = setting.get(0)?.range();
            let detail = "with it MSAL for Python posts to localhost:50342, as in the Cloud Shell".to_owned();
            let set = self.is_set(line, range.start, &setting);
            set.then(|| line.found(Rule::EndpointSetting, Level::Error, range, detail))
        });
        let endpoints = self.names(line).filter_map(|name| {
            let end = line.start + name.end;
            let after = line.window.get(end..end.saturating_add(VALUE).min(line.window.bytes.len()));
            let value = self.value.captures(after)?;
            let whole = value.get(0)?;
            // App Service has an endpoint of its own.
            if !self.is_set(line, name.start, &value) || memmem::find(whole.as_bytes(), b"/MSI/token").is_some() {
                return None;
            }
            let range = name.start..name.end + whole.end();
            Some(line.found(Rule::EndpointSetting, Level::Error, range, String::new()))
        });
        cloud_shell.chain(endpoints).collect()
    }

    /// Whether the name at a place is given the value behind it: neither read nor compared with it.
    fn is_set(&self, line: &Line<'_, '_>, name: usize, value: &Captures<'_>) -> bool {
        let before = line.bytes.get(..name).unwrap_or_default();
        let between = value.name("between").map_or(&[][..], |between| between.as_bytes());
        !self.read.is_match(before) && memmem::find(between, b"==").is_none()
    }

    /// Everything else.
    pub(super) fn find(&self, line: &Line<'_, '_>) -> Vec<Found> {
        let mut found = Vec::new();
        let secret = || memmem::find(line.window.bytes, b"MSI_SECRET").is_some();
        for name in self.names(line) {
            let (level, detail) = match secret() {
                true => {
                    (Level::Note, "the file names MSI_SECRET too: where both are set this is App Service".to_owned())
                }
                false => (Level::Warning, String::new()),
            };
            found.push(line.found(Rule::EndpointRead, level, name, detail));
        }
        let mounted = self.mounts.is_match(line.bytes);
        // A volume names it on both of its sides.
        if let Some(document) = self.discovery.find(line.bytes) {
            let rule = if mounted { Rule::DiscoveryMount } else { Rule::Discovery };
            found.push(line.found(rule, Level::Error, document.range(), String::new()));
        }
        for captures in self.folder.captures_iter(line.bytes) {
            let Some(folder) = captures.name("folder") else { continue };
            let detail =
                "the agent's whole folder: see whether what runs inside reads the discovery document".to_owned();
            found.push(line.found(Rule::DiscoveryMount, Level::Warning, folder.range(), detail));
        }
        for option in self.option.find_iter(line.bytes).filter(|option| !is_word(line.bytes.get(option.end()))) {
            found.push(line.found(Rule::PortOption, Level::Error, option.range(), String::new()));
        }
        if let Some(call) = self.call.find(line.bytes).filter(|_| line.kind == Kind::Python) {
            let own = line.bytes.get(..call.start()).unwrap_or_default();
            let imported = memmem::find(line.window.bytes, b"msrestazure").is_some();
            if imported && !own.trim_ascii_end().ends_with(b"def") && !is_word(own.last()) {
                let range = call.start()..call.end() - 1;
                found.push(line.found(Rule::Call, Level::Warning, range, String::new()));
            }
        }
        found
    }

    /// Where the variable is named. In lower case it is Terraform's argument.
    fn names(&self, line: &Line<'_, '_>) -> impl Iterator<Item = std::ops::Range<usize>> {
        let whole = |range: &std::ops::Range<usize>| {
            let before = range.start.checked_sub(1).and_then(|at| line.bytes.get(at));
            let lower = line.bytes.get(range.start).is_some_and(u8::is_ascii_lowercase);
            !is_word(before) && !is_word(line.bytes.get(range.end)) && (!lower || line.kind == Kind::Terraform)
        };
        self.name.find_iter(line.bytes).map(|name| name.range()).filter(whole).collect::<Vec<_>>().into_iter()
    }
}
