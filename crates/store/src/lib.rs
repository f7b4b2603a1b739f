//! What is kept: the [`Store`] and [`Tx`] traits, the SQLite backend, migrations, audit and change feed.
//!
//! # How it is used
//! [`Store::read`] opens a snapshot, [`Store::begin`] a transaction. Lookups give `Result<Option<T>>`; a change is a
//! `put_…`, `add_…` or `remove_…`; [`Tx::save`] commits all of it with one audit row and one change-feed row for every
//! noun that changed, and a `Tx` that is dropped leaves no trace. Async code goes through [`Handle`].
//!
//! ```
//! use domain::{Tenant, Timestamp};
//! use store::{Act, Store};
//!
//! # fn main() -> Result<(), store::Error> {
//! # let founding = store::Founding { installation: uuid::Uuid::from_u128(1), epoch: uuid::Uuid::from_u128(2) };
//! let store = store::sqlite::ephemeral(&founding)?;
//! let act = Act::new("operator", "tenant.create", "dev", Timestamp::from_unix(1_700_000_000));
//! let mut tx = store.begin(act)?;
//! let tenant = Tenant { id: domain::derived_ids::tenant_id("dev"), name: "dev".to_owned(), created_at: None };
//! tx.put_tenant(&tenant)?;
//! tx.save()?;
//! assert_eq!(store.read()?.tenant(tenant.id)?.map(|found| found.name), Some(tenant.name));
//! # Ok(())
//! # }
//! ```
//!
//! # How it is extended
//! *A noun*: its two traits in `src/<noun>.rs`, their names among the supertraits of [`ReadTx`] and [`Tx`], a variant of
//! [`Noun`], the implementation in `src/sqlite/<noun>.rs`, a new numbered file in `migrations/sqlite/`, and its cases in
//! `tests/it/suite/<noun>.rs`. *A backend*: a folder beside `sqlite/` that implements the traits, and one more factory
//! in `tests/it/main.rs`. Nothing above `sqlite/` may know which backend it talks to.

mod application;
mod audit;
mod caller;
mod certificate_credential;
mod change_feed;
mod client;
mod cutover;
mod deployment;
mod error;
mod external_issuer;
mod federated_credential;
mod goal_state;
mod handle;
mod meta;
mod operation;
mod page;
mod resource;
mod resource_group;
mod role_assignment;
mod scale_set;
mod scheduled_event;
mod service_principal;
mod signing_key;
pub mod sqlite;
mod subscription;
mod tenant;
mod transaction;
mod user_assigned_identity;
mod virtual_machine;
mod vm_extension;

pub use application::{ApplicationReader, ApplicationWriter};
pub use audit::{Act, AuditEntry, AuditReader};
pub use caller::{CallerReader, CallerWriter, Tally};
pub use certificate_credential::{CertificateCredentialReader, CertificateCredentialWriter, Thumbprint};
pub use change_feed::{Change, ChangeFeedReader, ChangeFeedWriter, Changes, Cursor, InvalidCursor, Noun, Op};
pub use client::{ClientReader, ClientRecord, Holder};
pub use cutover::{CutoverReader, CutoverWriter};
pub use deployment::{DeploymentReader, DeploymentWriter};
pub use error::{CursorExpired, Error, FileRefusal, Unique};
pub use external_issuer::{ExternalIssuerReader, ExternalIssuerWriter};
pub use federated_credential::{FederatedCredentialReader, FederatedCredentialWriter};
pub use goal_state::{GoalStateReader, GoalStateWriter};
pub use handle::Handle;
pub use meta::{Founding, MetaReader, MetaWriter};
pub use operation::{OperationReader, OperationWriter};
pub use page::Page;
pub use resource::{ResourceReader, ResourceWriter};
pub use resource_group::{ResourceGroupReader, ResourceGroupWriter};
pub use role_assignment::{RoleAssignmentReader, RoleAssignmentWriter};
pub use scale_set::{ScaleSetReader, ScaleSetWriter};
pub use scheduled_event::{ScheduledEventReader, ScheduledEventWriter};
pub use service_principal::ServicePrincipalReader;
pub use signing_key::{SigningKeyReader, SigningKeyWriter};
pub use subscription::{SubscriptionReader, SubscriptionWriter};
pub use tenant::{TenantReader, TenantWriter};
pub use transaction::{Concurrency, Put, ReadTx, Store, Tx};
pub use user_assigned_identity::{UserAssignedIdentityReader, UserAssignedIdentityWriter};
pub use virtual_machine::{VirtualMachineReader, VirtualMachineWriter};
pub use vm_extension::{VmExtensionReader, VmExtensionWriter};
