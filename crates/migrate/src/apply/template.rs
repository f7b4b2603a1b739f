//! ARM templates: the extension's resource goes, with what depends on it. Everything else keeps its bytes, comments too.

mod resource;

use std::borrow::Cow;
use std::ops::Range;

use jsonc_parser::ast::{Array, Object, Value};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use self::resource::{Resource, collect, is_list, range};
use super::source::Edit;

/// What templates may be written in, as Azure's tools take them: JSON with comments and a comma after the last element.
pub(super) const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: false,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// What is taken out of a template.
#[derive(Default)]
pub(super) struct Removal {
    pub(super) edits: Vec<Edit>,
    /// What goes, without commas and blanks.
    pub(super) ranges: Vec<Range<usize>>,
    /// Those of them that a scale set's model loses, and its machines with it.
    pub(super) profile: Vec<Range<usize>>,
    /// Why nothing is taken out, where there is something to say.
    pub(super) why: Option<String>,
}

impl Removal {
    fn none(why: impl Into<String>) -> Self {
        Self { why: Some(why.into()), ..Self::default() }
    }
}

/// Takes the extension out of a template.
pub(super) fn remove(text: &str) -> Removal {
    let unmarked = unmarked(text);
    let parsed = match parse_to_ast(&unmarked, &CollectOptions::default(), &OPTIONS) {
        Ok(parsed) => parsed,
        Err(error) => return Removal::none(format!("the file doesn't parse: {error}")),
    };
    let Some(root) = parsed.value else { return Removal::none("the file is empty") };
    let mut resources = Vec::new();
    collect(&root, "", &mut resources);
    if resources.is_empty() {
        return Removal::none("it isn't an element of `resources` or of an extension profile");
    }
    let mut search = Search { text, resources: &resources, removal: Removal::default() };
    search.value(&root, "", false);
    if search.removal.why.is_some() {
        search.removal.edits.clear();
        search.removal.ranges.clear();
        search.removal.profile.clear();
    }
    search.removal
}

/// The text with blanks for a byte order mark, so that every place stays.
pub(super) fn unmarked(text: &str) -> Cow<'_, str> {
    match text.strip_prefix('\u{feff}') {
        Some(rest) => Cow::Owned(format!("   {rest}")),
        None => Cow::Borrowed(text),
    }
}

/// Goes through a template once more: takes the resources out, and what names them.
struct Search<'a> {
    text: &'a str,
    resources: &'a [Resource],
    removal: Removal,
}

impl Search<'_> {
    fn value(&mut self, value: &Value<'_>, key: &str, defined: bool) {
        match value {
            Value::Object(object) => self.object(object, key, defined),
            Value::Array(array) => self.array(array, key, defined),
            Value::StringLit(literal) => {
                if !defined && self.refers(&literal.value) {
                    let why = "something in the template besides a plain `dependsOn` may refer to it";
                    self.removal.why = Some(why.to_owned());
                }
            }
            Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {}
        }
    }

    fn object(&mut self, object: &Object<'_>, key: &str, defined: bool) {
        let mut gone = Vec::new();
        for (index, property) in object.properties.iter().enumerate() {
            let name = property.name.as_str();
            let range = range(property);
            if is_list(key) && self.is_resource(&range) {
                gone.push(index);
                continue;
            }
            // A list that would be empty goes with its name.
            if let (true, Value::Array(array)) = (is_order(name), &property.value)
                && !array.elements.is_empty()
                && array.elements.iter().all(|element| self.names(element))
            {
                gone.push(index);
                continue;
            }
            let defines = name.eq_ignore_ascii_case("variables") || name.eq_ignore_ascii_case("parameters");
            self.value(&property.value, name, defined || defines);
        }
        let pieces: Vec<_> = object.properties.iter().map(range).collect();
        self.take(&pieces, &gone);
    }

    fn array(&mut self, array: &Array<'_>, key: &str, defined: bool) {
        let mut gone = Vec::new();
        for (index, element) in array.elements.iter().enumerate() {
            let resource = is_list(key) && self.is_resource(&range(element));
            if resource || (is_order(key) && self.names(element)) {
                // Only an extension profile has them in a list of that name.
                if resource && key.eq_ignore_ascii_case("extensions") {
                    self.removal.profile.push(range(element));
                }
                gone.push(index);
            } else {
                self.value(element, key, defined);
            }
        }
        let pieces: Vec<_> = array.elements.iter().map(range).collect();
        self.take(&pieces, &gone);
    }

    fn is_resource(&self, range: &Range<usize>) -> bool {
        self.resources.iter().any(|resource| resource.range == *range)
    }

    /// Whether an element of an order names a resource that goes.
    fn names(&self, element: &Value<'_>) -> bool {
        let Value::StringLit(literal) = element else { return false };
        self.resources.iter().any(|resource| resource.is_named(&literal.value))
    }

    /// Whether a text may be about a resource that goes.
    fn refers(&self, text: &str) -> bool {
        self.resources.iter().any(|resource| resource.is_meant(text))
    }

    /// Takes pieces out of a list, each with the comma behind it; the last one with the comma before it.
    fn take(&mut self, pieces: &[Range<usize>], gone: &[usize]) {
        for &index in gone {
            let Some(piece) = pieces.get(index) else { continue };
            self.removal.ranges.push(piece.clone());
            let comma = comma(self.text, piece.end);
            self.removal.edits.push(Edit::remove(self.lines(piece.start..comma.map_or(piece.end, |comma| comma + 1))));
            if comma.is_none()
                && let Some(kept) =
                    (0..index).rev().find(|index| !gone.contains(index)).and_then(|index| pieces.get(index))
                && let Some(comma) = self::comma(self.text, kept.end)
            {
                self.removal.edits.push(Edit::remove(comma..comma + 1));
            }
        }
    }

    /// A range with the blanks before it and its line's end, where it has its lines to itself.
    fn lines(&self, range: Range<usize>) -> Range<usize> {
        let part = |range: Range<usize>| self.text.get(range).unwrap_or_default();
        let before = part(0..range.start);
        let indent = before.len() - before.trim_end_matches([' ', '\t']).len();
        let start = range.start - indent;
        let after = part(range.end..self.text.len());
        let blank = after.len() - after.trim_start_matches([' ', '\t']).len();
        let rest = after.get(blank..).unwrap_or_default();
        let newline = if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
        let own = start == 0 || part(0..start).ends_with('\n');
        match (own, newline) {
            (true, 1..) => start..range.end + blank + newline,
            _ if part(0..range.start).trim_end().ends_with(['[', '{']) => range.start..range.end + blank,
            _ => start..range.end,
        }
    }
}

/// Lists that say what comes before something.
fn is_order(key: &str) -> bool {
    key.eq_ignore_ascii_case("dependsOn") || key.eq_ignore_ascii_case("provisionAfterExtensions")
}

/// Where the comma behind a place is, past blanks and comments.
fn comma(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = text.get(at..)?;
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        let comment = match trimmed {
            _ if trimmed.starts_with("//") => trimmed.find('\n')?,
            _ if trimmed.starts_with("/*") => trimmed.find("*/")? + 2,
            _ => return trimmed.starts_with(',').then_some(at),
        };
        at += comment;
    }
}

#[cfg(test)]
mod tests;
