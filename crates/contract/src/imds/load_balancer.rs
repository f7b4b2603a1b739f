//! `/metadata/loadbalancer`: under which public addresses a VM is reached, and goes out.
//!
//! Public source: MicrosoftDocs/azure-docs `howto-load-balancer-imds.md`.

use serde::Serialize;

use super::api_version;
use crate::api_version::ApiVersion;
use crate::gate::Refusal;
use crate::query::Parameters;

/// A request for the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadBalancerRequest {
    /// The version asked for.
    pub api_version: ApiVersion,
}

impl LoadBalancerRequest {
    /// Reads a raw query. Unknown parameters decide nothing; there is one format, which may be named.
    ///
    /// # Errors
    /// The first check that fails: twice, api-version, format.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        let parameters = Parameters::parse(query)?;
        let api_version = api_version(&parameters, ApiVersion::FIRST_WITH_LOAD_BALANCER)?;
        match parameters.get("format") {
            Some(value) if !value.eq_ignore_ascii_case("json") => {
                Err(Refusal::FormatUnknown { value: value.to_string() })
            }
            Some(_) | None => Ok(Self { api_version }),
        }
    }
}

/// What is known of the load balancers in front of a VM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancer {
    /// Public addresses of the VM's own.
    pub public_ip_addresses: Vec<Translated>,
    /// What comes in from where.
    pub inbound_rules: Vec<InboundRule>,
    /// What goes out by which address.
    pub outbound_rules: Vec<Translated>,
}

/// A public address, and the VM's private one behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Translated {
    /// The public address.
    pub frontend_ip_address: String,
    /// The VM's own.
    pub private_ip_address: String,
}

/// A port of a frontend that leads to the VM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InboundRule {
    /// The public address.
    pub frontend_ip_address: String,
    /// `tcp`, `udp` or `all`.
    pub protocol: String,
    /// The port there.
    pub frontend_port: u16,
    /// The port here.
    pub backend_port: u16,
    /// The VM's own address.
    pub private_ip_address: String,
}

#[derive(Serialize)]
struct Document<'d> {
    loadbalancer: &'d LoadBalancer,
}

impl LoadBalancer {
    /// The body of an answer.
    ///
    /// # Errors
    /// None that can happen: numbers and text are always JSON.
    pub fn render(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Document { loadbalancer: self })
    }
}
