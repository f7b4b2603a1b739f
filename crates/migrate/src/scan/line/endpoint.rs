//! The endpoint's URL, its address and its port.

use contract::extension::DEFAULT_PORT;
use regex::bytes::Regex;

use super::{Found, KNOWN_PORTS, Line, expression, is_word};
use crate::finding::Level;
use crate::rule::Rule;
use crate::scan::near;

/// How many lines around a URL on another port say that it is the extension's.
const AROUND: usize = 12;

/// Finds the endpoint.
pub(super) struct Endpoint {
    url: Regex,
    address: Regex,
    port: Regex,
    speaks_of_ports: Regex,
    speaks_of_identity: Regex,
    file_speaks_of_identity: Regex,
    ports: Vec<u16>,
}

impl Endpoint {
    pub(super) fn new(ports: &[u16]) -> Result<Self, regex::Error> {
        Ok(Self {
            url: expression(
                r"(?i)(?:https?://)?(?:localhost|127\.0\.0\.1|\[::1\])(?::(?P<port>[^/\r\n]{1,60}?))?/+oauth2/+token",
            )?,
            address: expression(r"(?i)(?:https?://)?(?:localhost|127\.0\.0\.1|\[::1\]):(?P<port>[0-9]{1,5})")?,
            port: expression("50342")?,
            speaks_of_ports: expression(
                r"(?i)port|msi|managed|identity|localhost|127\.0\.0\.1|oauth|token|endpoint|tcp|listen",
            )?,
            speaks_of_identity: expression(
                r#"(?i)\bmsi\b|msi_|_msi|managed.{0,9}identity|metadata['"\]]*\s*[:=,]+\s*['"]?true|[?&"'{ ]resource["']?\s*[=:]"#,
            )?,
            file_speaks_of_identity: expression(r"\bMSI|50342|ManagedIdentity|Managed Service Identity")?,
            ports: ports.to_vec(),
        })
    }

    /// The endpoint with its path, or its address alone.
    pub(super) fn find(&self, line: &Line<'_, '_>) -> Vec<Found> {
        let urls = self.url.captures_iter(line.bytes).filter_map(|captures| {
            let all = captures.get(0)?;
            let port = captures.name("port").map(|port| String::from_utf8_lossy(port.as_bytes()));
            let detail = match port {
                _ if is_host_part(line.bytes, all.start()) => return None,
                None => "no port is named, as in the first lines of Microsoft's article".to_owned(),
                Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                    let number = port.parse().ok()?;
                    if !self.is_port(number) && !self.is_identity(line, all.start()) {
                        return None;
                    }
                    String::new()
                }
                Some(port) if port.contains(['{', '$', '%', '+', '<', '&']) && self.is_identity(line, all.start()) => {
                    "its port is computed".to_owned()
                }
                Some(_) => return None,
            };
            Some(line.found(Rule::Endpoint, Level::Error, all.range(), detail))
        });
        let mut found: Vec<_> = urls.collect();
        for captures in self.address.captures_iter(line.bytes) {
            let (Some(all), Some(port)) = (captures.get(0), captures.name("port")) else { continue };
            let number = std::str::from_utf8(port.as_bytes()).ok().and_then(|port| port.parse().ok()).unwrap_or(0);
            let own = number == DEFAULT_PORT || self.ports.contains(&number);
            let start = line.start + all.start();
            if own
                && !is_word(line.bytes.get(all.end()))
                && !is_host_part(line.bytes, all.start())
                && !found.iter().any(|found| (found.start..found.end).contains(&start))
            {
                // Another program may have a port that some template gives to the extension.
                let level = if number == DEFAULT_PORT { Level::Error } else { Level::Warning };
                found.push(line.found(Rule::Endpoint, level, all.range(), "its address".to_owned()));
            }
        }
        found
    }

    /// The default port alone.
    pub(super) fn port(&self, line: &Line<'_, '_>) -> Vec<Found> {
        if !self.speaks_of_ports.is_match(line.bytes) {
            return Vec::new();
        }
        let alone = |range: &std::ops::Range<usize>| {
            let before = range.start.checked_sub(1).and_then(|at| line.bytes.get(at));
            let after = line.bytes.get(range.end);
            let fraction = after == Some(&b'.') && line.bytes.get(range.end + 1).is_some_and(u8::is_ascii_digit);
            !is_word(before) && before != Some(&b'.') && !is_word(after) && !fraction
        };
        let ranges = self.port.find_iter(line.bytes).map(|found| found.range()).filter(alone);
        ranges.map(|range| line.found(Rule::Port, Level::Warning, range, String::new())).collect()
    }

    fn is_port(&self, port: u16) -> bool {
        KNOWN_PORTS.contains(&port) || self.ports.contains(&port)
    }

    /// Whether what is around a URL, or its file, speaks of managed identities: many servers have a path `/oauth2/token`.
    fn is_identity(&self, line: &Line<'_, '_>, at: usize) -> bool {
        self.speaks_of_identity.is_match(near::lines(line.window, line.start + at, AROUND))
            || self.file_speaks_of_identity.is_match(line.window.bytes)
    }
}

/// Whether a host's name goes on before it: `notlocalhost`.
fn is_host_part(line: &[u8], start: usize) -> bool {
    if line.get(start..).is_some_and(|url| url.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"http"))) {
        return false;
    }
    let before = start.checked_sub(1).and_then(|at| line.get(at));
    is_word(before) || matches!(before, Some(b'.' | b'-'))
}
