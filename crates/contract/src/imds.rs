//! The paths of the metadata service: what is asked, and the bytes of the answers.

mod attested;
mod dates;
mod instance;
mod load_balancer;
mod node;
mod scheduled_events;
mod token_body;
mod token_request;
pub(crate) mod versions;

use std::net::Ipv4Addr;

pub use attested::{AttestedDocument, AttestedRequest, Nonce};
pub use instance::{
    Compute, DataDisk, DiskEncryption, Format, ImageReference, Instance, InstanceRequest, Interface, Ipv4, ManagedDisk,
    NoElement, OsDisk, OsProfile, Plan, PublicKey, SecurityProfile, StorageProfile, UltraDisk,
};
pub use load_balancer::{InboundRule, LoadBalancer, LoadBalancerRequest, Translated};
pub use scheduled_events::{EventsRequest, EventsVersion, ScheduledEvent, ScheduledEvents, StartRequests};
pub use token_body::{Echo, TokenBody, TokenFields};
pub use token_request::{InfoRequest, TokenRequest};
pub use versions::{NoParameters, versions};

use crate::api_version::ApiVersion;
use crate::gate::Refusal;
use crate::query::Parameters;

/// Where every VM finds its metadata service, at port 80
/// (MicrosoftDocs/azure-compute-docs `virtual-machines/instance-metadata-service.md`).
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// The path of the token endpoint (MicrosoftDocs/entra-docs `how-to-use-vm-token.md`).
pub const TOKEN_PATH: &str = "/metadata/identity/oauth2/token";

/// `{"tenantId":…}`, the answer of `/metadata/identity/info`
/// (Azure/azure-rest-api-specs `imds.json` 2023-07-01).
#[must_use]
pub fn identity_info(tenant_id: &str) -> Vec<u8> {
    let mut body = String::with_capacity(64);
    body.push_str("{\"tenantId\":");
    crate::answer::push_json_string(&mut body, tenant_id);
    body.push('}');
    body.into_bytes()
}

/// The version of a request for a category that there is since `first`.
fn api_version(parameters: &Parameters<'_>, first: ApiVersion) -> Result<ApiVersion, Refusal> {
    let value = parameters.get("api-version").ok_or(Refusal::ApiVersionMissing)?;
    ApiVersion::parse(value)
        .filter(|version| *version >= first)
        .ok_or_else(|| Refusal::ApiVersionUnknown { value: value.to_string() })
}
