//! Settings and requests that hold secrets, sealed at rest and bound to what they belong to.

use std::borrow::Cow;

use authority::kek::{FileKek, Kek, KekError, KeyAad};
use domain::{ResourceId, Sealed};
use zeroize::Zeroizing;

use super::kind::Kind;

/// What is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Settings that only the guest may read.
    ProtectedSettings,
    /// The request of a deployment, with its secret parameters.
    Deployment,
}

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Self::ProtectedSettings => "protected-settings",
            Self::Deployment => "deployment-request",
        }
    }
}

/// Seals bytes of a resource.
pub(crate) fn seal(kek: &FileKek, purpose: Purpose, of: &ResourceId, bytes: &[u8]) -> Result<Sealed, KekError> {
    let bytes = kek.wrap(&aad(purpose, &owner(of)), bytes)?;
    Ok(Sealed { kek_id: kek.id().to_owned(), bytes })
}

/// Opens what was sealed.
pub(crate) fn open(
    kek: &FileKek,
    purpose: Purpose,
    of: &ResourceId,
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, KekError> {
    kek.unwrap(&sealed.kek_id, &aad(purpose, &owner(of)), &sealed.bytes)
}

/// What the secrets of a resource are bound to: itself, but the extension of a scale set's machine has a copy of what its
/// model has.
fn owner(id: &ResourceId) -> Cow<'_, ResourceId> {
    let of_machine = Kind::of(id) == Some(Kind::ScaleSetMachineExtension);
    let scale_set = of_machine.then(|| id.parent()?.parent()).flatten();
    let model = scale_set.and_then(|scale_set| scale_set.child("extensions", id.name()).ok());
    model.map_or(Cow::Borrowed(id), Cow::Owned)
}

fn aad<'a>(purpose: Purpose, of: &'a ResourceId) -> KeyAad<'a> {
    KeyAad { kid: of.key(), issuer: "", purpose: purpose.word(), version: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_where_it_belongs() {
        let kek = FileKek::generate().unwrap();
        let id = |name: &str| ResourceId::parse(&format!("/providers/A.B/c/{name}")).unwrap();
        let sealed = seal(&kek, Purpose::ProtectedSettings, &id("x"), b"secret").unwrap();
        assert!(!sealed.bytes.windows(6).any(|window| window == b"secret"));
        assert_eq!(&**open(&kek, Purpose::ProtectedSettings, &id("X"), &sealed).unwrap(), b"secret");
        assert!(open(&kek, Purpose::ProtectedSettings, &id("y"), &sealed).is_err());
        assert!(open(&kek, Purpose::Deployment, &id("x"), &sealed).is_err());
    }
}
