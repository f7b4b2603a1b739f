//! The store and its two kinds of transaction.

use std::fmt::Debug;

use crate::{
    Act, ApplicationReader, ApplicationWriter, AuditReader, CallerReader, CallerWriter, CertificateCredentialReader,
    CertificateCredentialWriter, ChangeFeedReader, ChangeFeedWriter, ClientReader, Cursor, CutoverReader,
    CutoverWriter, DeploymentReader, DeploymentWriter, Error, ExternalIssuerReader, ExternalIssuerWriter,
    FederatedCredentialReader, FederatedCredentialWriter, GoalStateReader, GoalStateWriter, MetaReader, MetaWriter,
    OperationReader, OperationWriter, ResourceGroupReader, ResourceGroupWriter, ResourceReader, ResourceWriter,
    RoleAssignmentReader, RoleAssignmentWriter, ScaleSetReader, ScaleSetWriter, ScheduledEventReader,
    ScheduledEventWriter, ServicePrincipalReader, SigningKeyReader, SigningKeyWriter, SubscriptionReader,
    SubscriptionWriter, TenantReader, TenantWriter, UserAssignedIdentityReader, UserAssignedIdentityWriter,
    VirtualMachineReader, VirtualMachineWriter, VmExtensionReader, VmExtensionWriter,
};

/// Everything an installation keeps. Blocking; async code uses [`crate::Handle`].
pub trait Store: Send + Sync + Debug {
    /// Opens a snapshot: whatever is saved after this call is not seen through it.
    ///
    /// # Errors
    /// When the backend cannot be reached.
    fn read(&self) -> Result<Box<dyn ReadTx + '_>, Error>;

    /// Opens a transaction for one act. Waits for its turn when the backend writes one at a time, so a thread must not
    /// open a second while it holds one.
    ///
    /// # Errors
    /// When the backend cannot be reached, or stays busy beyond its patience.
    fn begin(&self, act: Act) -> Result<Box<dyn Tx + '_>, Error>;

    /// How many transactions of each kind make progress at once; more than that only wait.
    fn concurrency(&self) -> Concurrency;

    /// Reads everything and checks it against itself. Slow: for `doctor`, not for a start.
    ///
    /// # Errors
    /// When something is damaged, or cannot be read.
    fn check(&self) -> Result<(), Error>;
}

/// How many transactions make progress at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concurrency {
    /// Snapshots.
    pub readers: usize,
    /// Transactions that write.
    pub writers: usize,
}

/// A consistent view: every lookup of every noun.
pub trait ReadTx:
    ApplicationReader
    + AuditReader
    + CallerReader
    + CertificateCredentialReader
    + ChangeFeedReader
    + ClientReader
    + CutoverReader
    + DeploymentReader
    + ExternalIssuerReader
    + FederatedCredentialReader
    + GoalStateReader
    + MetaReader
    + OperationReader
    + ResourceGroupReader
    + ResourceReader
    + RoleAssignmentReader
    + ScaleSetReader
    + ScheduledEventReader
    + ServicePrincipalReader
    + SigningKeyReader
    + SubscriptionReader
    + TenantReader
    + UserAssignedIdentityReader
    + VirtualMachineReader
    + VmExtensionReader
{
}

/// An open transaction: every lookup (it sees its own changes) and every change. Dropped without
/// [`save`](Self::save), it never was.
///
/// A change that fails spoils the transaction, since it may have been half done: `save` then refuses.
pub trait Tx:
    ReadTx
    + ApplicationWriter
    + CallerWriter
    + CertificateCredentialWriter
    + ChangeFeedWriter
    + CutoverWriter
    + DeploymentWriter
    + ExternalIssuerWriter
    + FederatedCredentialWriter
    + GoalStateWriter
    + MetaWriter
    + OperationWriter
    + ResourceGroupWriter
    + ResourceWriter
    + RoleAssignmentWriter
    + ScaleSetWriter
    + ScheduledEventWriter
    + SigningKeyWriter
    + SubscriptionWriter
    + TenantWriter
    + UserAssignedIdentityWriter
    + VirtualMachineWriter
    + VmExtensionWriter
{
    /// Commits, durably, every change with its audit row and its change-feed rows. When nothing changed nothing is
    /// written. Gives the cursor behind these changes: a reader that has come so far has seen them.
    ///
    /// # Errors
    /// When an earlier change of this transaction failed, or the commit does; then nothing is kept.
    fn save(self: Box<Self>) -> Result<Cursor, Error>;

    /// Writes the act into the audit even if nothing changes: for an act that was refused.
    fn record(&mut self);
}

/// What a `put_…` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was not there.
    Created,
    /// It was there and differs now.
    Updated,
    /// It was there just so; nothing is recorded.
    Unchanged,
}
