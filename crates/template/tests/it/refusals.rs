//! Mistakes, in the words of Azure where they are known.

use serde_json::json;
use template::{Code, DeploymentRequest, plan};

use crate::fixture::{context, planned, refused, resources, thing};

#[test]
fn an_unknown_function_is_found_wherever_it_stands() {
    let expected = "Deployment template validation failed: 'The template function 'nofunc' is not valid.'";
    let mut deferred = thing("a", &[]);
    deferred["properties"] = json!({"x": "[concat(reference('b').y, if(true(), '', nofunc()))]"});
    for template in [
        json!({"parameters": {"p": {"type": "string", "defaultValue": "[nofunc()]"}}}),
        json!({"variables": {"v": ["[if(true(), 1, nofunc())]"]}}),
        json!({"resources": [{"type": "[nofunc()]"}]}),
        json!({"resources": [deferred, thing("b", &[])]}),
        json!({"resources": [{"type": "a/b", "name": "c", "apiVersion": "1", "properties": {"[nofunc()]": 1}}]}),
        json!({"outputs": {"o": {"type": "string", "value": "[nofunc(reference('x'))]"}}}),
    ] {
        let error = planned(&template).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (Code::InvalidTemplate, expected), "{template}");
        assert_eq!(error.line, Some(1), "{template}");
    }
}

#[test]
fn errors_name_the_line_of_the_authors_file() {
    let body = "{\"properties\": {\"mode\": \"Incremental\", template:{\n  \"resources\": [\n    {\n      \"type\": \
                \"a/b\", \"name\": \"c\", \"apiVersion\": \"1\",\n      \"x\": \"[add('a', 1)]\"\n    }]}}}";
    let error = plan(&DeploymentRequest::parse(body.as_bytes()).unwrap(), &context()).unwrap_err();
    assert_eq!((error.line, error.column), (Some(5), Some(12)));
    assert!(error.message.contains("The template resource 'c' at line '3' and column '5' is not valid"));
}

#[test]
fn a_resource_has_type_name_and_version() {
    let error = resources(json!([{"type": "a/b", "name": "c"}])).unwrap_err();
    assert_eq!(error.code, Code::InvalidRequestContent);
    assert!(error.message.contains("Required property 'apiVersion' not found in JSON."), "{}", error.message);
    assert!(refused(json!([{"type": "a/b", "name": 1, "apiVersion": "1"}])).contains("'name' is not a string"));
    assert!(refused(json!([1])).contains("A resource is not an object"));
    assert!(refused(json!(1)).contains("neither an array nor an object"));
}

#[test]
fn segments_must_fit() {
    let error = resources(json!([
        thing("a", &[]), {"type": "Microsoft.Compute/virtualMachines", "name": "a/b", "apiVersion": "1"},
    ]));
    let error = error.unwrap_err();
    let expected = "Deployment template validation failed: 'The template resource 'a/b' for type \
                    'Microsoft.Compute/virtualMachines' at line '1' and column '88' has incorrect segment lengths. A \
                    nested resource type must have identical number of segments as its resource name. A root resource \
                    type must have segment length one greater than its resource name. Please see \
                    https://aka.ms/arm-syntax-resources for usage details.'";
    assert_eq!(error.message, expected);
    assert_eq!((error.line, error.column), (Some(1), Some(88)));
}

#[test]
fn what_needs_state_is_refused_where_there_is_none() {
    for member in ["name", "location", "condition"] {
        let mut resource = thing("a", &[]);
        resource[member] = json!("[reference('a').x]");
        let message = refused(json!([resource]));
        assert!(message.contains("The template function 'reference' is not expected at this location."), "{message}");
    }
}

#[test]
fn sections_are_bounded() {
    let many = |count: usize, value: serde_json::Value| {
        let members = (0..count).map(|at| (format!("m{at}"), value.clone()));
        serde_json::Value::Object(members.collect())
    };
    let output = json!({"type": "int", "value": 1});
    let parameter = json!({"type": "int", "defaultValue": 1});
    for (template, part) in [
        (
            json!({"parameters": many(257, parameter.clone())}),
            "template parameters limit exceeded. Limit: '256' and actual: '257'",
        ),
        (json!({"variables": many(257, json!(1))}), "template variables limit exceeded. Limit: '256'"),
        (json!({"outputs": many(65, output.clone())}), "template outputs limit exceeded. Limit: '64'"),
    ] {
        assert!(planned(&template).unwrap_err().message.contains(part), "{part}");
    }
    let fits =
        json!({"parameters": many(256, parameter), "variables": many(256, json!(1)), "outputs": many(64, output)});
    assert!(planned(&fits).is_ok());
    let long = json!({"variables": {"v": format!("[concat('{}')]", "a".repeat(24_576))}});
    assert!(planned(&long).unwrap_err().message.contains("Limit: '24576' and actual: '24586'"));
}

#[test]
fn what_is_as_deep_as_may_be_is_planned() {
    // In a thread of the size that servers give their workers.
    let deep = |levels: usize, inner: serde_json::Value| (0..levels).fold(inner, |value, _| json!([value]));
    let expression = format!("[{}'a'{}]", "toLower(".repeat(98), ")".repeat(98));
    let mut resource = thing("a", &[]);
    resource["properties"] = deep(93, json!(expression));
    assert!(resources(json!([resource])).is_ok());
    let mut resource = thing("a", &[]);
    resource["properties"] = deep(99, json!(1));
    let error = resources(json!([resource])).unwrap_err();
    assert!(error.message.contains("nested deeper than 100"), "{}", error.message);
    // Each variable is one level deeper than the one before.
    let mut variables = json!({"v0": deep(50, json!(1))});
    for at in 1..200 {
        variables[format!("v{at}")] = json!(format!("[createArray(variables('v{}'))]", at - 1));
    }
    assert!(planned(&json!({ "variables": variables })).unwrap_err().message.contains("nested deeper than 100"));
}

#[test]
fn plans_can_be_shared_and_shown_without_secrets() {
    fn shared<T: Send + Sync>(_: &T) {}
    let template = json!({"parameters": {"p": {"type": "securestring"}}, "variables": {"v": "[parameters('p')]"}});
    let body = json!({"properties": {"template": template, "parameters": {"p": {"value": "hunter2"}}}}).to_string();
    let request = DeploymentRequest::parse(body.as_bytes()).unwrap();
    let plan = plan(&request, &context()).unwrap();
    shared(&plan);
    assert!(!format!("{request:?}{plan:?}").contains("hunter2"));
}
