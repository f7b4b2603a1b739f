//! A URL with its query in any language: the version goes in front of what is asked.

use super::imds_url;
use super::patterns::Patterns;
use super::source::{Edit, Source, Url};
use crate::scan::Kind;

/// How many lines around a URL show how its request is sent.
const AROUND: usize = 6;
/// How many lines around a URL may set its header.
const HEADER: usize = 25;

/// A query in the URL means GET, and the extension wants the header as well: only the URL changes.
pub(super) fn rewrite(source: &Source<'_>, url: &Url, patterns: &Patterns) -> Result<Vec<Edit>, String> {
    if !url.query {
        return Err("what is sent to it can't be seen".to_owned());
    }
    let quoted = source.before(url.range.start).ends_with(['"', '\'', '`', '>']);
    let setting = matches!(source.kind, Kind::Config | Kind::Xml | Kind::Json | Kind::Yaml);
    if !quoted && !setting {
        return Err("it isn't a string of its own".to_owned());
    }
    if patterns.post.is_match(source.lines(url.range.start, AROUND)) {
        return Err("a request near it isn't a GET".to_owned());
    }
    if !setting && !has_header(source, url, patterns) {
        return Err("no header `Metadata: true` is near it".to_owned());
    }
    Ok(vec![with_version(source, url)])
}

/// Whether the header is set near a URL.
pub(super) fn has_header(source: &Source<'_>, url: &Url, patterns: &Patterns) -> bool {
    patterns.header.is_match(source.lines(url.range.start, HEADER))
}

/// The metadata service's URL in the place of the extension's, with the version in its query.
pub(super) fn with_version(source: &Source<'_>, url: &Url) -> Edit {
    let join = match (url.query, source.kind) {
        (false, _) => "",
        (true, Kind::Xml) => "&amp;",
        (true, _) => "&",
    };
    Edit::new(url.range.start..url.range.end + usize::from(url.query), format!("{}{join}", imds_url()))
}
