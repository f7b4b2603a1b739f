//! The tree of a metadata document: which of its fields an api-version knows, and its two forms, JSON and text.
//!
//! Public source: MicrosoftDocs/azure-compute-docs `instance-metadata-service.md` ("Route parameters", "Data format").

use crate::answer::push_json_string;
use crate::api_version::ApiVersion;

/// A value of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// What almost every value is: numbers and truth values are text too.
    Text(String),
    /// A truth value that is one in JSON.
    Flag(bool),
    /// Fields, in alphabetical order.
    Object(Vec<Field>),
    /// Values of the same shape.
    List(Vec<Node>),
}

/// A value with its name, and the first version that knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    name: &'static str,
    since: ApiVersion,
    value: Node,
}

/// A field.
pub(crate) fn field(since: ApiVersion, name: &'static str, value: impl Into<Node>) -> Field {
    Field { name, since, value: value.into() }
}

/// An object with fields, which are put into their order.
pub(crate) fn object(fields: impl IntoIterator<Item = Field>) -> Node {
    let mut fields: Vec<Field> = fields.into_iter().collect();
    fields.sort_by_key(|field| field.name);
    Node::Object(fields)
}

/// An object whose fields are as old as the object itself.
pub(crate) fn object_of<const N: usize>(fields: [(&'static str, Node); N]) -> Node {
    object(fields.map(|(name, value)| field(ApiVersion::OLDEST, name, value)))
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Node {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Self {
        Self::Text(value.to_string())
    }
}

impl FromIterator<Node> for Node {
    fn from_iter<I: IntoIterator<Item = Self>>(nodes: I) -> Self {
        Self::List(nodes.into_iter().collect())
    }
}

impl Node {
    /// What keys and indexes lead to, in what a version knows.
    pub(crate) fn find<'p>(&self, version: ApiVersion, path: impl IntoIterator<Item = &'p str>) -> Option<&Self> {
        path.into_iter().try_fold(self, |node, step| match node {
            Self::Text(_) | Self::Flag(_) => None,
            Self::Object(fields) => {
                let field = fields.iter().find(|field| field.name == step && field.since <= version)?;
                Some(&field.value)
            }
            Self::List(nodes) => nodes.get(index(step)?),
        })
    }

    /// Whether nothing is below it.
    pub(crate) fn is_leaf(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Flag(_))
    }

    /// What a version knows of it, as JSON without blanks.
    pub(crate) fn json(&self, version: ApiVersion) -> String {
        let mut json = String::with_capacity(4_096);
        self.push_json(version, &mut json);
        json
    }

    /// What a version knows of it, as text: a value as it is, otherwise the names of what is below, one on each line.
    pub(crate) fn text(&self, version: ApiVersion) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::Object(fields) => {
                let known = fields.iter().filter(|field| field.since <= version);
                known.map(|field| line(field.name, &field.value)).collect::<Vec<_>>().join("\n")
            }
            Self::List(nodes) => {
                let lines = nodes.iter().enumerate().map(|(index, node)| line(&index.to_string(), node));
                lines.collect::<Vec<_>>().join("\n")
            }
        }
    }

    fn push_json(&self, version: ApiVersion, json: &mut String) {
        match self {
            Self::Text(text) => push_json_string(json, text),
            Self::Flag(flag) => json.push_str(if *flag { "true" } else { "false" }),
            Self::Object(fields) => {
                json.push('{');
                let known = fields.iter().filter(|field| field.since <= version);
                for (number, field) in known.enumerate() {
                    if number > 0 {
                        json.push(',');
                    }
                    push_json_string(json, field.name);
                    json.push(':');
                    field.value.push_json(version, json);
                }
                json.push('}');
            }
            Self::List(nodes) => {
                json.push('[');
                for (number, node) in nodes.iter().enumerate() {
                    if number > 0 {
                        json.push(',');
                    }
                    node.push_json(version, json);
                }
                json.push(']');
            }
        }
    }
}

fn line(name: &str, value: &Node) -> String {
    if value.is_leaf() { name.to_owned() } else { format!("{name}/") }
}

/// An index as it is written: digits without a zero in front.
fn index(step: &str) -> Option<usize> {
    let digits = step.bytes().all(|byte| byte.is_ascii_digit()) && (step == "0" || !step.starts_with('0'));
    if digits { step.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V: ApiVersion = ApiVersion::V20210201;

    fn tree() -> Node {
        object([
            field(ApiVersion::V20250407, "late", "x"),
            field(ApiVersion::V20170402, "list", Node::from_iter([object_of([("b", true.into())]), "two".into()])),
            field(ApiVersion::V20170402, "empty", Node::from_iter([])),
            field(V, "flag", Node::Flag(false)),
        ])
    }

    #[test]
    fn a_version_sees_its_own_fields_in_alphabetical_order() {
        assert_eq!(tree().json(V), r#"{"empty":[],"flag":false,"list":[{"b":"true"},"two"]}"#);
        assert_eq!(tree().json(ApiVersion::V20170402), r#"{"empty":[],"list":[{"b":"true"},"two"]}"#);
        assert_eq!(tree().text(V), "empty/\nflag\nlist/");
        assert!(tree().find(V, ["late"]).is_none());
    }

    #[test]
    fn keys_and_indexes_lead_down() {
        let tree = tree();
        let text = |path: &[&str]| tree.find(V, path.iter().copied()).map(|node| node.text(V));
        assert_eq!(text(&["list"]).as_deref(), Some("0/\n1"));
        assert_eq!(text(&["list", "0", "b"]).as_deref(), Some("true"));
        assert_eq!(text(&["empty"]).as_deref(), Some(""));
        for nowhere in [
            &["list", "2"][..],
            &["list", "00"],
            &["list", "+0"],
            &["list", "-1"],
            &["list", ""],
            &["list", "0", "b", "c"],
            &["LIST"],
            &["list", "99999999999999999999999"],
        ] {
            assert_eq!(text(nowhere), None, "{nowhere:?}");
        }
    }
}
