//! JavaScript and TypeScript: `fetch`, `axios.get` and `axios.post`.

use super::call::{self, Bracketed};
use super::patterns::Patterns;
use super::source::{Edit, Source, Url};
use super::{imds_url, query};

pub(super) fn rewrite(source: &Source<'_>, url: &Url, patterns: &Patterns) -> Result<Vec<Edit>, String> {
    let before = source.before(url.range.start);
    let Some(start) = patterns.fetch.captures(before) else { return query::rewrite(source, url, patterns) };
    let name = start.name("call").ok_or("the call can't be read")?;
    let call = call::read(source.text, name.end() + 1).ok_or("the call can't be read")?;
    let (first, second) = (call.pieces.first().cloned().ok_or("the call can't be read")?, call.pieces.get(1).cloned());
    let quote = url.range.start - 1;
    let alone = call::end_of_string(source.text.as_bytes(), quote).is_some_and(|end| end + 1 == first.end);
    let members = |piece: Option<&call::Piece>| {
        let piece = piece.filter(|piece| source.get((*piece).clone()).starts_with('{'))?;
        call::read(source.text, piece.start + 1)
    };
    if !patterns.header.is_match(source.get(name.start()..call.end)) {
        return Err("its headers have no `Metadata: true` that can be seen".to_owned());
    }
    let verb = start.name("verb");
    match verb.map(|verb| verb.as_str()) {
        None => {
            let options = members(second.as_ref()).ok_or("its options aren't an object that can be seen")?;
            let (method, body) = (member(source, &options, "method"), member(source, &options, "body"));
            match (method, body, url.query) {
                (None, None, true) => Ok(vec![query::with_version(source, url)]),
                (Some(method), None, true) if is_get(source, &options, method) => {
                    Ok(vec![query::with_version(source, url)])
                }
                (Some(method), Some(body), false) if alone => {
                    let form = form(source, &options, body).ok_or("its body isn't a form that can be seen")?;
                    let mut edits = vec![asked(first, source, quote, &form)];
                    for index in [method, body] {
                        let range = call::without(source.text, &options, index).ok_or("the call can't be read")?;
                        let removal = [Edit::remove(range)];
                        if super::source::overlap(&edits, &removal) {
                            return Err("its options can't be taken apart".to_owned());
                        }
                        edits.extend(removal);
                    }
                    Ok(edits)
                }
                _ => Err("what it sends can't be told for sure".to_owned()),
            }
        }
        Some("get") if url.query => Ok(vec![query::with_version(source, url)]),
        Some("get") => {
            let options = members(second.as_ref()).ok_or("its options aren't an object that can be seen")?;
            member(source, &options, "params").ok_or("what it asks for can't be seen")?;
            Ok(vec![query::with_version(source, url)])
        }
        Some(_) => {
            let (body, verb) = (second.filter(|_| alone && !url.query), verb.map(|verb| verb.range()));
            let body = body.ok_or("what it sends can't be told for sure")?;
            let form = expression(source.get(body.clone())).ok_or("its body isn't a form that can be seen")?;
            let asked = asked(first.clone(), source, quote, &form);
            Ok(vec![Edit::new(verb.unwrap_or_default(), "get"), asked, Edit::remove(first.end..body.end)])
        }
    }
}

/// The URL with a form behind it.
fn asked(argument: call::Piece, source: &Source<'_>, quote: usize, form: &str) -> Edit {
    let quote = source.get(quote..quote + 1);
    Edit::new(argument, format!("{quote}{}&{quote} + {form}", imds_url()))
}

/// The index of a member.
fn member(source: &Source<'_>, all: &Bracketed, name: &str) -> Option<usize> {
    all.pieces.iter().position(|piece| {
        let text = source.get(piece.clone()).trim_start_matches(['"', '\'']);
        text.strip_prefix(name).is_some_and(|rest| {
            let rest = rest.trim_start_matches(['"', '\'']).trim_start();
            rest.is_empty() || rest.starts_with(':')
        })
    })
}

fn value<'a>(source: &Source<'a>, all: &Bracketed, index: usize) -> Option<&'a str> {
    let text = source.get(all.pieces.get(index)?.clone());
    Some(text.split_once(':')?.1.trim())
}

fn is_get(source: &Source<'_>, all: &Bracketed, index: usize) -> bool {
    value(source, all, index).is_some_and(|value| value.trim_matches(['"', '\'', '`']).eq_ignore_ascii_case("get"))
}

fn form(source: &Source<'_>, all: &Bracketed, index: usize) -> Option<String> {
    expression(value(source, all, index)?)
}

/// An expression whose text is a form.
fn expression(text: &str) -> Option<String> {
    let starts = ["'resource=", "\"resource=", "new URLSearchParams(", "querystring.stringify(", "qs.stringify("];
    starts.iter().any(|start| text.starts_with(start)).then(|| text.to_owned())
}
