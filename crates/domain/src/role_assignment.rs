//! Role assignments: which principal may do what, and where.

use std::fmt;
use std::str::FromStr;

use crate::{InvalidResourceId, PrincipalId, ResourceId, RoleAssignmentId, Timestamp};

/// A role given to a principal over a scope and everything below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleAssignment {
    /// Its id.
    pub id: RoleAssignmentId,
    /// Who holds the role.
    pub principal: PrincipalId,
    /// The role's name, e.g. `Owner`.
    pub role: String,
    /// Where it holds.
    pub scope: Scope,
    /// When it was given. The store says so when it is first put; whoever describes one leaves it out.
    pub created_at: Option<Timestamp>,
    /// Who gave it; none when it was nobody with an id, such as a seed.
    pub created_by: Option<PrincipalId>,
}

/// Where a role holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everywhere: `/`.
    Root,
    /// A subscription, resource group or resource, and all below it.
    At(ResourceId),
}

impl Scope {
    /// Whether `id` is this scope or lies below it.
    #[must_use]
    pub fn contains(&self, id: &ResourceId) -> bool {
        match self {
            Self::Root => true,
            Self::At(scope) => {
                id.key().strip_prefix(scope.key()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    }
}

impl FromStr for Scope {
    type Err = InvalidResourceId;

    /// Reads `/` or a resource id.
    fn from_str(text: &str) -> Result<Self, InvalidResourceId> {
        if text == "/" { Ok(Self::Root) } else { ResourceId::parse(text).map(Self::At) }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("/"),
            Self::At(id) => fmt::Display::fmt(id, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUB: &str = "/subscriptions/00000000-0000-4000-8000-000000000001";

    #[test]
    fn a_scope_holds_below_itself_and_not_beside() {
        let group: Scope = format!("{SUB}/resourceGroups/dev").parse().unwrap();
        let inside = ResourceId::parse(&format!("{SUB}/resourcegroups/DEV/providers/A.B/c/d")).unwrap();
        let beside = ResourceId::parse(&format!("{SUB}/resourceGroups/dev2")).unwrap();
        assert!(group.contains(&inside));
        assert!(group.contains(&ResourceId::parse(&group.to_string()).unwrap()));
        assert!(!group.contains(&beside));
        assert!(!group.contains(&ResourceId::parse(SUB).unwrap()));
        assert!("/".parse::<Scope>().unwrap().contains(&beside));
    }

    #[test]
    fn text_round_trip() {
        for text in ["/", SUB] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        assert!("".parse::<Scope>().is_err());
    }
}
