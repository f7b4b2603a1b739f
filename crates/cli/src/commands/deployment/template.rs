//! The body of a request with a template.

use std::fs;
use std::path::Path;

use anyhow::Context;
use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use crate::args::deployment::{Mode, TemplateArgs};

/// The body. The template goes as it lies in its file, with comments and all: the server says where it is wrong.
pub(super) fn body(args: &TemplateArgs) -> anyhow::Result<Bytes> {
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()));
    let template = read(&args.template)?;
    let mut parameters = Map::new();
    for given in &args.parameters {
        match given.split_once('=') {
            Some((name, value)) => {
                parameters.insert(name.to_owned(), json!({"value": value_of(value)}));
            }
            None => parameters.extend(file(given, &read(Path::new(given))?)?),
        }
    }
    let mode = match args.mode {
        Mode::Incremental => "Incremental",
        Mode::Complete => "Complete",
    };
    let (template, parameters) = (template.trim_start_matches('\u{feff}'), Value::from(parameters));
    // Only a line end ends a comment.
    Ok(format!("{{\"properties\":{{\"mode\":\"{mode}\",\"parameters\":{parameters},\"template\":{template}\n}}}}")
        .into())
}

/// A value on the command line: what reads as JSON is that, all else is a text.
fn value_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

/// The parameters of a parameter file, with or without its frame.
fn file(name: &str, text: &str) -> anyhow::Result<Map<String, Value>> {
    let mut all: Map<String, Value> =
        serde_json::from_str(text).with_context(|| format!("{name} isn't a file of parameters"))?;
    match all.shift_remove("parameters") {
        Some(Value::Object(parameters)) => Ok(parameters),
        Some(_) | None => Ok(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_json_where_they_read_as_json() {
        for (text, value) in [
            ("web", json!("web")),
            ("2", json!(2)),
            ("\"2\"", json!("2")),
            ("true", json!(true)),
            ("[1]", json!([1])),
            ("", json!("")),
        ] {
            assert_eq!(value_of(text), value, "{text}");
        }
    }

    #[test]
    fn parameter_files_may_have_a_frame() {
        let bare = file("f", r#"{"a": {"value": 1}}"#).unwrap();
        let framed = file("f", r#"{"$schema": "s", "contentVersion": "1.0.0.0", "parameters": {"a": {"value": 1}}}"#);
        assert_eq!(framed.unwrap(), bare);
        assert!(file("f", "[]").is_err());
    }
}
