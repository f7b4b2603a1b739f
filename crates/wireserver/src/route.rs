//! What a request is about.

use contract::gate::Refusal;
use contract::query::Parameters;

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'r> {
    /// `/?comp=versions`
    WireVersions,
    /// `/machine/?comp=goalstate`
    GoalState,
    /// `/machine/{container}/{instance}?comp=config&type=…`
    Config(Config, Machine<'r>),
    /// `/machine/{container}/{instance}?comp=certificates`
    Certificates(Machine<'r>),
    /// `/machine?comp=health`
    Health,
    /// `/machine?comp=roleProperties`
    RoleProperties,
    /// `/machine?comp=telemetrydata`
    Telemetry,
    /// `/HealthService`
    HealthService,
    /// `/versions`
    PluginVersions,
    /// `/health`
    PluginHealth,
    /// `/vmSettings`
    VmSettings,
    /// `/status`
    PluginStatus,
    /// `/status/…`, which the goal state names
    StatusBlob,
    /// `/extensionArtifact`
    ExtensionArtifact,
    /// `/extensions/…`
    Artifact(Artifact<'r>),
}

/// A document that a goal state leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Config {
    HostingEnvironment,
    Shared,
    Extensions,
}

/// Whom an address is for, as the goal state gave it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Machine<'r> {
    pub(crate) container: &'r str,
    pub(crate) instance: &'r str,
}

/// A file of the package repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Artifact<'r> {
    /// `/extensions/ga_manifest.xml`
    AgentManifest,
    /// `/extensions/{name}/manifest.xml`
    Manifest { name: &'r str },
    /// `/extensions/{name}/{name}-{version}.zip`
    Package { name: &'r str, version: &'r str },
}

impl<'r> Route<'r> {
    /// What path and query are about, if anything. Nothing is percent-decoded: no address that is given out needs it.
    pub(crate) fn resolve(path: &'r str, query: Option<&str>) -> Result<Option<Self>, Refusal> {
        Ok(match path {
            "/" => is_about(query, "versions")?.then_some(Self::WireVersions),
            "/machine" | "/machine/" => Self::machine(query)?,
            "/HealthService" => Some(Self::HealthService),
            "/versions" => Some(Self::PluginVersions),
            "/health" => Some(Self::PluginHealth),
            "/vmSettings" => Some(Self::VmSettings),
            "/status" => Some(Self::PluginStatus),
            "/extensionArtifact" => Some(Self::ExtensionArtifact),
            _ if path.starts_with("/status/") => Some(Self::StatusBlob),
            _ => match path.strip_prefix("/machine/").and_then(|rest| rest.split_once('/')) {
                Some((container, instance)) => Self::of_machine(Machine { container, instance }, query)?,
                None => Artifact::resolve(path).map(Self::Artifact),
            },
        })
    }

    fn machine(query: Option<&str>) -> Result<Option<Self>, Refusal> {
        for (comp, route) in [
            ("goalstate", Self::GoalState),
            ("health", Self::Health),
            ("roleProperties", Self::RoleProperties),
            ("telemetrydata", Self::Telemetry),
        ] {
            if is_about(query, comp)? {
                return Ok(Some(route));
            }
        }
        Ok(None)
    }

    fn of_machine(machine: Machine<'r>, query: Option<&str>) -> Result<Option<Self>, Refusal> {
        if is_about(query, "certificates")? {
            return Ok(Some(Self::Certificates(machine)));
        }
        if !is_about(query, "config")? {
            return Ok(None);
        }
        let parameters = Parameters::parse(query.unwrap_or_default())?;
        let kind = parameters.get("type");
        let is = |name: &str| kind.is_some_and(|kind| kind.eq_ignore_ascii_case(name));
        let config = if is("hostingEnvironmentConfig") {
            Config::HostingEnvironment
        } else if is("sharedConfig") {
            Config::Shared
        } else if is("extensionsConfig") {
            Config::Extensions
        } else {
            return Ok(None);
        };
        Ok(Some(Self::Config(config, machine)))
    }

    /// The method that it takes.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::WireVersions
            | Self::GoalState
            | Self::Config(..)
            | Self::Certificates(_)
            | Self::PluginVersions
            | Self::PluginHealth
            | Self::VmSettings
            | Self::ExtensionArtifact
            | Self::Artifact(_) => "GET",
            Self::Health | Self::RoleProperties | Self::Telemetry | Self::HealthService => "POST",
            Self::PluginStatus | Self::StatusBlob => "PUT",
        }
    }

    /// The value of `x-ms-version` without which it isn't answered: nobody who is only led to send a request, such as
    /// a program that fetches whatever address it is given, can set a header. Where agents send none, none is asked for.
    pub(crate) fn version(self) -> Option<&'static str> {
        use contract::guest_agent::{HOST_PLUGIN_VERSION, WIRE_VERSION};
        match self {
            Self::GoalState
            | Self::Config(..)
            | Self::Certificates(_)
            | Self::Health
            | Self::RoleProperties
            | Self::Telemetry => Some(WIRE_VERSION),
            Self::VmSettings | Self::PluginStatus | Self::ExtensionArtifact => Some(HOST_PLUGIN_VERSION),
            Self::WireVersions
            | Self::HealthService
            | Self::PluginVersions
            | Self::PluginHealth
            | Self::StatusBlob
            | Self::Artifact(_) => None,
        }
    }
}

impl<'r> Artifact<'r> {
    /// The file that a path leads to.
    pub(crate) fn resolve(path: &'r str) -> Option<Self> {
        let rest = path.strip_prefix("/extensions/")?;
        let Some((name, file)) = rest.split_once('/') else {
            return (rest == "ga_manifest.xml").then_some(Self::AgentManifest);
        };
        if file == "manifest.xml" {
            return Some(Self::Manifest { name });
        }
        let version = file.strip_prefix(name)?.strip_prefix('-')?.strip_suffix(".zip")?;
        Some(Self::Package { name, version })
    }
}

/// Whether a query's `comp` is this.
fn is_about(query: Option<&str>, comp: &str) -> Result<bool, Refusal> {
    let parameters = Parameters::parse(query.unwrap_or_default())?;
    Ok(parameters.get("comp").is_some_and(|found| found.eq_ignore_ascii_case(comp)))
}
