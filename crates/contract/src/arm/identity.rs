//! The `identity` of a resource: what a request asks for, and how an answer spells it.
//!
//! Public sources: Azure/azure-cli `command_modules/vm/_vm_utils.py` and `custom.py` (how it compares and sends), and
//! the requests recorded from azure-cli 2.91.0 and 2.45.0.

use serde_json::{Map, Value};

/// What a request says of a resource's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityChange {
    /// Whether it is to have a system-assigned identity.
    pub system_assigned: bool,
    /// What is to happen to its user-assigned identities.
    pub user_assigned: UserAssignedChange,
}

/// What is to happen to the user-assigned identities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserAssignedChange {
    /// None is left.
    Drop,
    /// They stay as they are.
    Keep,
    /// These are added or kept (true) or removed (false), by resource id as it was sent.
    Merge(Vec<(String, bool)>),
}

/// Why an identity can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentity {
    /// Not an object.
    #[error("The value of parameter 'identity' is not an object.")]
    NotAnObject,
    /// No known type.
    #[error(
        "The identity type '{0}' is not valid. Valid values are SystemAssigned, UserAssigned, \
         'SystemAssigned, UserAssigned' and None."
    )]
    Type(String),
    /// Not a map of objects.
    #[error("The value of parameter 'identity.userAssignedIdentities' is not a map from resource ids to objects.")]
    Map,
    /// Identities without the type that has them.
    #[error(
        "The identity type '{0}' does not allow 'identity.userAssignedIdentities' to name identities; add \
         UserAssigned to it."
    )]
    NotAsked(String),
}

impl IdentityChange {
    /// Reads the `identity` of a request.
    ///
    /// The type may be spelt with or without a blank after the comma and in any case. In the map `{}` stands for an
    /// identity that is wanted and `null` for one that is to go; no map, `null` and `{}` leave all as they are, unless
    /// the type has no `UserAssigned`: then none stays.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn parse(identity: &Value) -> Result<Self, InvalidIdentity> {
        let members = identity.as_object().ok_or(InvalidIdentity::NotAnObject)?;
        let spelt = match members.get("type") {
            None | Some(Value::Null) => "None",
            Some(Value::String(text)) => text,
            Some(other) => return Err(InvalidIdentity::Type(other.to_string())),
        };
        let (mut system_assigned, mut user_assigned) = (false, false);
        for word in spelt.split(',').map(str::trim) {
            match word.to_ascii_lowercase().as_str() {
                "systemassigned" => system_assigned = true,
                "userassigned" => user_assigned = true,
                "none" if !spelt.contains(',') => {}
                _ => return Err(InvalidIdentity::Type(spelt.chars().take(64).collect())),
            }
        }
        let named = match members.get("userAssignedIdentities") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Object(map)) => map
                .iter()
                .map(|(id, value)| match value {
                    Value::Null => Ok((id.clone(), false)),
                    Value::Object(_) => Ok((id.clone(), true)),
                    Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(InvalidIdentity::Map),
                })
                .collect::<Result<_, _>>()?,
            // Older api-versions have a list of ids.
            Some(Value::Array(ids)) => ids
                .iter()
                .map(|id| id.as_str().map(|id| (id.to_owned(), true)).ok_or(InvalidIdentity::Map))
                .collect::<Result<_, _>>()?,
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => return Err(InvalidIdentity::Map),
        };
        let user_assigned = match (user_assigned, named) {
            (true, named) if named.is_empty() => UserAssignedChange::Keep,
            (true, named) => UserAssignedChange::Merge(named),
            (false, named) if named.iter().any(|(_, wanted)| *wanted) => {
                return Err(InvalidIdentity::NotAsked(spelt.to_owned()));
            }
            (false, _) => UserAssignedChange::Drop,
        };
        Ok(Self { system_assigned, user_assigned })
    }
}

/// The principal and client of an identity in an answer.
#[derive(Clone, Copy, Debug)]
pub struct Principal<'p> {
    /// Its object id.
    pub principal_id: &'p str,
    /// Its client id.
    pub client_id: &'p str,
}

/// The `identity` of an answer; nothing when there is none. Clients compare the type as text, so it has exactly one
/// spelling.
#[must_use]
pub fn answer(system: Option<(&str, &str)>, user: &[(String, Principal<'_>)]) -> Option<Value> {
    let kind = match (system.is_some(), user.is_empty()) {
        (false, true) => return None,
        (true, true) => "SystemAssigned",
        (false, false) => "UserAssigned",
        (true, false) => "SystemAssigned, UserAssigned",
    };
    let mut members = Map::new();
    members.insert("type".to_owned(), kind.into());
    if let Some((principal_id, tenant_id)) = system {
        members.insert("principalId".to_owned(), principal_id.into());
        members.insert("tenantId".to_owned(), tenant_id.into());
    }
    if !user.is_empty() {
        let identities: Map<String, Value> = user
            .iter()
            .map(|(id, principal)| {
                let ids = [("principalId", principal.principal_id), ("clientId", principal.client_id)];
                (
                    id.clone(),
                    ids.into_iter()
                        .map(|(name, id)| (name.to_owned(), Value::from(id)))
                        .collect::<Map<String, Value>>()
                        .into(),
                )
            })
            .collect();
        members.insert("userAssignedIdentities".to_owned(), identities.into());
    }
    Some(members.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(identity: Value) -> (bool, UserAssignedChange) {
        let change = IdentityChange::parse(&identity).unwrap();
        (change.system_assigned, change.user_assigned)
    }

    #[test]
    fn what_real_clients_send() {
        use UserAssignedChange::{Drop, Keep, Merge};
        let one = |wanted| Merge(vec![("/i/1".to_owned(), wanted)]);
        for both in ["SystemAssigned, UserAssigned", "SystemAssigned,UserAssigned", "userassigned , SYSTEMASSIGNED"] {
            assert_eq!(parsed(json!({"type": both, "userAssignedIdentities": {"/i/1": {}}})), (true, one(true)));
        }
        assert_eq!(parsed(json!({"type": "SystemAssigned"})), (true, Drop));
        assert_eq!(parsed(json!({"type": "UserAssigned", "userAssignedIdentities": null})), (false, Keep));
        assert_eq!(parsed(json!({"type": "UserAssigned", "userAssignedIdentities": {}})), (false, Keep));
        assert_eq!(
            parsed(json!({"type": "UserAssigned", "userAssignedIdentities": {"/i/1": null}})),
            (false, one(false))
        );
        assert_eq!(parsed(json!({"type": "None", "userAssignedIdentities": null})), (false, Drop));
        assert_eq!(parsed(json!({"type": "SystemAssigned", "userAssignedIdentities": {"/i/1": null}})), (true, Drop));
        assert_eq!(
            parsed(json!({"type": "UserAssigned", "userAssignedIdentities": {"/i/1": {"clientId": "c"}}})),
            (false, one(true))
        );
    }

    #[test]
    fn what_can_not_be_read() {
        for bad in [
            json!("SystemAssigned"),
            json!({"type": "Both"}),
            json!({"type": "None,SystemAssigned"}),
            json!({"type": ""}),
            json!({"type": 7}),
            json!({"type": "UserAssigned", "userAssignedIdentities": "x"}),
            json!({"type": "UserAssigned", "userAssignedIdentities": {"/i/1": 7}}),
            json!({"type": "SystemAssigned", "userAssignedIdentities": {"/i/1": {}}}),
        ] {
            assert!(IdentityChange::parse(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_spelling_in_answers() {
        let user = [("/i/1".to_owned(), Principal { principal_id: "p", client_id: "c" })];
        let both = answer(Some(("sp", "t")), &user).unwrap();
        assert_eq!(
            both.to_string(),
            r#"{"type":"SystemAssigned, UserAssigned","principalId":"sp","tenantId":"t","userAssignedIdentities":{"/i/1":{"principalId":"p","clientId":"c"}}}"#
        );
        assert_eq!(answer(None, &[]), None);
    }
}
