//! The identity paths of the metadata service: what is asked, and the bytes of the answers.

mod token_body;
mod token_request;

pub use token_body::{Echo, TokenBody, TokenFields};
pub use token_request::{InfoRequest, TokenRequest};

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
