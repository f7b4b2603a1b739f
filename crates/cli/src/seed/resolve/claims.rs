//! Ids and addresses that only one thing may have.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Display;

use serde_saphyr::Location;

use super::super::error::SeedError;
use super::super::schema::Word;
use super::Resolver;

/// What is taken, and by what.
pub(super) type Claims = HashMap<(&'static str, String), String>;

impl Resolver<'_> {
    /// Takes an id for its owner; one that is taken is refused at its place, or at the owner's where it was derived.
    pub(super) fn claim(
        &mut self,
        kind: &'static str,
        id: &impl Display,
        (word, owner): (Option<&Word>, &Word),
        noun: &str,
    ) -> Result<(), SeedError> {
        let at = word.map_or(owner.referenced, |word| word.referenced);
        self.claim_at(kind, id, at, format!("{noun} '{}'", owner.value))
    }

    /// The same at a place.
    pub(super) fn claim_at(
        &mut self,
        kind: &'static str,
        id: &impl Display,
        at: Location,
        owner: String,
    ) -> Result<(), SeedError> {
        match self.claims.entry((kind, id.to_string().to_ascii_lowercase())) {
            Entry::Vacant(free) => {
                free.insert(owner);
                Ok(())
            }
            Entry::Occupied(taken) => {
                let text = format!("{kind} {id} of {owner} is that of {} already", taken.get());
                Err(self.error(at, text))
            }
        }
    }
}
