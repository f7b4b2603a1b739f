//! The identity paths of the metadata service: what is asked, and the bytes of the answers.

mod token_body;
mod token_request;

use std::net::Ipv4Addr;

pub use token_body::{Echo, TokenBody, TokenFields};
pub use token_request::{InfoRequest, TokenRequest};

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
