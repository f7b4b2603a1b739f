//! Members of resources that the server makes, which are no part of what somebody asked for.

use serde_json::{Map, Value};

/// Names of members, wherever they stand (`protectedSettings`), and paths from the resource (`properties.vmId`, `.id` for
/// the resource's own); `*` before the last name stands for anything (`identity.userAssignedIdentities.*.clientId`).
/// ASCII case is ignored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Members<'a>(pub &'a [&'a str]);

impl Members<'_> {
    /// Whether a member is one of them. `path` is that of what it stands in, empty for the resource itself.
    pub(crate) fn contain(&self, path: &str, name: &str) -> bool {
        self.0.iter().any(|member| {
            let by_path = || {
                let parent = member.len().checked_sub(name.len() + 1).and_then(|end| member.get(..end));
                let rest = parent.and_then(|parent| member.get(parent.len()..));
                parent.is_some_and(|parent| fits(parent, path))
                    && rest.and_then(|rest| rest.strip_prefix('.')).is_some_and(|rest| rest.eq_ignore_ascii_case(name))
            };
            member.eq_ignore_ascii_case(name) || by_path()
        })
    }

    /// A copy of a resource without them, and without `null`s, which stand for nothing. Elements of an array have the
    /// path of the array.
    pub(crate) fn strip(&self, path: &str, value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let kept = members.iter().filter(|(name, value)| !value.is_null() && !self.contain(path, name));
                let kept = kept.map(|(name, value)| (name.clone(), self.strip(&join(path, name), value)));
                Value::Object(kept.collect::<Map<_, _>>())
            }
            Value::Array(elements) => elements.iter().map(|element| self.strip(path, element)).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }
}

/// Whether a path is the one of a pattern, or is below it where the pattern ends in `.*`.
fn fits(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => path.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start)),
        None => pattern.eq_ignore_ascii_case(path),
    }
}

/// The path of a member.
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_stand_anywhere_and_paths_in_one_place() {
        let members = Members(&["etag", "properties.vmId", "é"]);
        let value = json!({"ETAG": 1, "vmId": 2, "properties": {"vmid": 3, "a": [{"etag": 4, "vmId": 5}], "n": null}});
        assert_eq!(members.strip("", &value), json!({"vmId": 2, "properties": {"a": [{"vmId": 5}]}}));
        assert!(!Members(&["a.é"]).contain("a", "b"));
        let members = Members(&[".id", "map.*.made"]);
        let value = json!({"id": 1, "a": {"id": 2}, "map": {"made": 3, "A.B/c.d": {"made": 4, "n": 5}}, "made": 6});
        assert_eq!(
            members.strip("", &value),
            json!({"a": {"id": 2}, "map": {"made": 3, "A.B/c.d": {"n": 5}}, "made": 6})
        );
    }
}
