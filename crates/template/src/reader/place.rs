//! From offsets to lines and columns.

use std::borrow::Cow;

use crate::error::Place;

const MARK: char = '\u{feff}';

/// Walks forward through a text once, so that many places cost one pass.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    place: Place,
}

const START: Place = Place { line: 1, column: 1 };

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, place: START }
    }

    /// Counts lines from here on.
    pub(super) fn start_over(&mut self, at: usize) {
        *self = Self { at, ..Self::new(self.text) };
    }

    /// The place of an offset that isn't before the last one; of an earlier one, the last place.
    pub(super) fn place(&mut self, offset: usize) -> Place {
        let passed = self.text.get(self.at..offset).unwrap_or_default();
        let mut characters = passed.chars().peekable();
        while let Some(character) = characters.next() {
            // A carriage return counts unless the line feed after it does.
            if character == '\n' || (character == '\r' && characters.peek() != Some(&'\n')) {
                self.place = Place { line: self.place.line.saturating_add(1), column: 1 };
            } else {
                self.place.column = self.place.column.saturating_add(1);
            }
        }
        self.at = self.at.max(offset);
        self.place
    }
}

/// The place of a syntax error. The text has no values yet, so the start of the template is looked for.
pub(super) fn of_error(text: &str, offset: usize) -> Place {
    let mut cursor = Cursor::new(text);
    if let Some(start) = template_start(text).filter(|start| *start <= offset) {
        cursor.start_over(start);
    }
    cursor.place(offset)
}

/// Where the object behind the first key `template` begins.
fn template_start(text: &str) -> Option<usize> {
    const KEY: &str = "template";
    text.match_indices(KEY).find_map(|(at, _)| {
        let after = text.get(at + KEY.len()..)?;
        let after = after.strip_prefix('"').unwrap_or(after).trim_start().strip_prefix(':')?.trim_start();
        after.starts_with('{').then(|| text.len() - after.len())
    })
}

/// Blanks the byte order marks of the body and of a file that was spliced into it; offsets stay the same.
pub(super) fn without_marks(text: &str) -> Cow<'_, str> {
    if !text.contains(MARK) {
        return Cow::Borrowed(text);
    }
    // What comes before a spliced file is the client's own, without comments: quotes are those of strings.
    let (mut inside, mut escaped, mut marks) = (false, false, 0);
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        if character == MARK && !inside && marks < 2 {
            marks += 1;
            result.push_str("   ");
            continue;
        }
        match character {
            _ if escaped => escaped = false,
            '\\' if inside => escaped = true,
            '"' => inside = !inside,
            _ => {}
        }
        result.push(character);
    }
    Cow::Owned(result)
}
