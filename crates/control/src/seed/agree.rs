//! Whether what is stored is what is described.

use std::fmt::{Debug, Display};

use super::SeedConflict;

/// One thing that is there already.
pub(super) struct Agree {
    noun: &'static str,
    name: String,
}

impl Agree {
    pub(super) fn on(noun: &'static str, name: &impl Display) -> Self {
        Self { noun, name: name.to_string() }
    }

    /// A field that must be the same, shown as it is.
    pub(super) fn field<T: Display + PartialEq>(
        self,
        field: &'static str,
        found: &T,
        wanted: &T,
    ) -> Result<Self, SeedConflict> {
        if found == wanted { Ok(self) } else { Err(self.differs(field, found.to_string(), wanted.to_string())) }
    }

    /// A field that must be the same and has no text of its own.
    pub(super) fn debug<T: Debug + PartialEq>(
        self,
        field: &'static str,
        found: &T,
        wanted: &T,
    ) -> Result<Self, SeedConflict> {
        if found == wanted { Ok(self) } else { Err(self.differs(field, format!("{found:?}"), format!("{wanted:?}"))) }
    }

    /// Everything else.
    pub(super) fn whole<T: Debug + PartialEq>(self, found: &T, wanted: &T) -> Result<(), SeedConflict> {
        self.debug("definition", found, wanted).map(drop)
    }

    fn differs(self, field: &'static str, found: String, wanted: String) -> SeedConflict {
        SeedConflict::Differs { noun: self.noun, name: self.name, field, found, wanted }
    }
}
