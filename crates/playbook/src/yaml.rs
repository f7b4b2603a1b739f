//! What is wrong with a YAML file written by hand, and where.

use std::fmt;
use std::path::Path;

use serde_saphyr::Location;

/// A mistake in a YAML file: line and column, where they are known, and what is wrong there, for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    place: Option<(u64, u64)>,
    message: String,
}

impl Mistake {
    /// One at a place.
    #[must_use]
    pub fn at(at: Location, message: impl Into<String>) -> Self {
        Self { place: Some((at.line(), at.column())), message: message.into() }
    }

    /// One of the file as a whole.
    #[must_use]
    pub fn whole(message: impl Into<String>) -> Self {
        Self { place: None, message: message.into() }
    }

    /// What the parser says.
    #[must_use]
    pub fn syntax(why: &serde_saphyr::Error) -> Self {
        let place = why.location().map(|at| (at.line(), at.column()));
        let text = why.without_snippet().to_string();
        // The parser ends its text with the place, which stands in front here.
        let message = match text.find(" at line ") {
            Some(end) if place.is_some() => text.get(..end).unwrap_or(&text).to_owned(),
            Some(_) | None => text,
        };
        Self { place, message }
    }
}

impl Mistake {
    /// The same with the file's name: `file:line:column: message`.
    #[must_use]
    pub fn in_file(&self, file: &Path) -> String {
        match self.place {
            Some(_) => format!("{}:{self}", file.display()),
            None => format!("{}: {self}", file.display()),
        }
    }
}

impl fmt::Display for Mistake {
    /// `line:column: message`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}: ")?;
        }
        write!(f, "{}", self.message)
    }
}

impl std::error::Error for Mistake {}
