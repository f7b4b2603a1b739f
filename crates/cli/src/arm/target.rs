//! What a request is about.

use std::borrow::Cow;

use anyhow::Context;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Arm;

/// What stands in a path as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'@');

/// A type of resources.
pub(crate) struct Kind {
    resource_type: &'static str,
    /// What people call one.
    pub(crate) noun: &'static str,
    version: &'static str,
}

pub(crate) const VM: Kind =
    Kind { resource_type: "Microsoft.Compute/virtualMachines", noun: "VM", version: "2024-11-01" };
pub(crate) const SCALE_SET: Kind =
    Kind { resource_type: "Microsoft.Compute/virtualMachineScaleSets", noun: "scale set", version: "2024-11-01" };
pub(crate) const IDENTITY: Kind =
    Kind { resource_type: "Microsoft.ManagedIdentity/userAssignedIdentities", noun: "identity", version: "2023-01-31" };
pub(crate) const DEPLOYMENT: Kind =
    Kind { resource_type: "Microsoft.Resources/deployments", noun: "deployment", version: "2024-11-01" };

pub(crate) const MACHINES: Kind =
    Kind { resource_type: "Symbolon.Migration/machines", noun: "machine", version: "2026-11-01" };
pub(crate) const CUTOVER: Kind =
    Kind { resource_type: "Symbolon.Migration/cutovers", noun: "cutover", version: "2026-11-01" };

/// The playbook of a subscription, a type of resource that is ours alone.
const PLAYBOOK: &str = "providers/Symbolon.Faults/playbooks/current";
const PLAYBOOK_VERSION: &str = "2026-11-01";

/// The api-version of resource groups.
const GROUP_VERSION: &str = "2024-11-01";

impl Kind {
    /// Its full name.
    pub(crate) fn resource_type(&self) -> &'static str {
        self.resource_type
    }
}

/// A path of the control plane with its api-version.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    path: String,
    version: &'static str,
    query: Cow<'static, str>,
    /// What people call it.
    pub(crate) title: String,
    /// The resource's name.
    pub(crate) name: String,
}

impl Target {
    /// The resource of an id that the control plane gave.
    pub(crate) fn of(kind: &Kind, id: &str) -> Self {
        let name = id.rsplit('/').next().unwrap_or(id).to_owned();
        let title = format!("{} '{name}'", kind.noun);
        Self { path: id.to_owned(), version: kind.version, query: Cow::default(), title, name }
    }

    /// What is below it.
    pub(crate) fn below(&self, segments: &[&str]) -> Self {
        let mut path = self.path.clone();
        for segment in segments {
            path.push('/');
            path.push_str(&encode(segment));
        }
        Self { path, ..self.clone() }
    }

    /// The same by another title.
    pub(crate) fn called(self, title: String) -> Self {
        Self { title, ..self }
    }

    /// The same with a query.
    pub(crate) fn with(&self, query: impl Into<Cow<'static, str>>) -> Self {
        Self { query: query.into(), ..self.clone() }
    }

    /// Its resource id; the names in it are such as need no encoding.
    pub(crate) fn id(&self) -> &str {
        &self.path
    }

    pub(super) fn url(&self, base: &str) -> String {
        format!("{base}{}?api-version={}{}", self.path, self.version, self.query)
    }
}

impl Arm {
    /// The resource group.
    pub(crate) fn group(&self) -> anyhow::Result<Target> {
        let name = self.group.as_deref().context("there is no VM whose resource group it could be; say -g")?;
        let path = format!("/subscriptions/{}/resourceGroups/{}", encode(&self.subscription), encode(name));
        let title = format!("resource group '{name}'");
        Ok(Target { path, version: GROUP_VERSION, query: Cow::default(), title, name: name.to_owned() })
    }

    /// The playbook of the subscription.
    pub(crate) fn playbook(&self) -> Target {
        let path = format!("/subscriptions/{}/{PLAYBOOK}", encode(&self.subscription));
        let (title, name) = ("the playbook".to_owned(), "current".to_owned());
        Target { path, version: PLAYBOOK_VERSION, query: Cow::default(), title, name }
    }

    /// All resources of a type in the group.
    pub(crate) fn all(&self, kind: &Kind) -> anyhow::Result<Target> {
        let group = self.group()?;
        Ok(Target { path: format!("{}/providers/{}", group.path, kind.resource_type), version: kind.version, ..group })
    }

    /// The resource of a name in the group, or of a resource id.
    pub(crate) fn one(&self, kind: &Kind, name: &str) -> anyhow::Result<Target> {
        let known_as = name.rsplit('/').next().unwrap_or(name);
        let title = format!("{} '{known_as}'", kind.noun);
        let of = |path, name: &str| Target {
            path,
            version: kind.version,
            query: Cow::default(),
            title,
            name: name.to_owned(),
        };
        if !name.starts_with('/') {
            return Ok(of(format!("{}/{}", self.all(kind)?.path, encode(name)), name));
        }
        let kinds = format!("/providers/{}/{known_as}", kind.resource_type).to_lowercase();
        anyhow::ensure!(name.to_lowercase().ends_with(&kinds), "'{name}' isn't the resource id of a {}", kind.noun);
        let path: Vec<_> = name.split('/').map(encode).collect();
        Ok(of(path.join("/"), known_as))
    }
}

fn encode(segment: &str) -> String {
    utf8_percent_encode(segment, SEGMENT).to_string()
}
