//! The change feed: which noun changed, in an order that loses nothing.
//!
//! An entry names what changed and not how: the reader looks up the present state, so applying an entry twice, or late,
//! does no harm. Read a snapshot and [`ChangeFeedReader::cursor`] in one [`crate::ReadTx`], then go on from that cursor.

use std::fmt;
use std::str::FromStr;

use domain::{ResourceId, Timestamp};
use uuid::Uuid;

use crate::Error;

/// Where a reader of the feed stands. Opaque: only a store makes one, and its text means nothing to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) epoch: Uuid,
    pub(crate) position: u64,
}

impl Cursor {
    /// Whether a reader that has come to this has also come to `other`.
    #[must_use]
    pub fn has_come_to(&self, other: &Self) -> bool {
        self.epoch == other.epoch && self.position >= other.position
    }
}

/// The text is not that of a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of a change feed")]
pub struct InvalidCursor;

/// One noun that changed. Keys are what [`Noun`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What kind of thing.
    pub noun: Noun,
    /// Which one.
    pub key: String,
    /// Whether it is there.
    pub op: Op,
    /// When.
    pub at: Timestamp,
}

impl Change {
    /// The machine that it is about, if it is about one. What happens to an identity or a scale set is noted of its
    /// machines too.
    #[must_use]
    pub fn machine(&self) -> Option<ResourceId> {
        let id = || ResourceId::parse(&self.key).ok();
        match self.noun {
            Noun::VirtualMachine | Noun::GoalState | Noun::ScheduledEvent | Noun::Cutover => id(),
            Noun::VmExtension => id()?.parent(),
            Noun::Meta
            | Noun::Tenant
            | Noun::Subscription
            | Noun::ResourceGroup
            | Noun::UserAssignedIdentity
            | Noun::ServicePrincipal
            | Noun::Application
            | Noun::CertificateCredential
            | Noun::RoleAssignment
            | Noun::SigningKey
            | Noun::ExternalIssuer
            | Noun::Resource
            | Noun::ScaleSet
            | Noun::Operation
            | Noun::Deployment
            | Noun::Caller => None,
        }
    }
}

/// What happened to a noun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// It is there, new or changed.
    Put,
    /// It is gone. (A tombstoned service principal is gone.)
    Removed,
}

/// A piece of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// What changed, in order.
    pub changes: Vec<Change>,
    /// Where to go on.
    pub next: Cursor,
}

/// The kinds of things that are stored, with the key of each in the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Noun {
    /// A named value; its name.
    Meta,
    /// A tenant; its id.
    Tenant,
    /// A subscription; its id.
    Subscription,
    /// A resource group; its resource id in lower case.
    ResourceGroup,
    /// A user-assigned identity; its resource id in lower case.
    UserAssignedIdentity,
    /// A service principal; its principal id.
    ServicePrincipal,
    /// A virtual machine with its assigned identities; its resource id in lower case.
    VirtualMachine,
    /// A VM extension; its resource id in lower case.
    VmExtension,
    /// An application with secrets and federated credentials; its client id.
    Application,
    /// A certificate; its SHA-256 thumbprint in lower-case hexadecimal.
    CertificateCredential,
    /// A role assignment; its id.
    RoleAssignment,
    /// A signing key; its `kid`.
    SigningKey,
    /// An external issuer; its `iss`.
    ExternalIssuer,
    /// A resource of unknown type; its resource id in lower case.
    Resource,
    /// A scale set; its resource id in lower case.
    ScaleSet,
    /// A long-running operation; its id.
    Operation,
    /// A deployment; its resource id in lower case.
    Deployment,
    /// The goal state of a virtual machine; the machine's resource id in lower case.
    GoalState,
    /// The scheduled events of a virtual machine; the machine's resource id in lower case.
    ScheduledEvent,
    /// The calls at a virtual machine's endpoints; the machine's resource id in lower case.
    Caller,
    /// The cutover of a virtual machine; the machine's resource id in lower case.
    Cutover,
}

impl Noun {
    /// Every noun.
    pub const ALL: [Self; 21] = [
        Self::Meta,
        Self::Tenant,
        Self::Subscription,
        Self::ResourceGroup,
        Self::UserAssignedIdentity,
        Self::ServicePrincipal,
        Self::VirtualMachine,
        Self::VmExtension,
        Self::Application,
        Self::CertificateCredential,
        Self::RoleAssignment,
        Self::SigningKey,
        Self::ExternalIssuer,
        Self::Resource,
        Self::ScaleSet,
        Self::Operation,
        Self::Deployment,
        Self::GoalState,
        Self::ScheduledEvent,
        Self::Caller,
        Self::Cutover,
    ];

    /// Its stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Tenant => "tenant",
            Self::Subscription => "subscription",
            Self::ResourceGroup => "resource_group",
            Self::UserAssignedIdentity => "user_assigned_identity",
            Self::ServicePrincipal => "service_principal",
            Self::VirtualMachine => "virtual_machine",
            Self::VmExtension => "vm_extension",
            Self::Application => "application",
            Self::CertificateCredential => "certificate_credential",
            Self::RoleAssignment => "role_assignment",
            Self::SigningKey => "signing_key",
            Self::ExternalIssuer => "external_issuer",
            Self::Resource => "resource",
            Self::ScaleSet => "scale_set",
            Self::Operation => "operation",
            Self::Deployment => "deployment",
            Self::GoalState => "goal_state",
            Self::ScheduledEvent => "scheduled_event",
            Self::Caller => "caller",
            Self::Cutover => "cutover",
        }
    }

    pub(crate) fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|noun| noun.as_str() == text)
    }
}

/// Reads the feed.
pub trait ChangeFeedReader {
    /// The cursor behind everything this transaction sees.
    ///
    /// # Errors
    /// When the store fails.
    fn cursor(&self) -> Result<Cursor, Error>;

    /// What was saved after a cursor: at most about `limit` changes (at least one, when there is one), in order.
    ///
    /// # Errors
    /// [`Error::Cursor`] when the reader must start again from a snapshot.
    fn changes(&self, after: &Cursor, limit: usize) -> Result<Changes, Error>;
}

/// Keeps the feed short.
pub trait ChangeFeedWriter {
    /// Forgets the changes made before an instant, and of the others all but the last `most`; says how many. Readers
    /// that stand before them start again ([`crate::CursorExpired::TooOld`]). Leaves no trace in the feed itself.
    ///
    /// # Errors
    /// When the store fails.
    fn prune_changes(&mut self, before: Timestamp, most: u64) -> Result<u64, Error>;
}

impl fmt::Display for Noun {
    /// In words: `virtual machine`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VmExtension => f.write_str("VM extension"),
            Self::UserAssignedIdentity => f.write_str("user-assigned identity"),
            Self::Meta
            | Self::Tenant
            | Self::Subscription
            | Self::ResourceGroup
            | Self::ServicePrincipal
            | Self::VirtualMachine
            | Self::Application
            | Self::CertificateCredential
            | Self::RoleAssignment
            | Self::SigningKey
            | Self::ExternalIssuer
            | Self::Resource
            | Self::ScaleSet
            | Self::Operation
            | Self::Deployment
            | Self::GoalState
            | Self::ScheduledEvent
            | Self::Caller
            | Self::Cutover => f.write_str(&self.as_str().replace('_', " ")),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch.simple(), self.position)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (epoch, position) = text.split_once('.').ok_or(InvalidCursor)?;
        let cursor = Self {
            epoch: epoch.parse().map_err(|_| InvalidCursor)?,
            position: position.parse().map_err(|_| InvalidCursor)?,
        };
        if cursor.to_string() == text { Ok(cursor) } else { Err(InvalidCursor) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_and_has_one_spelling() {
        let cursor = Cursor { epoch: Uuid::from_u128(0xAB), position: 17 };
        let text = cursor.to_string();
        assert_eq!(text.parse(), Ok(cursor));
        for bad in [format!("{text} "), text.replace('.', ":"), text.replace(".17", ".+17"), text.to_uppercase()] {
            assert_eq!(bad.parse::<Cursor>(), Err(InvalidCursor), "{bad}");
        }
    }

    #[test]
    fn every_noun_reads_back() {
        for noun in Noun::ALL {
            assert_eq!(Noun::from_stored(noun.as_str()), Some(noun));
        }
        assert_eq!(Noun::VirtualMachine.to_string(), "virtual machine");
    }
}
