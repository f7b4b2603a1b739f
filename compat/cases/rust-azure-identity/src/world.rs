//! What symbolon said when it was ready, and questions about the tokens it gives.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use crate::checks::Failure;

/// The audience of all tokens here.
pub const ARM: &str = "https://management.azure.com";
/// An identity that is assigned to no VM.
pub const STRANGER_CLIENT_ID: &str = "0a1b2c3d-1111-4222-8333-444455556665";

/// The ready line.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct World {
    metrics: String,
    tenant_id: String,
    vms: Vec<Vm>,
}

#[derive(Deserialize)]
struct Vm {
    name: String,
    identities: Vec<Identity>,
}

/// One identity of a VM.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    kind: String,
    name: String,
    pub id: String,
    pub client_id: String,
    pub principal_id: String,
}

impl World {
    /// Reads it from where the harness put it.
    pub fn read() -> Result<Self, Failure> {
        Ok(serde_json::from_str(&std::fs::read_to_string(std::env::var("COMPAT_WORLD")?)?)?)
    }

    /// The VM's system-assigned identity.
    pub fn system_assigned(&self) -> Result<Identity, Failure> {
        self.find(|identity| identity.kind == "SystemAssigned")
    }

    /// A user-assigned identity of the VM.
    pub fn user_assigned(&self, name: &str) -> Result<Identity, Failure> {
        self.find(|identity| identity.kind == "UserAssigned" && identity.name == name)
    }

    fn find(&self, fits: impl Fn(&Identity) -> bool) -> Result<Identity, Failure> {
        let vm = self.vms.iter().find(|vm| vm.name == "dev").ok_or("no VM dev")?;
        vm.identities.iter().find(|identity| fits(identity)).cloned().ok_or_else(|| "no such identity".into())
    }

    /// Checks whose token it is, for what and by whom; says when it expires.
    pub fn assert_token(&self, token: &str, expected: &Identity) -> Result<i64, Failure> {
        let payload = token.split('.').nth(1).ok_or("a token has three parts")?;
        let said: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?;
        let issuer = format!("https://sts.windows.net/{}/", self.tenant_id);
        for (name, wanted) in [
            ("aud", ARM),
            ("iss", &issuer),
            ("appid", &expected.client_id),
            ("oid", &expected.principal_id),
            ("tid", &self.tenant_id),
        ] {
            if said[name] != wanted {
                return Err(format!("{name} is {}, not {wanted}", said[name]).into());
            }
        }
        said["exp"].as_i64().ok_or_else(|| "exp is no number".into())
    }

    /// How many requests symbolon has answered on its token endpoints, or none when it doesn't say.
    pub fn requests_counted(&self) -> Result<Option<f64>, Failure> {
        let address = self.metrics.strip_prefix("http://").ok_or("metrics are plain HTTP")?;
        let mut stream = TcpStream::connect(address)?;
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let counts: Vec<f64> = text
            .lines()
            .filter(|line| {
                ["imds", "extension"].iter().any(|kind| line.starts_with(&format!("symbolon_{kind}_requests_total")))
            })
            .filter_map(|line| line.rsplit(' ').next()?.trim().parse().ok())
            .collect();
        Ok((!counts.is_empty()).then(|| counts.iter().sum()))
    }

    /// Fails unless exactly `count` requests came since `before`.
    pub fn assert_requests(&self, before: Option<f64>, count: u32) -> Result<(), Failure> {
        if let (Some(before), Some(after)) = (before, self.requests_counted()?) {
            let made = after - before;
            if (made - f64::from(count)).abs() > 0.5 {
                return Err(format!("{made} requests instead of {count}").into());
            }
        }
        Ok(())
    }
}
