//! The gate: what a request must be before anybody looks at what it asks for.
//!
//! The order of checks is part of the contract, because real clients probe with requests that lack things: an
//! unknown path is 404 before any header is looked at (MSAL .NET's probe for a second version depends on it),
//! and a request without the `Metadata` header is exactly 400 before any throttle (that answer means "here is
//! a metadata service").

mod host;
mod path;
mod refusal;

use http::HeaderMap;

pub use host::AllowedHosts;
pub use refusal::{HostRefusal, MetadataRefusal, Refusal};

use crate::headers::{METADATA, ORIGIN, SEC_FETCH_SITE, X_FORWARDED_FOR};

/// Which endpoint a gate stands in front of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Surface {
    /// The metadata service.
    Imds,
    /// The token endpoint of the VM extension.
    Extension,
}

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// `/metadata/identity/oauth2/token`
    ImdsToken,
    /// `/metadata/identity/info`
    ImdsIdentityInfo,
    /// `/metadata/instance` and what lies below it
    ImdsInstance,
    /// `/metadata/versions`
    ImdsVersions,
    /// `/metadata/attested/document`
    ImdsAttested,
    /// `/metadata/scheduledevents`
    ImdsScheduledEvents,
    /// `/metadata/loadbalancer`
    ImdsLoadBalancer,
    /// `/oauth2/token`
    ExtensionToken,
}

impl Route {
    /// Every route of a surface, from the table that requests are looked up in.
    #[must_use]
    pub fn all(surface: Surface) -> Vec<Self> {
        path::routes(surface).iter().map(|(_, route)| *route).collect()
    }

    /// The value of `Allow`, for a method that isn't taken.
    #[must_use]
    pub fn allow(self) -> &'static str {
        match self {
            Self::ImdsToken
            | Self::ImdsIdentityInfo
            | Self::ImdsInstance
            | Self::ImdsVersions
            | Self::ImdsAttested
            | Self::ImdsLoadBalancer => "GET",
            Self::ImdsScheduledEvents | Self::ExtensionToken => "GET, POST",
        }
    }

    /// Whether it is about tokens.
    #[must_use]
    pub fn is_identity(self) -> bool {
        match self {
            Self::ImdsToken | Self::ImdsIdentityInfo | Self::ExtensionToken => true,
            Self::ImdsInstance
            | Self::ImdsVersions
            | Self::ImdsAttested
            | Self::ImdsScheduledEvents
            | Self::ImdsLoadBalancer => false,
        }
    }

    /// Whether a method is one of those.
    fn takes(self, method: &str) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method)
    }
}

/// The part of a request that the gate looks at.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'r> {
    /// The method, as it was sent.
    pub method: &'r str,
    /// The path, raw.
    pub path: &'r str,
    /// What stands behind the `?`, raw.
    pub query: Option<&'r str>,
    /// The headers.
    pub headers: &'r HeaderMap,
    /// Whether a body of at least one byte follows.
    pub has_body: bool,
}

/// A request that came through the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted<'r> {
    /// What it is about.
    pub route: Route,
    /// Its raw path.
    pub path: &'r str,
    /// Its raw query.
    pub query: &'r str,
    /// Whether it is a POST, whose body says more.
    pub post: bool,
}

/// The gate of one listener.
#[derive(Clone, Debug)]
pub struct Gate {
    surface: Surface,
    hosts: AllowedHosts,
}

impl Gate {
    /// The gate in front of a surface.
    #[must_use]
    pub fn new(surface: Surface, hosts: AllowedHosts) -> Self {
        Self { surface, hosts }
    }

    /// The surface behind it.
    #[must_use]
    pub fn surface(&self) -> Surface {
        self.surface
    }

    /// Lets a request through, or says why not.
    ///
    /// # Errors
    /// The first check that fails, in the order of the contract.
    pub fn admit<'r>(&self, head: RequestHead<'r>) -> Result<Admitted<'r>, Refusal> {
        let host = self.hosts.check(head.headers);
        let Some(route) = path::route(self.surface, head.path) else {
            return Err(self.unknown(head));
        };
        if let (Surface::Extension, Err(HostRefusal::Missing | HostRefusal::NotAllowed)) = (self.surface, host) {
            return Err(self.unknown(head));
        }
        if !route.takes(head.method) {
            return Err(Refusal::MethodNotAllowed {
                path: head.path.to_owned(),
                method: head.method.to_owned(),
                allow: route.allow(),
            });
        }
        let post = head.method == "POST";
        if head.has_body && !post {
            return Err(Refusal::BodyNotAllowed);
        }
        host.map_err(Refusal::Host)?;
        if head.headers.contains_key(ORIGIN) || head.headers.contains_key(SEC_FETCH_SITE) {
            return Err(Refusal::CrossOrigin);
        }
        if head.headers.contains_key(X_FORWARDED_FOR) {
            return Err(Refusal::Forwarded);
        }
        metadata(head.headers).map_err(Refusal::Metadata)?;
        Ok(Admitted { route, path: head.path, query: head.query.unwrap_or(""), post })
    }

    fn unknown(&self, head: RequestHead<'_>) -> Refusal {
        match self.surface {
            Surface::Imds => Refusal::UnknownPath {
                path: head.path.to_owned(),
                method: head.method.to_owned(),
                identity: path::is_identity(head.path),
            },
            Surface::Extension => Refusal::UnknownSource { uri: head.path.to_owned() },
        }
    }
}

/// Exactly one header line with the value `true`, whatever its case: the Azure Linux agent sends `True`
/// (Azure/WALinuxAgent `azurelinuxagent/common/protocol/imds.py`).
fn metadata(headers: &HeaderMap) -> Result<(), MetadataRefusal> {
    let mut values = headers.get_all(METADATA).iter();
    let value = values.next().ok_or(MetadataRefusal::Missing)?;
    if values.next().is_some() {
        return Err(MetadataRefusal::Several);
    }
    if value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"true") { Ok(()) } else { Err(MetadataRefusal::NotTrue) }
}

#[cfg(test)]
mod tests;
