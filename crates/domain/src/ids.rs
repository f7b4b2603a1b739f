//! GUIDs, each with the noun it names, so that a principal id cannot be passed where a client id is meant.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The text is not a GUID in the hyphenated 36-character form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a GUID of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")]
pub struct InvalidGuid;

macro_rules! guid {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a GUID.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The GUID itself.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidGuid;

            /// Reads the hyphenated form in either case; braces, URNs and the form without hyphens are refused.
            fn from_str(text: &str) -> Result<Self, InvalidGuid> {
                parse_hyphenated(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            /// Lower case, hyphenated.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.hyphenated())
            }
        }
    };
}

guid! {
    /// Names a tenant.
    TenantId
}
guid! {
    /// Names a subscription.
    SubscriptionId
}
guid! {
    /// Names a service principal in its tenant (the *object id*, `oid` in a token).
    PrincipalId
}
guid! {
    /// Names the application side of a service principal (the *app id*, `appid` in a token).
    ClientId
}
guid! {
    /// The `vmId` of a virtual machine: unique for its life, never that of another machine.
    VmId
}
guid! {
    /// The `uniqueId` of a scale set.
    ScaleSetId
}
guid! {
    /// Names a long-running operation.
    OperationId
}
guid! {
    /// Names a scheduled event.
    EventId
}
guid! {
    /// Names a role definition.
    RoleDefinitionId
}
guid! {
    /// Names a role assignment.
    RoleAssignmentId
}
guid! {
    /// The key id of a client secret (not the secret).
    SecretId
}

fn parse_hyphenated(text: &str) -> Result<Uuid, InvalidGuid> {
    if text.len() != 36 {
        return Err(InvalidGuid);
    }
    Uuid::try_parse(text).map_err(|_| InvalidGuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a1b2c3d4-0000-4000-8000-0123456789ab";

    #[test]
    fn reads_either_case_and_writes_lower() {
        let upper: ClientId = TEXT.to_ascii_uppercase().parse().unwrap();
        assert_eq!(upper.to_string(), TEXT);
        assert_eq!(upper, TEXT.parse().unwrap());
        assert_eq!(format!("{upper:?}"), format!("ClientId({TEXT})"));
    }

    #[test]
    fn refuses_every_other_form() {
        let braces = format!("{{{TEXT}}}");
        let urn = format!("urn:uuid:{TEXT}");
        let plain = TEXT.replace('-', "");
        let padded = format!("{TEXT} ");
        let moved = "a1b2c3d40-000-4000-8000-0123456789ab";
        for bad in ["", "dev", &braces, &urn, &plain, &padded, moved, "g1b2c3d4-0000-4000-8000-0123456789ab"] {
            assert_eq!(bad.parse::<PrincipalId>(), Err(InvalidGuid), "{bad}");
        }
    }
}
