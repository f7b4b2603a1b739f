//! Go: `http.NewRequest`.

use super::call;
use super::patterns::Patterns;
use super::source::{Edit, Source, Url};
use super::{imds_url, query};

/// How many lines after a request may fill its query.
const AFTER: usize = 20;

pub(super) fn rewrite(source: &Source<'_>, url: &Url, patterns: &Patterns) -> Result<Vec<Edit>, String> {
    let before = source.before(url.range.start);
    let Some(start) = patterns.new_request.captures(before) else { return query::rewrite(source, url, patterns) };
    let whole = start.get(0).map(|found| found.range()).unwrap_or_default();
    let method = start.name("method").ok_or("the call can't be read")?;
    let open = before.get(whole.clone()).and_then(|text| text.find('(')).map_or(whole.end, |at| whole.start + at);
    let call = call::read(source.text, open + 1).ok_or("the call can't be read")?;
    let body = call.pieces.last().cloned().ok_or("the call can't be read")?;
    if !query::has_header(source, url, patterns) {
        return Err("no header `Metadata: true` is near it".to_owned());
    }
    let closed = call::end_of_string(source.text.as_bytes(), url.range.start - 1);
    let alone = closed.is_some_and(|end| source.from(end + 1).trim_start().starts_with(','));
    let get = matches!(method.as_str(), "\"GET\"" | "http.MethodGet");
    if get && source.get(body.clone()) == "nil" {
        let filled = source.lines(url.range.start, AFTER).contains(".URL.Query()");
        return match (url.query, alone && filled) {
            (true, _) | (false, true) => Ok(vec![query::with_version(source, url)]),
            (false, false) => Err("what it asks for can't be seen".to_owned()),
        };
    }
    let reader = patterns.reader.captures(source.get(body.clone())).filter(|_| !get && alone && !url.query);
    let reader = reader.ok_or("what it sends can't be told for sure")?;
    let form = reader.name("form").map_or("", |form| form.as_str());
    let package = reader.name("package").map_or("", |package| package.as_str());
    let verb = if method.as_str().starts_with('"') { "\"GET\"" } else { "http.MethodGet" };
    let argument = url.range.start - 1..closed.unwrap_or(url.range.end) + 1;
    let mut edits = vec![
        Edit::new(method.range(), verb),
        Edit::new(argument, format!("\"{}&\"+{form}", imds_url())),
        Edit::new(body, "nil"),
    ];
    // An import that nothing uses doesn't compile.
    if source.text.matches(&format!("{package}.")).count() == 1 {
        let import = format!("\n\t\"{package}\"\n");
        let at = source.text.find(&import).ok_or("its import would be left over")?;
        edits.push(Edit::remove(at..at + import.len() - 1));
    }
    Ok(edits)
}
