//! Parameters and variables.

use serde_json::{Value, json};
use template::{Code, Nothing};

use crate::fixture::{planned, planned_with};

fn with(definition: Value, value: Value) -> Result<Value, String> {
    let template = json!({"parameters": {"p": definition}, "resources": []});
    let plan = planned_with(&template, &json!({ "p": value }));
    plan.map(|plan| plan.parameters).map_err(|error| error.message)
}

#[test]
fn a_missing_value_is_refused_with_its_place() {
    let error = planned(&json!({"parameters": {"p": {"type": "string"}}})).unwrap_err();
    assert_eq!(error.code, Code::InvalidTemplate);
    let expected = "Deployment template validation failed: 'The value for the template parameter 'p' at line '1' and \
                    column '20' is not provided. Please see https://aka.ms/arm-create-parameter-file for usage details.'";
    assert_eq!(error.message, expected);
    assert_eq!((error.line, error.column), (Some(1), Some(20)));
}

#[test]
fn what_is_given_is_shown_but_for_secrets() {
    for (kind, value, shown) in [
        ("String", json!("a"), json!({"type": "string", "value": "a"})),
        ("int", json!(1), json!({"type": "int", "value": 1})),
        ("bool", json!(true), json!({"type": "bool", "value": true})),
        ("object", json!({"a": "[x]"}), json!({"type": "object", "value": {"a": "[x]"}})),
        ("array", json!([1]), json!({"type": "array", "value": [1]})),
        ("securestring", json!("s"), json!({"type": "secureString"})),
        ("secureObject", json!({"a": "s"}), json!({"type": "secureObject"})),
    ] {
        assert_eq!(with(json!({ "type": kind }), value), Ok(json!({ "p": shown })));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    for (definition, value, part) in [
        (json!({"type": "string"}), json!(1), "Expected 'String, Uri'. Actual 'Integer'"),
        (json!({"type": "int"}), json!("1"), "Expected 'Integer'. Actual 'String'"),
        (json!({"type": "int", "minValue": 2}), json!(1), "greater than or equal to '2'"),
        (json!({"type": "int", "maxValue": 2}), json!(3), "less than or equal to '2'"),
        (json!({"type": "string", "minLength": 2}), json!("a"), "Length of the value should be greater"),
        (json!({"type": "array", "maxLength": 0}), json!([1]), "Length of the value should be less"),
        (json!({"type": "string", "allowedValues": ["a", "b"]}), json!("c"), "allowed value(s): 'a,b'"),
        (json!({"type": "array", "allowedValues": ["a", "b"]}), json!(["a", "c"]), "allowed value(s): 'a,b'"),
        (json!({"type": "strnig"}), json!("c"), "has no type, or one that is not valid"),
        (json!({"type": "string"}), json!(null), "is not provided"),
    ] {
        let message = with(definition.clone(), value).unwrap_err();
        assert!(message.contains(part), "{definition}: {message}");
    }
    assert!(with(json!({"type": "array", "allowedValues": ["a", "b"]}), json!(["a", "b"])).is_ok());
    let message = with(json!({"type": "securestring", "minLength": 9}), json!("hunter2")).unwrap_err();
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn only_a_default_is_an_expression() {
    // What people write of a parameter is theirs.
    let definition = json!({"type": "string", "metadata": {"description": "[required]", "[a": "[concat(]"}});
    assert!(with(definition.clone(), json!("a")).is_ok());
    let mut with_default = definition.clone();
    with_default["defaultValue"] = json!("a");
    assert!(planned(&json!({"parameters": {"p": with_default}})).is_ok());
    let mut wrong = definition;
    wrong["defaultValue"] = json!("[nofunc()]");
    assert!(with(wrong, json!("a")).unwrap_err().contains("'nofunc' is not valid"));
}

#[test]
fn what_is_new_in_a_deployment_is_made_in_defaults_alone() {
    let text = |value: &str| json!({"type": "string", "defaultValue": value});
    let template = json!({"parameters": {
        "now": text("[utcNow()]"), "day": text("[dateTimeAdd(utcNow('u'), 'P1D', 'd')]"),
        "one": text("[newGuid()]"), "two": text("[newGuid()]"), "both": text("[concat(newGuid(), ' ', newGuid())]"),
        "late": text("[concat(parameters('one'), ' ', newGuid(), ' ', newGuid())]"),
    }});
    let plan = planned(&template).unwrap();
    let value = |name: &str| plan.parameters[name]["value"].as_str().unwrap().to_owned();
    assert_eq!((value("now").as_str(), value("day").as_str()), ("20200407T145314Z", "04/08/2020"));
    let all = ["one", "two", "both", "late"].map(value).join(" ");
    let guids: Vec<&str> = all.split(' ').collect();
    assert_eq!((guids.len(), guids[4]), (7, guids[0]));
    assert_eq!(guids.iter().collect::<std::collections::BTreeSet<_>>().len(), 6, "{guids:?}");
    for guid in &guids {
        assert_eq!(uuid::Uuid::try_parse(guid).unwrap().get_version_num(), 4, "{guid}");
    }
    // A deployment is planned at each of its steps: it stays the same one.
    assert_eq!(planned(&template).unwrap().parameters, plan.parameters);
    for elsewhere in [
        json!({"variables": {"v": "[utcNow()]"}}),
        json!({"outputs": {"o": {"type": "string", "value": "[newGuid()]"}}}),
        json!({"resources": [{"type": "a/b", "name": "[newGuid()]", "apiVersion": "1"}]}),
    ] {
        let message = planned(&elsewhere).unwrap_err().message;
        assert!(message.contains("is not expected at this location"), "{message}");
    }
}

#[test]
fn bounds_hold_for_what_is_given_and_for_defaults_alike() {
    let text = json!({"type": "string", "allowedValues": ["[[a]", "[b]", "[[c"]});
    let list = json!({"type": "array", "allowedValues": ["[[a]", "b"]});
    let object = json!({"type": "object", "allowedValues": [{"[[k]": ["[[a]"]}]});
    let integer = json!({"type": "int", "minValue": 2, "maxValue": 3});
    let long = json!({"type": "string", "minLength": 3, "maxLength": 5});
    // As it is given and as it is written; what is said where it is refused.
    for (definition, given, written, refused) in [
        (&text, json!("[a]"), json!("[[a]"), None),
        (&text, json!("[[c"), json!("[[c"), None),
        (&text, json!("[[a]"), json!("[[[a]"), Some("allowed value(s): '[a],[b],[[c'")),
        (&list, json!(["[a]", "b"]), json!(["[[a]", "b"]), None),
        (&list, json!(["[[a]"]), json!(["[[[a]"]), Some("allowed value(s): '[a],b'")),
        (&object, json!({"[k]": ["[a]"]}), json!({"[[k]": ["[[a]"]}), None),
        (&object, json!({"[[k]": ["[a]"]}), json!({"[[[k]": ["[[a]"]}), Some("allowed value(s)")),
        (&integer, json!(2), json!(2), None),
        (&integer, json!(1), json!(1), Some("The value should be greater than or equal to '2'")),
        (&integer, json!(4), json!(4), Some("The value should be less than or equal to '3'")),
        (&long, json!("[b]"), json!("[[b]"), None),
        (&long, json!("[]"), json!("[[]"), Some("Length of the value should be greater than or equal to '3'")),
        (&long, json!("[bcde]"), json!("[[bcde]"), Some("Length of the value should be less than or equal to '5'")),
    ] {
        let mut with_default = definition.clone();
        with_default["defaultValue"] = written;
        let by_default = planned(&json!({"parameters": {"p": with_default}}));
        let by_default = by_default.map(|plan| plan.parameters).map_err(|error| error.message);
        for told in [with(definition.clone(), given.clone()), by_default] {
            match (told, refused) {
                (Ok(shown), None) => assert_eq!(shown["p"]["value"], given, "{definition}"),
                (Err(message), Some(part)) => assert!(message.contains(part), "{definition}: {message}"),
                (told, _) => panic!("{definition} {given}: {told:?}"),
            }
        }
    }
}

#[test]
fn many_allowed_values_of_many_end_at_a_limit() {
    let many = |last: &str| (0..20_000).map(|at| json!(at)).chain([json!(last)]).rev().collect::<Value>();
    let message = with(json!({"type": "array", "allowedValues": many("a")}), many("b")).unwrap_err();
    assert!(message.contains("2000000 steps"), "{message}");
}

#[test]
fn null_is_a_value_of_what_may_be_null() {
    let definition = json!({"type": "string", "nullable": true, "defaultValue": null, "allowedValues": ["a"]});
    let plan = planned(&json!({"parameters": {"p": definition}, "outputs": {"o": {
        "type": "string", "value": "[coalesce(parameters('p'), 'none')]"}}}));
    assert_eq!(plan.unwrap().outputs(&Nothing).unwrap()["o"]["value"], "none");
    assert!(planned(&json!({"parameters": {"p": {"type": "string", "defaultValue": null}}})).is_err());
}

#[test]
fn an_unknown_parameter_is_refused() {
    let template = json!({"parameters": {"a": {"type": "string", "defaultValue": ""}}});
    let message = planned_with(&template, &json!({"b": 1})).unwrap_err().message;
    assert!(message.contains("The template parameters 'b' in the parameters file are not valid"), "{message}");
    assert!(message.contains("are 'a'"), "{message}");
}

#[test]
fn defaults_may_name_other_parameters_in_any_order() {
    let template = json!({
        "parameters": {
            "a": {"type": "string", "defaultValue": "[concat(parameters('B'), '-', resourceGroup().name)]"},
            "b": {"type": "string", "defaultValue": "b"},
        },
        "variables": {"x": "[variables('y')]", "y": "[parameters('a')]", "copy": [
            {"name": "z", "count": 2, "input": "[concat(variables('x'), copyIndex('z', 1))]"}]},
        "outputs": {"z": {"type": "array", "value": "[variables('z')]"}}
    });
    let plan = planned_with(&template, &json!({"b": "c"})).unwrap();
    assert_eq!(plan.parameters["a"]["value"], "c-rg1");
    assert_eq!(plan.outputs(&Nothing).unwrap()["z"]["value"], json!(["c-rg11", "c-rg12"]));
}

#[test]
fn circles_and_references_are_refused() {
    let parameters = json!({"parameters": {"a": {"type": "string", "defaultValue": "[parameters('a')]"}}});
    assert!(planned(&parameters).unwrap_err().message.contains("'a' is defined by itself"));
    let variables = json!({"variables": {"a": "[variables('b')]", "b": "[variables('a')]"}});
    assert!(planned(&variables).unwrap_err().message.contains("is defined by itself"));
    let reference = json!({"variables": {"a": "[reference('x')]"}});
    assert!(planned(&reference).unwrap_err().message.contains("template variable 'a' is not valid"));
    let variable = json!({"parameters": {"a": {"type": "string", "defaultValue": "[variables('b')]"}},
        "variables": {"b": "c"}});
    assert!(planned(&variable).unwrap_err().message.contains("variable 'b' is not found"));
}

#[test]
fn secure_outputs_and_conditions() {
    let template = json!({"outputs": {
        "S": {"type": "securestring", "value": "x"},
        "no": {"condition": false, "type": "string", "value": "[div(1, 0)]"},
        "list": {"type": "array", "copy": {"count": 2, "input": "[copyIndex()]"}},
    }});
    let outputs = planned(&template).unwrap().outputs(&Nothing).unwrap();
    assert_eq!(outputs, json!({"s": {"type": "secureString"}, "list": {"type": "array", "value": [0, 1]}}));
    let wrong = json!({"outputs": {"o": {"type": "int", "value": "x"}}});
    assert!(planned(&wrong).unwrap_err().message.contains("Expected 'Integer'. Actual 'String'"));
}
