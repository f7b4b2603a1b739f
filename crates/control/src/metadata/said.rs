//! A description as a client wrote it: names in any case, values of any type.

use serde_json::Value;

/// A place in a description; there may be nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<'v>(Option<&'v Value>);

impl<'v> Said<'v> {
    pub(super) fn of(value: &'v Value) -> Self {
        Self(Some(value))
    }

    /// What is there.
    pub(super) fn value(self) -> Option<&'v Value> {
        self.0
    }

    /// What names with dots between them lead to.
    pub(super) fn at(self, path: &str) -> Self {
        let step = |value: &'v Value, name: &str| {
            value.as_object()?.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        };
        Self(path.split('.').try_fold(self.0, |value, name| value.map(|value| step(value, name))).flatten())
    }

    /// Whether something is there.
    pub(super) fn is_there(self) -> bool {
        self.0.is_some_and(|value| !value.is_null())
    }

    /// A text, number or truth value as text; otherwise the empty one.
    pub(super) fn text(self, path: &str) -> String {
        match self.at(path).0 {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(flag)) => flag.to_string(),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => String::new(),
        }
    }

    /// A truth value, when one is there.
    pub(super) fn maybe(self, path: &str) -> Option<bool> {
        match self.text(path).to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// A truth value; nothing is false.
    pub(super) fn flag(self, path: &str) -> bool {
        self.maybe(path).unwrap_or(false)
    }

    /// A number that fits; nothing is 0.
    pub(super) fn number<N: std::str::FromStr + Default>(self, path: &str) -> N {
        self.text(path).parse().unwrap_or_default()
    }

    /// The items of a list.
    pub(super) fn items(self, path: &str) -> impl Iterator<Item = Said<'v>> + use<'v> {
        self.at(path).0.and_then(Value::as_array).into_iter().flatten().map(Said::of)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_anything_may_be_missing() {
        let value =
            json!({"osProfile": {"ADMINUSERNAME": "me", "n": 3, "b": true, "t": "True", "l": [1, "x"], "z": null}});
        let said = Said::of(&value);
        assert_eq!(said.text("OsProfile.adminUsername"), "me");
        let profile = said.at("osprofile");
        assert_eq!((profile.text("n").as_str(), profile.text("l").as_str(), profile.number::<u8>("n")), ("3", "", 3));
        assert_eq!([profile.maybe("b"), profile.maybe("t"), profile.maybe("n")], [Some(true), Some(true), None]);
        assert!(!profile.flag("nowhere.at.all") && !profile.at("z").is_there() && profile.at("b").is_there());
        assert_eq!(profile.items("l").count(), 2);
        assert_eq!(profile.items("n").count(), 0);
    }
}
