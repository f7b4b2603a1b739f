//! Identities, virtual machines, selection, limits, ids and time: the rules, with no I/O.
//!
//! Everything here is plain data and pure functions. Nothing opens a file or a socket, nothing is async, and no
//! state type is serialisable: each surface converts at its own edge. Time comes in through [`Clock`]; randomness
//! is a parameter of whoever needs it.
//!
//! One noun has one file, and the same file name in every layer above (`store/src/managed_identity.rs`, …).

pub mod application;
pub mod assigned;
pub mod attachment;
pub mod caller;
pub mod certificate_credential;
pub mod clock;
pub mod cutover;
pub mod deployment;
pub mod derived_ids;
pub mod error;
pub mod external_issuer;
pub mod goal_state;
pub mod ids;
pub mod limits;
pub mod managed_identity;
pub mod names;
pub mod operation;
pub mod provisioning_state;
pub mod resource;
pub mod resource_group;
pub mod resource_id;
pub mod role_assignment;
pub mod role_definition;
pub mod scale_set;
pub mod scheduled_event;
pub mod sealed;
pub mod selection;
pub mod service_principal;
pub mod signing_key;
pub mod subscription;
pub mod tenant;
pub mod virtual_machine;
pub mod vm_extension;

pub use application::{Application, FederatedCredential, SecretVerifier};
pub use assigned::AssignedIdentities;
pub use attachment::{Attachment, AttachmentError, Reachable, Sharing};
pub use caller::{CalledEndpoint, Caller, Calls, Day};
pub use certificate_credential::CertificateCredential;
pub use clock::{Clock, ManualClock, Monotonic, SharedClock, SystemClock, Timestamp};
pub use cutover::{Cutover, CutoverRefusal, Step};
pub use deployment::{Deployment, DeploymentOperation, DeploymentState};
pub use error::Error;
pub use external_issuer::{ExternalIssuer, JwksSource};
pub use goal_state::{GoalState, Protection};
pub use ids::{
    ClientId, EventId, InvalidGuid, OperationId, PrincipalId, RoleAssignmentId, RoleDefinitionId, ScaleSetId, SecretId,
    SubscriptionId, TenantId, VmId,
};
pub use managed_identity::{IdentityKind, ManagedIdentity, UserAssignedIdentity};
pub use operation::{Operation, OperationError, OperationState, Wait};
pub use provisioning_state::ProvisioningState;
pub use resource::{Resource, ResourceSummary};
pub use resource_group::ResourceGroup;
pub use resource_id::{InvalidResourceId, ResourceId};
pub use role_assignment::{RoleAssignment, Scope};
pub use role_definition::RoleDefinition;
pub use scale_set::{ScaleSet, ScaleSetExtension, Sku, UpgradeMode};
pub use scheduled_event::{EventKind, ScheduledEvent};
pub use sealed::Sealed;
pub use selection::{SelectionError, Selector, select};
pub use service_principal::{PrincipalKind, ServicePrincipal};
pub use signing_key::{KeyState, RotationPolicy, RotationStep, SigningKeyRecord};
pub use subscription::Subscription;
pub use tenant::Tenant;
pub use virtual_machine::{Instance, PowerState, VirtualMachine, VmSnapshot};
pub use vm_extension::{ExtensionSpec, HandlerOutcome, HandlerStatus, VmExtension};
