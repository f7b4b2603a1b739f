//! The expressions of the rewrites.

use regex::Regex;

/// Made once.
pub(super) struct Patterns {
    /// The header, in whatever language sets it.
    pub(super) header: Regex,
    /// A request that isn't a GET.
    pub(super) post: Regex,
    /// The start of a call of Python's requests, up to its URL.
    pub(super) requests: Regex,
    /// A name that is given the URL.
    pub(super) assigned: Regex,
    /// The start of a call of `fetch` or axios, up to its URL.
    pub(super) fetch: Regex,
    /// The start of a call that makes a request in Go, up to its URL.
    pub(super) new_request: Regex,
    /// A reader of a form in Go.
    pub(super) reader: Regex,
    /// A cmdlet that sends a request.
    pub(super) cmdlet: Regex,
    /// A line that is only the setting.
    pub(super) setting: Regex,
    /// A name and a value on two lines of YAML.
    pub(super) pair: Regex,
}

impl Patterns {
    pub(super) fn new() -> Result<Self, regex::Error> {
        let address = r"https?://(?i:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?/+oauth2/+token/?";
        let name = "(?:ARM_|AZURE_)?MSI_ENDPOINT";
        Ok(Self {
            header: Regex::new(r#"(?i)metadata["'\]]*\)?\s*(?:[:=,]|=>)+\s*["']?true"#)?,
            post: Regex::new(r"(?i)\bpost\b|HttpMethod\.Post|UploadString|URLEncodedContent|--post-data")?,
            requests: Regex::new(r#"\b(?P<of>requests|session)\.(?P<verb>get|post)\(\s*[rub]?["']$"#)?,
            assigned: Regex::new(r#"(?m)^[ \t]*(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*["']$"#)?,
            fetch: Regex::new(r#"\b(?P<call>fetch|axios\.(?P<verb>get|post))\(\s*["'`]$"#)?,
            new_request: Regex::new(
                r#"\bhttp\.NewRequest(?:WithContext\(\s*[\w.()]+\s*,|\()\s*(?P<method>"GET"|"POST"|http\.MethodGet|http\.MethodPost)\s*,\s*"$"#,
            )?,
            reader: Regex::new(r"^(?P<package>strings|bytes)\.(?:NewReader|NewBufferString)\((?P<form>.*)\)$")?,
            cmdlet: Regex::new(r"(?i)\b(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm)\b")?,
            setting: Regex::new(&format!(
                r#"^[ \t]*(?:{}|{}|{}|{}|{}|{}|{})[ \t]*\r?$"#,
                // Shells, env files, cloud-init; batch files.
                format_args!(r#"(?:export[ \t]+|setx?[ \t]+"?)?{name}[= ]["']?{address}["']?"#),
                // systemd.
                format_args!(r#"Environment="?{name}={address}"?"#),
                // Dockerfiles.
                format_args!(r#"ENV[ \t]+{name}[= ]["']?{address}["']?"#),
                // Mappings and lists of YAML.
                format_args!(r#"["']?{name}["']?:[ \t]+["']?{address}["']?|-[ \t]+["']?{name}={address}["']?"#),
                format_args!(r#"\$(?i:env):{name}[ \t]*=[ \t]*["']{address}["']"#),
                format_args!(r#"<add[ \t]+key="{name}"[ \t]+value="{address}"[ \t]*/>"#),
                format_args!(r#"msi_endpoint[ \t]*=[ \t]*"{address}""#),
            ))?,
            pair: Regex::new(&format!(
                r#"^(?P<indent>[ \t]*)-[ \t]+name:[ \t]+["']?{name}["']?[ \t]*\r?\n(?P<below>[ \t]+)value:[ \t]+["']?{address}["']?[ \t]*\r?(?:\n|$)"#
            ))?,
        })
    }
}
