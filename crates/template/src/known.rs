//! The resources of a template, found by every name that a template may call them.

use std::collections::HashMap;

use crate::resource_id::interleave;

/// A resource of the template.
#[derive(Debug)]
pub(crate) struct KnownResource {
    pub(crate) id: String,
    pub(crate) api_version: String,
    deployed: bool,
}

/// All of them, in the order of the template. Names are keys in lower case.
#[derive(Debug, Default)]
pub(crate) struct Known {
    resources: Vec<KnownResource>,
    ids: HashMap<String, [usize; 1]>,
    /// `ns/type/name/type/name` and `ns/type/type/name/name`.
    typed: HashMap<String, [usize; 1]>,
    names: HashMap<String, Vec<usize>>,
    /// Symbolic names and names of copies, which may stand for many.
    symbols: HashMap<String, Vec<usize>>,
}

/// How a resource is called.
pub(crate) struct Names<'a> {
    pub(crate) id: &'a str,
    pub(crate) resource_type: &'a str,
    pub(crate) name: &'a str,
    pub(crate) api_version: &'a str,
    /// Symbolic names and the name of its copy.
    pub(crate) symbols: &'a [String],
    /// Whether it is deployed.
    pub(crate) deployed: bool,
}

impl Known {
    /// Adds the next resource; false when its id is there already. The same resource may stand more than once, under
    /// conditions that exclude each other: its names are those of the one that is deployed.
    pub(crate) fn add(&mut self, names: &Names<'_>) -> bool {
        let at = self.resources.len();
        self.resources.push(KnownResource {
            id: names.id.to_owned(),
            api_version: names.api_version.to_owned(),
            deployed: names.deployed,
        });
        for symbol in names.symbols {
            self.symbols.entry(symbol.to_ascii_lowercase()).or_default().push(at);
        }
        let id = names.id.to_ascii_lowercase();
        let earlier = self.ids.get(&id).copied();
        if earlier.is_some() && !names.deployed {
            return false;
        }
        self.ids.insert(id, [at]);
        let together = format!("{}/{}", names.resource_type, names.name);
        for path in interleave(names.resource_type, names.name).into_iter().chain([together]) {
            let found = self.typed.entry(path.to_ascii_lowercase()).or_insert([at]);
            if earlier == Some(*found) {
                *found = [at];
            }
        }
        let alone = self.names.entry(names.name.to_ascii_lowercase()).or_default();
        alone.retain(|known| earlier != Some([*known]));
        alone.push(at);
        earlier.is_none()
    }

    /// Whether the resources of the template aren't expanded yet, or are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// Defines a name of a copy, so that it is known even when it has no turn.
    pub(crate) fn define(&mut self, symbol: &str) {
        self.symbols.entry(symbol.to_ascii_lowercase()).or_default();
    }

    /// All resources that a name stands for: a symbolic name, an id, a type with names, a copy, a name alone. Nothing
    /// when it stands for none, or as a name alone for more than one.
    pub(crate) fn all(&self, named: &str) -> Option<&[usize]> {
        let key = named.to_ascii_lowercase();
        let alone = || self.names.get(&key).filter(|found| found.len() == 1).map(Vec::as_slice);
        let typed = || self.ids.get(&key).or_else(|| self.typed.get(key.trim_start_matches('/')));
        self.symbols.get(&key).map(Vec::as_slice).or_else(|| typed().map(|found| &found[..])).or_else(alone)
    }

    /// The resource of an id in lower case.
    pub(crate) fn by_id(&self, id: &str) -> Option<usize> {
        self.ids.get(id).map(|[at]| *at)
    }

    /// The one resource that a name stands for.
    pub(crate) fn resolve(&self, named: &str) -> Option<&KnownResource> {
        match self.all(named)? {
            [at] => self.resources.get(*at),
            _ => None,
        }
    }

    /// The resources of a copy that are deployed, by its symbolic name or its own.
    pub(crate) fn collection(&self, named: &str) -> Option<impl Iterator<Item = &KnownResource>> {
        let found = self.symbols.get(&named.to_ascii_lowercase())?.iter();
        Some(found.filter_map(|at| self.resources.get(*at)).filter(|resource| resource.deployed))
    }
}
