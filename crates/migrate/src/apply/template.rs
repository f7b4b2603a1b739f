//! ARM templates: the extension's resource goes, with what depends on it. Everything else keeps its bytes, comments too.

use std::borrow::Cow;
use std::ops::Range;

use jsonc_parser::ast::{Array, Object, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

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

/// A resource of the extension.
struct Resource {
    range: Range<usize>,
    /// Its name as it is written.
    name: String,
    /// What of its name others have to write: its last part, or the variable that holds it.
    word: String,
}

/// Finds the resources.
fn collect(value: &Value<'_>, key: &str, resources: &mut Vec<Resource>) {
    match value {
        Value::Object(object) => {
            for property in &object.properties {
                let name = property.name.as_str();
                // Resources with symbolic names.
                if let (true, Value::Object(inner)) = (is_list(key), &property.value)
                    && is_extension(inner)
                {
                    let range = range(property);
                    resources.push(Resource { range, name: name.to_owned(), word: name.to_owned() });
                    continue;
                }
                collect(&property.value, name, resources);
            }
        }
        Value::Array(array) => {
            for element in &array.elements {
                if let Value::Object(object) = element
                    && is_list(key)
                    && is_extension(object)
                {
                    let name = string(object, "name").unwrap_or_default();
                    resources.push(Resource { range: range(object), word: word(&name), name });
                } else {
                    collect(element, key, resources);
                }
            }
        }
        Value::StringLit(_) | Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {}
    }
}

fn is_list(key: &str) -> bool {
    key.eq_ignore_ascii_case("resources") || key.eq_ignore_ascii_case("extensions")
}

/// Whether an object is the extension by its publisher or its type.
fn is_extension(object: &Object<'_>) -> bool {
    let Some(Value::Object(properties)) = member(object, "properties") else { return false };
    let is = |name: &str, values: &[&str]| {
        string(properties, name).is_some_and(|value| values.iter().any(|known| value.eq_ignore_ascii_case(known)))
    };
    is("publisher", &["Microsoft.ManagedIdentity"])
        || is("type", &["ManagedIdentityExtensionForLinux", "ManagedIdentityExtensionForWindows"])
}

fn member<'a, 'b>(object: &'a Object<'b>, name: &str) -> Option<&'a Value<'b>> {
    let found = object.properties.iter().find(|property| property.name.as_str().eq_ignore_ascii_case(name))?;
    Some(&found.value)
}

fn string(object: &Object<'_>, name: &str) -> Option<String> {
    match member(object, name)? {
        Value::StringLit(literal) => Some(literal.value.to_string()),
        Value::Object(_) | Value::Array(_) | Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => None,
    }
}

/// The last part of a name, or the call that gives it.
fn word(name: &str) -> String {
    let Some(expression) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) else {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    };
    let Some((before, literal)) = expression.trim_end_matches([')', '\'', ' ']).rsplit_once('\'') else {
        return expression.to_owned();
    };
    for call in ["variables(", "parameters("] {
        if before.trim_end().ends_with(call) {
            return format!("{call}'{literal}')");
        }
    }
    literal.rsplit('/').next().unwrap_or_default().to_owned()
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
                    let why = "something else in the template refers to it besides `dependsOn`";
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
        let exact =
            |resource: &Resource| literal.value == resource.name.as_str() || literal.value == resource.word.as_str();
        self.resources.iter().any(exact) || self.refers(&literal.value)
    }

    /// Whether a text names an extension by one of the words.
    fn refers(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let extensions = text.contains("extensions");
        self.resources.iter().any(|resource| {
            let word = resource.word.to_ascii_lowercase();
            !word.is_empty() && extensions && text.contains(&word)
        })
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

fn range(value: &impl Ranged) -> Range<usize> {
    let range = value.range();
    range.start..range.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::source::edited;

    fn removed(text: &str) -> String {
        let removal = remove(text);
        assert_eq!(removal.why, None, "{text}");
        edited(text, removal.edits)
    }

    const MSI: &str = r#"{"name": "vm/msi", "properties": {"publisher": "Microsoft.ManagedIdentity"}}"#;

    #[test]
    fn a_resource_goes_with_one_comma_wherever_it_stands() {
        for (before, after) in [
            (format!(r#"{{"resources": [{MSI}, {{}}]}}"#), r#"{"resources": [{}]}"#),
            (format!(r#"{{"resources": [{{}}, {MSI}]}}"#), r#"{"resources": [{}]}"#),
            (format!(r#"{{"resources": [{{}}, {MSI}, {MSI}]}}"#), r#"{"resources": [{}]}"#),
            (format!(r#"{{"resources": [{MSI}]}}"#), r#"{"resources": []}"#),
            (format!("\u{feff}{{\"resources\": [{MSI}]}}"), "\u{feff}{\"resources\": []}"),
            (format!(r#"{{"resources": [{{}}, {MSI},]}}"#), r#"{"resources": [{},]}"#),
            (format!(r#"{{"resources": {{"msi": {MSI}, "a": {{}}}}}}"#), r#"{"resources": {"a": {}}}"#),
        ] {
            assert_eq!(removed(&before), after);
        }
    }

    #[test]
    fn what_depends_on_it_is_told_from_what_has_a_like_name() {
        let text = format!(
            r#"{{"resources": [{MSI}, {{"dependsOn": ["[resourceId('Microsoft.Compute/virtualMachines/extensions', 'vm', 'msi')]", "msi-identity"]}}]}}"#
        );
        assert_eq!(removed(&text), r#"{"resources": [{"dependsOn": ["msi-identity"]}]}"#);
        let only = format!(r#"{{"resources": [{MSI}, {{"a": 1, "dependsOn": ["vm/msi"]}}]}}"#);
        assert_eq!(removed(&only), r#"{"resources": [{"a": 1}]}"#);
    }

    #[test]
    fn a_template_that_refers_to_it_elsewhere_or_does_not_parse_is_left_alone() {
        let text = format!(
            r#"{{"resources": [{MSI}], "outputs": {{"a": "[reference(resourceId('Microsoft.Compute/virtualMachines/extensions', 'vm', 'msi'))]"}}}}"#
        );
        for text in [&text, "{", &format!(r#"{{"extension": {MSI}}}"#)] {
            let removal = remove(text);
            assert!(removal.why.is_some() && removal.edits.is_empty(), "{text}");
        }
    }

    #[test]
    fn the_word_of_a_name_is_its_last_part() {
        for (name, wanted) in [
            ("vm/msi", "msi"),
            ("[concat(variables('vmName'),'/ManagedIdentityExtensionForLinux')]", "ManagedIdentityExtensionForLinux"),
            ("[concat(variables('vmName'), '/', variables('msiName'))]", "variables('msiName')"),
            ("[concat(parameters('vm'), '/msi')]", "msi"),
        ] {
            assert_eq!(word(name), wanted);
        }
    }
}
