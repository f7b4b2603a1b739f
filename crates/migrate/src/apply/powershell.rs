//! PowerShell: `Invoke-WebRequest` and `Invoke-RestMethod`. A table for a body becomes the query when the method is GET.

use std::ops::Range;

use super::call;
use super::patterns::Patterns;
use super::source::{Edit, Source, Url};
use super::{API_VERSION, query};

pub(super) fn rewrite(source: &Source<'_>, url: &Url, patterns: &Patterns) -> Result<Vec<Edit>, String> {
    let statement = statement(source, url);
    let text = source.get(statement.clone());
    let cmdlets = patterns.cmdlet.find_iter(text).count();
    if cmdlets != 1 || text.matches("/oauth2/token").count() != 1 {
        return Err("the command around it isn't known".to_owned());
    }
    let value = |name: &str| parameter(source, &statement, name);
    let mut edits = Vec::new();
    let method = value("-Method");
    match method
        .as_ref()
        .map(|range| source.get(range.clone()).trim_matches(['"', '\'']).to_ascii_lowercase())
        .as_deref()
    {
        None | Some("get") => {}
        Some("post") => edits.push(Edit::new(method.unwrap_or_default(), "GET")),
        Some(_) => return Err("its method is computed".to_owned()),
    }
    match (value("-Body"), url.query) {
        (None, true) => edits.push(query::with_version(source, url)),
        (Some(body), false) if source.get(body.clone()).starts_with("@{") => {
            // The version joins the table; the URL stays without a query.
            let version = format!(" 'api-version' = '{API_VERSION}';");
            edits.push(Edit::new(body.start + 2..body.start + 2, version));
            let address = super::imds_url();
            edits.push(Edit::new(url.range.clone(), address.split('?').next().unwrap_or_default()));
        }
        (Some(_), _) => return Err("its body isn't a table that can be seen".to_owned()),
        (None, false) => return Err("what it asks for can't be seen".to_owned()),
    }
    match value("-Headers") {
        Some(headers) if source.get(headers.clone()).starts_with("@{") => {
            if !patterns.header.is_match(source.get(headers)) {
                return Err("its headers have no `Metadata` of `true`".to_owned());
            }
        }
        Some(_) if patterns.header.is_match(source.text) => {}
        Some(_) => return Err("no header `Metadata` of `true` was found in the file".to_owned()),
        None => {
            let cmdlet = patterns.cmdlet.find(text).map_or(0, |found| found.end()) + statement.start;
            edits.push(Edit::new(cmdlet..cmdlet, " -Headers @{ Metadata = 'true' }"));
        }
    }
    // A bare word may not have `&` in it.
    if url.query && !source.before(url.range.start).ends_with(['"', '\'']) {
        let end = url.range.end + source.from(url.range.end).find([' ', '\t', '\r', '\n']).unwrap_or(0);
        let word = source.get(url.range.end..end);
        if end == url.range.end || word.contains(['$', '"', '\'', '`', ')']) {
            return Err("its URL is computed".to_owned());
        }
        edits.push(Edit::new(end..end, "'"));
        if let Some(address) = edits.iter_mut().find(|edit| edit.range.start == url.range.start) {
            address.text.insert(0, '\'');
        }
    }
    Ok(edits)
}

/// The lines that a backtick, or an open table, joins.
fn statement(source: &Source<'_>, url: &Url) -> Range<usize> {
    let own = source.line(url.range.start);
    let (mut start, mut end) = (own.start, own.end);
    while let Some(newline) = start.checked_sub(1) {
        let above = source.line(newline);
        if !source.get(above.clone()).trim_end().ends_with('`') {
            break;
        }
        start = above.start;
    }
    loop {
        let text = source.get(start..end);
        let open = text.matches(['{', '(']).count() > text.matches(['}', ')']).count();
        if end >= source.text.len() || !(open || text.trim_end().ends_with('`')) {
            return start..end;
        }
        end = source.line(end + 1).end;
    }
}

/// The value of a parameter: a word, a string, a table or what stands in parentheses.
fn parameter(source: &Source<'_>, statement: &Range<usize>, name: &str) -> Option<Range<usize>> {
    let text = source.get(statement.clone()).to_ascii_lowercase();
    let name = name.to_ascii_lowercase();
    let ends = |at: usize| text.get(at + name.len()..).is_some_and(|rest| rest.starts_with([' ', '\t', ':', '`']));
    let at = text.match_indices(&name).map(|(at, _)| at).find(|&at| ends(at))?;
    let behind = statement.start + at + name.len();
    let rest = source.get(behind..statement.end);
    let start = behind + (rest.len() - rest.trim_start_matches([' ', '\t', ':', '`', '\r', '\n']).len());
    let value = source.get(start..statement.end);
    let end = match value {
        _ if value.starts_with("@{") => call::read(source.text, start + 2)?.end + 1,
        _ if value.starts_with('(') => call::read(source.text, start + 1)?.end + 1,
        _ if value.starts_with(['"', '\'']) => call::end_of_string(source.text.as_bytes(), start)? + 1,
        _ => start + value.find([' ', '\t', '\r', '\n', '|', ')']).unwrap_or(value.len()),
    };
    Some(start..end)
}
