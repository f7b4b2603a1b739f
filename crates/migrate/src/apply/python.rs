//! Python: `requests.get` and `requests.post`, with the URL in the call or in a name that only such calls use.

use std::ops::Range;

use super::call;
use super::patterns::Patterns;
use super::query;
use super::source::{Edit, Source, Url, uses};

pub(super) fn rewrite(source: &Source<'_>, url: &Url, patterns: &Patterns) -> Result<Vec<Edit>, String> {
    if source.get(source.line(url.range.start)).contains(".format(") {
        return Err("the URL is computed".to_owned());
    }
    let before = source.before(url.range.start);
    if let Some(start) = patterns.requests.captures(before) {
        let whole = start.get(0).map(|found| found.range()).unwrap_or_default();
        let verb = start.name("verb").map(|found| found.range()).unwrap_or_default();
        let open = before.get(whole.clone()).and_then(|text| text.find('(')).map_or(whole.end, |at| whole.start + at);
        let mut edits = request(source, url.query, open + 1, verb, patterns)?;
        edits.push(query::with_version(source, url));
        return Ok(edits);
    }
    if let Some(name) = patterns.assigned.captures(before).and_then(|captures| captures.name("name")) {
        let end = call::end_of_string(source.text.as_bytes(), url.range.start - 1).ok_or("its string doesn't end")?;
        if url.query || end != url.range.end {
            return query::rewrite(source, url, patterns);
        }
        let mut edits = vec![query::with_version(source, url)];
        for used in uses(source.text, name.as_str()).filter(|&at| at != name.start()) {
            let before = format!("{}\"", source.before(used));
            let start = patterns.requests.captures(&before).ok_or("its name is used in another way too")?;
            let whole = start.get(0).map(|found| found.range()).unwrap_or_default();
            let verb = start.name("verb").map(|found| found.range()).unwrap_or_default();
            let open = before.get(whole.clone()).and_then(|text| text.find('(')).map_or(used, |at| whole.start + at);
            edits.extend(request(source, false, open + 1, verb, patterns)?);
        }
        return if edits.len() > 1 { Ok(edits) } else { Err("no request with it was found in the file".to_owned()) };
    }
    query::rewrite(source, url, patterns)
}

/// The edits of a call whose arguments begin at `open`, but for its URL.
fn request(
    source: &Source<'_>,
    query: bool,
    open: usize,
    verb: Range<usize>,
    patterns: &Patterns,
) -> Result<Vec<Edit>, String> {
    let call = call::read(source.text, open).ok_or("the call can't be read")?;
    let arguments: Vec<_> = call.pieces.iter().map(|piece| source.get(piece.clone())).collect();
    let named = |name: &str| {
        arguments.iter().position(|argument| {
            argument.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('=') && !rest.contains("=="))
        })
    };
    let positional = arguments.get(1).filter(|argument| !is_named(argument));
    let (data, params) = (named("data"), named("params"));
    if named("json").is_some() || named("files").is_some() || arguments.iter().any(|argument| argument.starts_with('*'))
    {
        return Err("what it sends isn't a form".to_owned());
    }
    match (data.is_some(), params.is_some(), positional.is_some(), query) {
        (true, false, false, false) | (false, true, false, false) | (false, false, true, false) => {}
        (false, false, false, true) => {}
        _ => return Err("what it sends can't be told for sure".to_owned()),
    }
    let mut edits = Vec::new();
    if source.get(verb.clone()) == "post" {
        edits.push(Edit::new(verb, "get"));
    }
    if let Some(piece) = data.and_then(|index| call.pieces.get(index)) {
        edits.push(Edit::new(piece.start..piece.start + "data".len(), "params"));
    }
    match named("headers").and_then(|index| arguments.get(index)) {
        Some(headers) if headers.contains('{') && !patterns.header.is_match(headers) => {
            return Err("its headers have no `Metadata: true`".to_owned());
        }
        Some(_) if !patterns.header.is_match(source.text) => {
            return Err("no header `Metadata: true` was found in the file".to_owned());
        }
        Some(_) => {}
        None => {
            let last = call.pieces.last().map_or(call.end, |piece| piece.end);
            edits.push(Edit::new(last..last, ", headers={'Metadata': 'true'}"));
        }
    }
    Ok(edits)
}

fn is_named(argument: &str) -> bool {
    let name = argument.trim_start_matches(|character: char| character.is_ascii_alphanumeric() || character == '_');
    let rest = name.trim_start();
    rest.starts_with('=') && !rest.starts_with("==") && name.len() < argument.len()
}
