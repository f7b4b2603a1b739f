use serde_json::{Value, json};

use super::*;
use crate::error::Code;

fn value(text: &str) -> Value {
    read(text.as_bytes()).unwrap().to_value()
}

fn refused(text: &str) -> TemplateError {
    let error = read(text.as_bytes()).unwrap_err();
    assert_eq!(error.code, Code::InvalidRequestContent);
    error
}

#[test]
fn the_raw_form_is_read() {
    let text = "\u{feff}{\"properties\": {\"parameters\": {}, \"mode\": \"Incremental\", template:\u{feff}{\r\n  // a \"comment\"\r\n  \
                \"variables\": { /* another */ \"v\": \"two\r\nlines\", },\r\n  \"resources\": [1, 2,]\r\n}\r\n}}";
    let expected = json!({"properties": {"parameters": {}, "mode": "Incremental",
        "template": {"variables": {"v": "two\r\nlines"}, "resources": [1, 2]}}});
    assert_eq!(value(text), expected);
}

#[test]
fn lines_are_those_of_the_template() {
    let text = "{\"properties\": {\n\"mode\": \"Incremental\", template:{\r\n  \"resources\": [\r    {}]\n}}}";
    let body = read(text.as_bytes()).unwrap();
    let properties = body.get("properties").unwrap();
    assert_eq!(properties.get("mode").unwrap().place, Place { line: 2, column: 9 });
    let template = properties.get("template").unwrap();
    assert_eq!(template.place, Place { line: 1, column: 1 });
    assert_eq!(template.get("resources").unwrap().place, Place { line: 2, column: 16 });
    assert_eq!(template.get("resources").unwrap().elements().unwrap()[0].place, Place { line: 3, column: 5 });
}

#[test]
fn a_syntax_error_names_the_line_of_the_template() {
    let error = refused("{\"properties\": {\n\n\"mode\": \"x\", template:{\n  \"a\": 'b'\n}}}");
    assert_eq!((error.line, error.column), (Some(2), Some(8)));
    assert!(error.message.contains("Line 2, position 8"), "{}", error.message);
    assert_eq!(refused("{\"a\": \n  1,, 2}").line, Some(2));
}

#[test]
fn nothing_else_of_json5_is_read() {
    for text in
        ["", "{", "{}}", "[1 2]", "[01]", "[+1]", "[.5]", "[0x1]", "[NaN]", "['a']", "[a]", "\"\\x41\"", "{a b}"]
    {
        refused(text);
    }
    assert!(read(b"\"\xff\"").unwrap_err().message.contains("UTF-8"));
}

#[test]
fn limits_are_named() {
    let deep = "[".repeat(DEPTH + 1) + &"]".repeat(DEPTH + 1);
    assert!(refused(&deep).message.contains("100"));
    assert!(read(("[".repeat(DEPTH) + &"]".repeat(DEPTH)).as_bytes()).is_ok());
    assert!(refused(&"[".repeat(1_000_000)).line.is_some());
    let long = format!("[\"{}\"]", "a".repeat(STRING_BYTES + 1));
    assert!(refused(&long).message.contains("1048576"));
    assert!(refused(&format!("[{}0]", "0,".repeat(VALUES))).message.contains("500000"));
    assert!(read(&vec![b' '; BODY_BYTES + 1]).unwrap_err().message.contains("4194304"));
}

#[test]
fn the_last_of_two_members_stands() {
    assert_eq!(value(r#"{"a": 1, "b": 2, "a": 3}"#), serde_json::from_str::<Value>(r#"{"a": 3, "b": 2}"#).unwrap());
}

#[test]
fn escapes_and_numbers_are_those_of_json() {
    let text = r#"["😀\n\/\\\"", -0, 1e3, 18446744073709551615, 1.5, -7]"#;
    assert_eq!(value(text), serde_json::from_str::<Value>(text).unwrap());
    assert!(refused("[1e999]").message.contains("1e999"));
}
