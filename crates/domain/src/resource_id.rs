//! ARM resource ids: the path that names a resource, kept as given and compared without ASCII case.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::SubscriptionId;

/// Longest resource id accepted, in bytes.
pub const MAX_LENGTH: usize = 2_048;

/// A well-formed ARM resource id.
///
/// Grammar: pairs of `/type/name`, where `/providers/{namespace}` is followed by at least one such pair, and where
/// `/subscriptions/` is followed by a GUID. `/subscriptions/{id}`, `/subscriptions/{id}/resourceGroups/{name}`,
/// `…/providers/Microsoft.Compute/virtualMachines/{name}`, its children, extension resources and tenant-level
/// resources (`/providers/…`) all fit.
///
/// The text is kept as it was given; equality, order and hash are those of [`key`](Self::key).
#[derive(Clone)]
pub struct ResourceId {
    text: Box<str>,
    /// Lower-case copy; none when the text is lower-case already.
    lower: Option<Box<str>>,
}

/// Why a text is not a resource id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidResourceId {
    /// It does not begin with `/`.
    #[error("a resource id begins with '/'")]
    NotAbsolute,
    /// It is longer than [`MAX_LENGTH`].
    #[error("a resource id has at most {MAX_LENGTH} bytes")]
    TooLong,
    /// It has an empty segment (`//` or a `/` at the end), or a segment `.` or `..`.
    #[error("a resource id has no empty, '.' or '..' segment")]
    BadSegment,
    /// It has a control character or one of `<>%&\?#`, or a segment begins or ends with a space.
    #[error("a resource id has no control character, none of <>%&\\?#, and no space around a name")]
    BadCharacter,
    /// A type has no name, or `providers/{namespace}` is followed by nothing.
    #[error("a resource id is made of pairs of type and name")]
    Unpaired,
    /// What follows `/subscriptions/` is not a GUID.
    #[error("a resource id names its subscription by a GUID")]
    BadSubscription,
}

impl ResourceId {
    /// Reads a resource id.
    ///
    /// # Errors
    /// When the text is not of the grammar above.
    pub fn parse(text: &str) -> Result<Self, InvalidResourceId> {
        if text.len() > MAX_LENGTH {
            return Err(InvalidResourceId::TooLong);
        }
        let path = text.strip_prefix('/').ok_or(InvalidResourceId::NotAbsolute)?;
        check_segments(path)?;
        check_pairs(path)?;
        Ok(Self::from_checked(text))
    }

    /// `/subscriptions/{sub}`.
    #[must_use]
    pub fn for_subscription(sub: SubscriptionId) -> Self {
        Self::from_checked(&format!("/subscriptions/{sub}"))
    }

    /// `/subscriptions/{sub}/resourceGroups/{rg}`.
    ///
    /// # Errors
    /// When the name cannot be a segment of a resource id.
    pub fn for_resource_group(sub: SubscriptionId, rg: &str) -> Result<Self, InvalidResourceId> {
        Self::for_subscription(sub).child("resourceGroups", rg)
    }

    /// The id of a virtual machine.
    ///
    /// # Errors
    /// When a name cannot be a segment of a resource id.
    pub fn for_virtual_machine(sub: SubscriptionId, rg: &str, name: &str) -> Result<Self, InvalidResourceId> {
        Self::for_resource_group(sub, rg)?.resource("Microsoft.Compute", "virtualMachines", name)
    }

    /// The id of a user-assigned identity.
    ///
    /// # Errors
    /// When a name cannot be a segment of a resource id.
    pub fn for_user_assigned_identity(sub: SubscriptionId, rg: &str, name: &str) -> Result<Self, InvalidResourceId> {
        Self::for_resource_group(sub, rg)?.resource("Microsoft.ManagedIdentity", "userAssignedIdentities", name)
    }

    /// The id of the child `{type_segment}/{name}` of this resource.
    ///
    /// # Errors
    /// When a part cannot be a segment of a resource id.
    pub fn child(&self, type_segment: &str, name: &str) -> Result<Self, InvalidResourceId> {
        check_part(type_segment)?;
        check_part(name)?;
        Self::parse(&format!("{}/{type_segment}/{name}", self.text))
    }

    /// The id of the resource `providers/{provider}/{type_segment}/{name}` under this scope.
    ///
    /// # Errors
    /// When a part cannot be a segment of a resource id.
    pub fn resource(&self, provider: &str, type_segment: &str, name: &str) -> Result<Self, InvalidResourceId> {
        check_part(provider)?;
        check_part(type_segment)?;
        check_part(name)?;
        Self::parse(&format!("{}/providers/{provider}/{type_segment}/{name}", self.text))
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text in ASCII lower case: what two spellings of one id have in common.
    #[must_use]
    pub fn key(&self) -> &str {
        self.lower.as_deref().unwrap_or(&self.text)
    }

    /// The subscription it is in; none for tenant-level resources.
    #[must_use]
    pub fn subscription(&self) -> Option<SubscriptionId> {
        let mut segments = self.segments();
        let is_subscription = segments.next()?.eq_ignore_ascii_case("subscriptions");
        is_subscription.then(|| segments.next()?.parse().ok()).flatten()
    }

    /// The name of the resource group it is in (or is).
    #[must_use]
    pub fn resource_group(&self) -> Option<&str> {
        let mut segments = self.segments().skip(2);
        let is_group = segments.next()?.eq_ignore_ascii_case("resourceGroups");
        if is_group && self.subscription().is_some() { segments.next() } else { None }
    }

    /// The id of the resource group it is in (or is).
    #[must_use]
    pub fn group(&self) -> Option<Self> {
        self.resource_group()?;
        let end = self.text.match_indices('/').nth(4).map_or(self.text.len(), |(at, _)| at);
        self.text.get(..end).map(Self::from_checked)
    }

    /// The provider namespace, e.g. `Microsoft.Compute`; the last one when an extension resource has two.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.shape().provider
    }

    /// The full type, e.g. `Microsoft.Compute/virtualMachines/extensions`. Subscriptions and resource groups are
    /// `Microsoft.Resources/subscriptions` and `Microsoft.Resources/resourceGroups`.
    #[must_use]
    pub fn resource_type(&self) -> String {
        let shape = self.shape();
        match shape.provider {
            Some(provider) => format!("{provider}/{}", shape.types.join("/")),
            None => format!("Microsoft.Resources/{}", shape.types.last().copied().unwrap_or_default()),
        }
    }

    /// The last segment.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// What this lies directly in: the parent resource, else the scope (resource group, subscription, or the resource
    /// an extension resource is attached to). None for a subscription and for a tenant-level resource.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let without_name = self.text.rsplit_once('/')?.0;
        let pair = without_name.rsplit_once('/')?.0;
        let scope = match pair.rsplit_once('/') {
            Some((before, _)) if self.shape().types.len() == 1 && self.provider().is_some() => {
                before.rsplit_once('/').map_or("", |(scope, _)| scope)
            }
            Some(_) | None => pair,
        };
        (!scope.is_empty()).then(|| Self::from_checked(scope))
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.text.split('/').skip(1)
    }

    /// The provider and type segments that follow the last `providers`, or the types of a plain scope.
    fn shape(&self) -> Shape<'_> {
        let mut shape = Shape { provider: None, types: Vec::new() };
        let mut segments = self.segments();
        while let (Some(first), Some(second)) = (segments.next(), segments.next()) {
            if first.eq_ignore_ascii_case("providers") {
                shape = Shape { provider: Some(second), types: Vec::new() };
            } else {
                shape.types.push(first);
            }
        }
        shape
    }

    fn from_checked(text: &str) -> Self {
        let has_upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
        Self { text: text.into(), lower: has_upper.then(|| text.to_ascii_lowercase().into()) }
    }
}

struct Shape<'a> {
    provider: Option<&'a str>,
    types: Vec<&'a str>,
}

fn check_segments(path: &str) -> Result<(), InvalidResourceId> {
    for segment in path.split('/') {
        if matches!(segment, "" | "." | "..") {
            return Err(InvalidResourceId::BadSegment);
        }
        let bad = |c: char| c.is_control() || "<>%&\\?#".contains(c);
        if segment.contains(bad) || segment.trim() != segment {
            return Err(InvalidResourceId::BadCharacter);
        }
    }
    Ok(())
}

fn check_pairs(path: &str) -> Result<(), InvalidResourceId> {
    let mut segments = path.split('/');
    let mut namespace_open = false;
    let mut first_pair = true;
    while let Some(first) = segments.next() {
        let second = segments.next().ok_or(InvalidResourceId::Unpaired)?;
        if first.eq_ignore_ascii_case("providers") {
            if namespace_open {
                return Err(InvalidResourceId::Unpaired);
            }
            namespace_open = true;
        } else {
            namespace_open = false;
            if first_pair && first.eq_ignore_ascii_case("subscriptions") && second.parse::<SubscriptionId>().is_err() {
                return Err(InvalidResourceId::BadSubscription);
            }
        }
        first_pair = false;
    }
    if namespace_open { Err(InvalidResourceId::Unpaired) } else { Ok(()) }
}

/// A part of a builder is one segment, whatever the result would parse as.
fn check_part(part: &str) -> Result<(), InvalidResourceId> {
    if part.contains('/') { Err(InvalidResourceId::BadCharacter) } else { check_segments(part) }
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ResourceId {}

impl PartialOrd for ResourceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResourceId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key())
    }
}

impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl FromStr for ResourceId {
    type Err = InvalidResourceId;

    fn from_str(text: &str) -> Result<Self, InvalidResourceId> {
        Self::parse(text)
    }
}

impl fmt::Display for ResourceId {
    /// The text as it was given.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceId({})", self.text)
    }
}

#[cfg(test)]
mod tests;
