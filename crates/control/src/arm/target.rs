//! What a path names, whatever its spelling: fixed words in any case, doubled and last slashes.

use domain::{InvalidResourceId, ResourceId};
use percent_encoding::percent_decode_str;

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Something with a resource id: a subscription, a resource group, a resource.
    Item(ResourceId),
    /// A word under an item, or under nothing: what an item can do, or the children it has of a type.
    Under(Option<ResourceId>, String),
    /// The resources of a type in a scope; none is the installation.
    OfType {
        /// The scope.
        scope: Option<ResourceId>,
        /// The provider, e.g. `Microsoft.Compute`.
        namespace: String,
        /// The type without the provider.
        segment: String,
    },
    /// A provider in a scope.
    Provider {
        /// The scope.
        scope: Option<ResourceId>,
        /// The provider, e.g. `Microsoft.Compute`.
        namespace: String,
    },
}

/// The path names nothing that could be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidPath {
    /// A segment isn't text.
    #[error("the path is not valid UTF-8")]
    NotText,
    /// A segment has a slash in it.
    #[error("a name has a '/' in it")]
    Slash,
    /// No resource id.
    #[error(transparent)]
    Id(#[from] InvalidResourceId),
}

/// Reads a path.
pub(crate) fn parse(path: &str) -> Result<Target, InvalidPath> {
    let mut segments = Vec::new();
    for raw in path.split('/').filter(|segment| !segment.is_empty()) {
        let segment = percent_decode_str(raw).decode_utf8().map_err(|_| InvalidPath::NotText)?.into_owned();
        if segment.contains('/') {
            return Err(InvalidPath::Slash);
        }
        segments.push(segment);
    }
    let is_providers = |segment: Option<&String>| segment.is_some_and(|word| word.eq_ignore_ascii_case("providers"));
    let id = |segments: &[String]| match segments {
        [] => Ok(None),
        some => ResourceId::parse(&format!("/{}", some.join("/"))).map(Some),
    };
    match segments.as_slice() {
        [scope @ .., providers, namespace] if is_providers(Some(providers)) && scope.len() % 2 == 0 => {
            Ok(Target::Provider { scope: id(scope)?, namespace: namespace.clone() })
        }
        [scope @ .., providers, namespace, segment] if is_providers(Some(providers)) && scope.len() % 2 == 0 => {
            Ok(Target::OfType { scope: id(scope)?, namespace: namespace.clone(), segment: segment.clone() })
        }
        whole if whole.len() % 2 == 0 => match id(whole)? {
            Some(item) => Ok(Target::Item(item)),
            None => Ok(Target::Under(None, String::new())),
        },
        [item @ .., word] => Ok(Target::Under(id(item)?, word.clone())),
        [] => Ok(Target::Under(None, String::new())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUB: &str = "/subscriptions/00000000-0000-4000-8000-000000000001";

    #[test]
    fn untidy_paths_are_read() {
        let vm = |text: &str| match parse(text) {
            Ok(Target::Item(id)) => id,
            other => panic!("{text}: {other:?}"),
        };
        let tidy = vm(&format!("{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm2"));
        assert_eq!(vm(&format!("{SUB}/RESOURCEGROUPS/rg/providers/Microsoft.Compute//virtualMachines/vm2/")), tidy);
        assert_eq!(vm(&format!("{SUB}/resourceGroups/r%67/providers/Microsoft.Compute/virtualMachines/vm2")), tidy);
    }

    #[test]
    fn collections_words_and_providers() {
        assert_eq!(parse("/subscriptions").unwrap(), Target::Under(None, "subscriptions".to_owned()));
        let sub = ResourceId::parse(SUB).unwrap();
        let of_type = parse(&format!("{SUB}/providers/Microsoft.Compute/virtualMachines")).unwrap();
        let (namespace, segment) = ("Microsoft.Compute".to_owned(), "virtualMachines".to_owned());
        assert_eq!(of_type, Target::OfType { scope: Some(sub.clone()), namespace: namespace.clone(), segment });
        assert_eq!(
            parse(&format!("{SUB}/providers/Microsoft.Compute")).unwrap(),
            Target::Provider { scope: Some(sub.clone()), namespace }
        );
        assert_eq!(parse(&format!("{SUB}/providers")).unwrap(), Target::Under(Some(sub), "providers".to_owned()));
        let restart = parse(&format!("{SUB}/resourceGroups/rg/providers/A.B/c/d/restart")).unwrap();
        assert!(matches!(restart, Target::Under(Some(id), word) if id.name() == "d" && word == "restart"));
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for bad in ["/subscriptions/x", "/subscriptions/%ff", "/a%2fb/c", "/a/b/../d"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
