//! Shell commands, also in Dockerfiles, YAML and files of no known kind: `curl`, whose form becomes a query with `--get`; of
//! other commands only a URL with its query.

use std::ops::Range;

use super::patterns::Patterns;
use super::query;
use super::source::{Edit, Source, Url};
use crate::scan::Kind;

/// How far a command may reach before its URL, in bytes.
const REACH: usize = 2048;

pub(super) fn rewrite(source: &Source<'_>, url: &Url, patterns: &Patterns) -> Result<Vec<Edit>, String> {
    let Some(start) = command(source, url, "curl") else {
        let Some(start) = command(source, url, "wget") else {
            return if source.kind == Kind::Yaml {
                query::rewrite(source, url, patterns)
            } else {
                Err("the command around it isn't known".to_owned())
            };
        };
        let words = words(source.text, start).ok_or("the command can't be read")?;
        let quoted = source.before(url.range.start).ends_with(['"', '\'']);
        let posts = words.iter().any(|word| source.get(word.clone()).contains("--post"));
        if !quoted || !url.query || posts || in_string(source, start) {
            return Err("what it asks for can't be seen".to_owned());
        }
        return Ok(vec![query::with_version(source, url)]);
    };
    if in_string(source, start) {
        return Err("the command is inside of a string".to_owned());
    }
    let words = words(source.text, start).ok_or("the command can't be read")?;
    let text = |index: usize| words.get(index).map_or("", |word| source.get(word.clone()));
    let own = words.iter().position(|word| word.contains(&url.range.start)).ok_or("the command can't be read")?;
    let (mut edits, mut data, mut get, mut header) = (Vec::new(), false, false, false);
    let mut index = 1;
    while index < words.len() {
        let word = text(index);
        let (option, attached) = match word.split_once('=').filter(|_| word.starts_with("--")) {
            Some((option, value)) => (option, Some(value)),
            None => (word, None),
        };
        let value = attached.unwrap_or_else(|| text(index + 1));
        let takes = match option {
            "--data" | "--data-ascii" | "--data-raw" | "--data-urlencode" => Some('d'),
            "--request" => Some('X'),
            "--header" => Some('H'),
            "--get" => Some('G'),
            "--data-binary" | "--form" | "--json" | "--upload-file" | "--url" | "--config" | "--next" => {
                return Err(format!("{option} isn't known here"));
            }
            _ if option.starts_with("--") || !option.starts_with('-') => None,
            // Short options may stand together; the last one takes the value.
            _ => option.chars().last().filter(|_| option.chars().skip(1).all(|one| one.is_ascii_alphabetic())),
        };
        let short = !option.starts_with("--") && option.len() > 2;
        match takes {
            Some('d') => data = true,
            Some('G') => get = true,
            Some('F' | 'T' | 'K') => return Err("it sends more than a form".to_owned()),
            Some('H') if value.contains('$') => return Err("its headers are computed".to_owned()),
            Some('H') => header |= is_header(value),
            Some('X') if short => return Err("its options stand together".to_owned()),
            Some('X') => match value.trim_matches(['"', '\'']) {
                "GET" => {}
                "POST" => {
                    let last = words.get(index + usize::from(attached.is_none()));
                    let end = last.map_or(0, |word| word.end);
                    edits.push(Edit::remove(words.get(index - 1).map_or(end, |word| word.end)..end));
                }
                _ => return Err("its method is computed".to_owned()),
            },
            None if option.starts_with("-X") || option.starts_with("-d") || option.starts_with("-H") => {
                return Err("its options stand together with their values".to_owned());
            }
            Some(_) | None => {}
        }
        let skips = attached.is_none()
            && matches!(takes, Some('d' | 'X' | 'H' | 'o' | 'm' | 'w' | 'u' | 'A' | 'b' | 'c' | 'e' | 'x'));
        index += if skips { 2 } else { 1 };
    }
    if data == url.query {
        return Err("what it asks for can't be seen".to_owned());
    }
    let curl = words.first().map_or(start, |word| word.end);
    let mut options = String::new();
    if data && !get {
        options.push_str(" --get");
    }
    if !header {
        options.push_str(" -H Metadata:true");
    }
    if !options.is_empty() {
        edits.push(Edit::new(curl..curl, options));
    }
    let word = words.get(own).cloned().unwrap_or_default();
    if !source.get(word.start..url.range.start).trim_start_matches(['"', '\'']).is_empty() {
        return Err("its URL is computed".to_owned());
    }
    let mut address = query::with_version(source, url);
    if let Some(quote) = quotes(source.get(word.clone()))? {
        let (head, tail) = (source.get(word.start..address.range.start), source.get(address.range.end..word.end));
        address = Edit::new(word, format!("{quote}{head}{}{tail}{quote}", address.text));
    }
    edits.push(address);
    Ok(edits)
}

/// Where the command with this name begins that has the URL: in its line or one that is joined to it.
fn command(source: &Source<'_>, url: &Url, name: &str) -> Option<usize> {
    let mut floor = source.line(url.range.start).start;
    while floor > 0 && url.range.start - floor < REACH {
        let above = source.line(floor - 1);
        if !source.get(above.clone()).trim_end().ends_with('\\') {
            break;
        }
        floor = above.start;
    }
    let text = source.get(floor..url.range.start);
    let is_part = |one: char| one.is_alphanumeric() || "_-./".contains(one);
    let own = |at: &usize| {
        let before = text.get(..*at).and_then(|text| text.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && after.is_some_and(|one| one == ' ' || one == '\t')
    };
    let at = text.match_indices(name).map(|(at, _)| at).filter(own).last()?;
    // Another command may begin between the two, but not in quotes: a form has `&` in it.
    let reaches = |words: Vec<Range<usize>>| words.iter().any(|word| word.contains(&url.range.start));
    let own = words(source.text, floor + at)
        .map_or_else(|| !text.get(at..).unwrap_or_default().contains(['|', ';', '`', '&']), reaches);
    own.then_some(floor + at)
}

/// Whether a command begins inside of a string of what is around it: not of a shell's own `"$(…)"`.
fn in_string(source: &Source<'_>, at: usize) -> bool {
    let line = source.line(at);
    let before = source.get(line.start..at).trim_end();
    let value = before.trim_start().trim_start_matches("- ").trim_start();
    let yaml = source.kind == Kind::Yaml
        && (value.starts_with(['"', '\'']) || value.contains(": \"") || value.contains(": '"));
    let array = source.kind == Kind::Dockerfile && before.contains('[');
    let odd = |quote: char| before.matches(quote).count() % 2 == 1;
    yaml || array || ((odd('"') || odd('\'')) && !before.ends_with(['(', '`']))
}

/// The words of a command, each with its quotes, up to where it ends. Nothing comes of what isn't plain words.
fn words(text: &str, start: usize) -> Option<Vec<Range<usize>>> {
    let bytes = text.as_bytes();
    let (mut words, mut at) = (Vec::new(), start);
    let mut word: Option<usize> = None;
    loop {
        let byte = bytes.get(at).copied();
        let ends =
            matches!(byte, None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'|' | b';' | b'&' | b')' | b'`' | b'>' | b'<'));
        let joined = byte == Some(b'\\') && matches!(bytes.get(at + 1..at + 3), Some([b'\n', _] | [b'\r', b'\n']));
        if (ends || joined)
            && let Some(begun) = word.take()
        {
            words.push(begun..at);
        }
        match byte {
            Some(b' ' | b'\t' | b'\r') => at += 1,
            Some(b'\\') if joined => at += if bytes.get(at + 1) == Some(&b'\n') { 2 } else { 3 },
            _ if ends => return Some(words),
            Some(b'\\' | b'(' | b'{' | b'}' | b'*') => {
                // A variable has braces too.
                if !(matches!(byte, Some(b'{' | b'}')) && word.is_some()) {
                    return None;
                }
                at += 1;
            }
            Some(quote @ (b'"' | b'\'')) => {
                word.get_or_insert(at);
                at = end_of_quotes(bytes, at, quote)? + 1;
            }
            Some(_) => {
                word.get_or_insert(at);
                at += 1;
            }
            None => return Some(words),
        }
    }
}

fn end_of_quotes(bytes: &[u8], start: usize, quote: u8) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            b'\n' | b'`' => return None,
            b'\\' if quote == b'"' => at += 1,
            byte if byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

/// The quotes that a word needs now that it has `?` and `&` in it; none where it has its own.
fn quotes(word: &str) -> Result<Option<char>, String> {
    match (word.contains(['"', '\'']), word.contains('$')) {
        (true, _) if word.starts_with(['"', '\'']) && word.chars().next() == word.chars().last() => Ok(None),
        (true, _) => Err("its quotes stand in the middle of a word".to_owned()),
        (false, true) => Ok(Some('"')),
        (false, false) => Ok(Some('\'')),
    }
}

fn is_header(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'']).to_ascii_lowercase();
    value.split_once(':').is_some_and(|(name, value)| name.trim() == "metadata" && value.trim() == "true")
}
