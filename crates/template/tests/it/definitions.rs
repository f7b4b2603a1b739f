//! Types of a template's own, in the form that Bicep writes them.

use serde_json::{Value, json};
use template::Nothing;

use crate::fixture::{planned, planned_with, resources};

fn definitions() -> Value {
    json!({
        "disk": {"type": "object", "properties": {
            "size": {"type": "int", "minValue": 1}, "name": {"type": "string", "nullable": true},
            "key": {"type": "securestring", "nullable": true}, "next": {"$ref": "#/definitions/disk", "nullable": true},
        }, "additionalProperties": false},
        "disks": {"type": "array", "items": {"$ref": "#/definitions/disk"}, "maxLength": 2},
        "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "int"}], "items": false},
        "map": {"type": "object", "additionalProperties": {"type": "bool"}},
        "color": {"type": "string", "allowedValues": ["red", "green"]},
        "loop": {"$ref": "#/definitions/loop"},
        "circle": {"type": "object", "properties": {"kind": {"type": "string"}, "radius": {"type": "int"}}},
        "square": {"type": "object", "properties": {"kind": {"type": "string"}, "pin": {"type": "securestring"}}},
        "shape": {"type": "object", "discriminator": {"propertyName": "kind", "mapping": {
            "circle": {"$ref": "#/definitions/circle"}, "square": {"$ref": "#/definitions/square"},
            "shape": {"$ref": "#/definitions/shape"}}}},
    })
}

fn with(reference: &str, value: Value) -> Result<Value, String> {
    let parameter = json!({"$ref": format!("#/definitions/{reference}")});
    let template = json!({"languageVersion": "2.0", "definitions": definitions(), "parameters": {"p": parameter}});
    let plan = planned_with(&template, &json!({ "p": value }));
    plan.map(|plan| plan.parameters["p"].clone()).map_err(|error| error.message)
}

#[test]
fn what_fits_is_taken() {
    for (reference, kind, value) in [
        ("disk", "object", json!({"size": 1})),
        ("disk", "object", json!({"SIZE": 1, "name": null, "next": {"size": 2, "next": {"size": 3}}})),
        ("disks", "array", json!([{"size": 1}, {"size": 2}])),
        ("pair", "array", json!(["a", 1])),
        ("map", "object", json!({"a": true, "b": false})),
        ("color", "string", json!("red")),
        ("shape", "object", json!({"kind": "circle", "radius": 3})),
    ] {
        assert_eq!(with(reference, value.clone()), Ok(json!({"type": kind, "value": value})), "{reference}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_path() {
    for (reference, value, part) in [
        ("disk", json!({}), "The property is missing. Path 'size'."),
        ("disk", json!({"size": 0}), "should be greater than or equal to '1'. Path 'size'."),
        (
            "disk",
            json!({"size": "1"}),
            "Template parameter JTokenType is not valid. Expected 'Integer'. Actual 'String'. Path 'size'.",
        ),
        ("disk", json!({"size": 1, "color": 1}), "The property is not one of the type. Path 'color'."),
        ("disk", json!({"size": 1, "next": {"size": 1, "next": {}}}), "missing. Path 'next.next.size'."),
        ("disks", json!([{"size": 1}, {"size": 0}]), "Path '[1].size'."),
        ("disks", json!([{"size": 1}, {"size": 1}, {"size": 1}]), "less than or equal to '2'"),
        ("pair", json!(["a"]), "There should be 2 elements."),
        ("pair", json!(["a", "b"]), "Path '[1]'."),
        ("pair", json!(["a", 1, 2]), "The element is not one of the type. Path '[2]'."),
        ("map", json!({"a": 1}), "Path 'a'."),
        ("color", json!("blue"), "not part of the allowed value(s): 'red,green'."),
        ("shape", json!({"kind": "circle"}), "missing. Path 'radius'."),
        ("shape", json!({"kind": "line"}), "names none of the types that there are. Path 'kind'."),
        ("shape", json!({}), "names none of the types that there are. Path 'kind'."),
        // A choice that leads to itself.
        ("shape", json!({"kind": "shape"}), "names none of the types that there are. Path 'kind'."),
        ("loop", json!(1), "has no type, or one that is not valid"),
        ("nope", json!(1), "has no type, or one that is not valid"),
    ] {
        let message = with(reference, value.clone()).unwrap_err();
        assert!(message.contains(part), "{reference} {value}: {message}");
    }
}

#[test]
fn where_a_type_is_used_more_may_be_said() {
    let parameter = |more: Value| {
        let mut parameter = json!({"$ref": "#/definitions/disk"});
        parameter.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        planned(&json!({"definitions": definitions(), "parameters": {"p": parameter}})).map_err(|error| error.message)
    };
    assert_eq!(parameter(json!({"nullable": true})).unwrap().parameters["p"], json!({"type": "object", "value": null}));
    assert!(parameter(json!({})).unwrap_err().contains("is not provided"));
    assert!(parameter(json!({"defaultValue": {"size": 0}})).unwrap_err().contains("Path 'size'."));
    let plan = parameter(json!({"defaultValue": {"size": "[add(1, 2)]"}})).unwrap();
    assert_eq!(plan.parameters["p"]["value"], json!({"size": 3}));
}

#[test]
fn secrets_in_a_type_are_not_shown() {
    let secret = json!({"size": 1, "next": {"size": 1, "key": "hunter2"}});
    assert_eq!(with("disk", secret.clone()), Ok(json!({"type": "object"})));
    assert_eq!(with("disks", json!([secret])), Ok(json!({"type": "array"})));
    assert_eq!(with("shape", json!({"kind": "square", "pin": "1234"})), Ok(json!({"type": "object"})));
    let output = |value: Value| {
        let outputs = json!({"o": {"$ref": "#/definitions/disk", "value": value}});
        planned(&json!({"definitions": definitions(), "outputs": outputs})).map_err(|error| error.message)
    };
    let shown = |value: Value| output(value).unwrap().outputs(&Nothing).unwrap()["o"].clone();
    assert_eq!(shown(json!({"size": 1, "key": "[concat('a', 'b')]"})), json!({"type": "object"}));
    assert_eq!(shown(json!({"size": 1})), json!({"type": "object", "value": {"size": 1}}));
    let message = output(json!({"size": "x"})).unwrap_err();
    assert!(message.contains("Template output JTokenType is not valid."), "{message}");
}

#[test]
fn what_is_told_to_people_is_not_read() {
    let told = json!({"description": "[required]", "[x": "[nofunc()]"});
    let mut thing = crate::fixture::thing("a", &[]);
    thing["metadata"] = told.clone();
    thing["comments"] = json!("[see above]");
    let body = resources(json!([thing])).unwrap().resources[0].body(&Nothing).unwrap();
    assert_eq!(body, json!({}));
    let outputs = json!({"o": {"type": "int", "value": 1, "metadata": told}});
    let plan = planned(&json!({ "metadata": told, "outputs": outputs })).unwrap();
    assert_eq!(plan.outputs(&Nothing).unwrap(), json!({"o": {"type": "int", "value": 1}}));
}
