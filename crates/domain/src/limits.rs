//! How many user-assigned identities a machine may have.
//!
//! Public source: MicrosoftDocs/entra-docs `howto-migrate-vm-extension.md` (32 with the extension, 1,000 through the
//! metadata service). What is checked is the *change* that would break a limit, whether identities or the extension come
//! last.

/// Most user-assigned identities of a machine without a managed-identity extension.
pub const USER_ASSIGNED: usize = 1_000;
/// Most user-assigned identities of a machine with a managed-identity extension.
pub const USER_ASSIGNED_WITH_EXTENSION: usize = 32;

/// A change would leave a machine with more user-assigned identities than it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitExceeded {
    /// More than [`USER_ASSIGNED`].
    #[error("a virtual machine has at most {USER_ASSIGNED} user-assigned identities; this would make {wanted}")]
    Identities {
        /// How many there would be.
        wanted: usize,
    },
    /// More than [`USER_ASSIGNED_WITH_EXTENSION`] while the extension is there.
    #[error(
        "a virtual machine with a managed-identity extension has at most {USER_ASSIGNED_WITH_EXTENSION} user-assigned \
         identities; this would make {wanted}"
    )]
    IdentitiesWithExtension {
        /// How many there would be.
        wanted: usize,
    },
}

/// Checks a change of the assigned identities or of the extension: `wanted` is how many user-assigned identities there
/// would be after it.
///
/// # Errors
/// When that is more than the machine may have.
pub fn check_assign(wanted: usize, has_managed_identity_extension: bool) -> Result<(), LimitExceeded> {
    if has_managed_identity_extension && wanted > USER_ASSIGNED_WITH_EXTENSION {
        Err(LimitExceeded::IdentitiesWithExtension { wanted })
    } else if wanted > USER_ASSIGNED {
        Err(LimitExceeded::Identities { wanted })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn edges() {
        assert!(check_assign(32, true).is_ok() && check_assign(33, true).is_err());
        assert!(check_assign(1_000, false).is_ok() && check_assign(1_001, false).is_err());
    }

    #[derive(Clone, Copy, Debug)]
    enum Change {
        Assign(usize),
        AddExtension,
        RemoveExtension,
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            (0..60_usize).prop_map(Change::Assign),
            (990..1_010_usize).prop_map(Change::Assign),
            Just(Change::AddExtension),
            Just(Change::RemoveExtension),
        ]
    }

    proptest! {
        #[test]
        fn no_order_of_allowed_changes_breaks_a_limit(changes in proptest::collection::vec(change(), 0..40)) {
            let (mut count, mut extension) = (0, false);
            for change in changes {
                match change {
                    Change::Assign(wanted) if check_assign(wanted, extension).is_ok() => count = wanted,
                    Change::AddExtension if check_assign(count, true).is_ok() => extension = true,
                    Change::RemoveExtension => extension = false,
                    Change::Assign(_) | Change::AddExtension => {}
                }
                prop_assert!(count <= 1_000 && (!extension || count <= 32), "{count} {extension}");
            }
        }
    }
}
