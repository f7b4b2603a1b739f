//! Which identity a request names. Every spelling of every source is known here, and nowhere else.
//!
//! Public sources: MicrosoftDocs/entra-docs `how-to-use-vm-token.md` (`client_id`, `object_id`, `msi_res_id`),
//! Azure/aad-pod-identity `pkg/nmi/server/server.go` (`mi_res_id`), azure-identity for Python aio
//! (`resource_id`), MicrosoftDocs/azure-docs `overview-managed-identity.md` (`principal_id`, `clientid`).

use std::borrow::Cow;

use crate::gate::Refusal;
use crate::query::Parameters;

/// What a selector names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SelectorKind {
    /// The application's id.
    ClientId,
    /// The service principal's object id.
    ObjectId,
    /// The resource id of a user-assigned identity.
    ResourceId,
}

/// A selector as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector<'q> {
    /// What it names.
    pub kind: SelectorKind,
    /// Its value, decoded and otherwise untouched.
    pub value: Cow<'q, str>,
}

/// Every spelling. A new one is one more line.
pub const SPELLINGS: [(&str, SelectorKind); 7] = [
    ("client_id", SelectorKind::ClientId),
    ("object_id", SelectorKind::ObjectId),
    ("msi_res_id", SelectorKind::ResourceId),
    ("mi_res_id", SelectorKind::ResourceId),
    ("resource_id", SelectorKind::ResourceId),
    ("principal_id", SelectorKind::ObjectId),
    ("clientid", SelectorKind::ClientId),
];

impl<'q> Selector<'q> {
    /// The selector among a request's parameters. An empty value counts as absent.
    ///
    /// # Errors
    /// When there is more than one.
    pub fn find(parameters: &Parameters<'q>) -> Result<Option<Self>, Refusal> {
        let mut found = None;
        for (name, kind) in SPELLINGS {
            let Some(value) = parameters.get(name).filter(|value| !value.is_empty()) else { continue };
            if found.is_some() {
                return Err(Refusal::SeveralSelectors);
            }
            found = Some(Self { kind, value: value.clone() });
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(query: &str) -> Result<Option<(SelectorKind, String)>, Refusal> {
        let selector = Selector::find(&Parameters::parse(query)?)?;
        Ok(selector.map(|selector| (selector.kind, selector.value.into_owned())))
    }

    #[test]
    fn every_spelling_is_a_selector() {
        for (name, kind) in SPELLINGS {
            assert_eq!(find(&format!("{name}=x")), Ok(Some((kind, "x".to_owned()))));
            assert_eq!(find(&format!("{}=x", name.to_uppercase())), Ok(Some((kind, "x".to_owned()))));
            assert_eq!(find(&format!("{name}=")), Ok(None));
        }
        assert_eq!(find("resource=r"), Ok(None));
    }

    #[test]
    fn two_of_any_kind_are_refused() {
        for (one, _) in SPELLINGS {
            for (other, _) in SPELLINGS {
                if one != other {
                    assert_eq!(find(&format!("{one}=x&{other}=x")), Err(Refusal::SeveralSelectors));
                    assert!(find(&format!("{one}=x&{other}=")).is_ok());
                }
            }
        }
    }
}
