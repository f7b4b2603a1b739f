//! Functions of a template's own, in the form that Bicep writes them.

use serde_json::{Value, json};
use template::{Nothing, Plan, TemplateError, plan};

use crate::fixture::planned;

fn function(parameters: Value, output: Value) -> Value {
    json!({"parameters": parameters, "output": output})
}

fn text(value: &str) -> Value {
    json!({"type": "string", "value": value})
}

fn functions() -> Value {
    let p = json!({"name": "p", "type": "string"});
    json!([{"namespace": "__bicep", "members": {
        "greet": function(json!([p, {"name": "many", "type": "int", "minValue": 1}]),
            text("[format('{0}-{1}', parameters('P'), parameters('many'))]")),
        "twice": function(json!([p]), text("[concat(__bicep.greet(parameters('p'), 1), __bicep.Greet(parameters('p'), 2))]")),
        "object": function(json!([{"$ref": "#/definitions/pair", "name": "pair"}]), json!({"$ref": "#/definitions/pair",
            "value": {"a": "[parameters('pair').a]", "b": "[map(parameters('pair').b, lambda('x', __bicep.five()))]"}})),
        "five": json!({"output": {"type": "int", "value": 5}}),
    }}, {"namespace": "Other", "members": {"five": {"output": {"type": "int", "value": 6}}}}])
}

fn of(value: &str) -> Result<Plan, TemplateError> {
    planned(&json!({
        "definitions": {"pair": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "array"}}}},
        "functions": functions(), "variables": {"v": "x"},
        "parameters": {"p": {"type": "string", "defaultValue": "[__bicep.greet('outer', 9)]"}},
        "outputs": {"o": {"type": "object", "value": {"v": value}}},
    }))
}

#[test]
fn functions_know_their_arguments() {
    for (expression, expected) in [
        ("[__bicep.greet('a', 3)]", json!("a-3")),
        ("[__BICEP.TWICE(variables('v'))]", json!("x-1x-2")),
        ("[__bicep.twice(parameters('p'))]", json!("outer-9-1outer-9-2")),
        ("[__bicep.object(createObject('a', 'y', 'b', range(0, 2)))]", json!({"a": "y", "b": [5, 5]})),
        ("[add(__bicep.five(), other.five())]", json!(11)),
        ("[map(range(1, 2), lambda('x', __bicep.greet('a', lambdaVariables('x'))))]", json!(["a-1", "a-2"])),
    ] {
        let outputs = of(expression).unwrap().outputs(&Nothing).unwrap();
        assert_eq!(outputs["o"]["value"]["v"], expected, "{expression}");
    }
}

#[test]
fn what_is_wrong_with_a_call_is_told() {
    for (expression, part) in [
        ("[__bicep.nope()]", "The template function '__bicep.nope' is not valid."),
        ("[if(true(), 1, __bicep.greet('a'))]", "it takes 2 argument(s), and gets 1"),
        ("[__bicep.greet(1, 1)]", "'__bicep.greet': the parameter 'p' is not valid. Template parameter JTokenType"),
        (
            "[__bicep.greet('a', 0)]",
            "the parameter 'many' is not valid. The value should be greater than or equal to '1'.",
        ),
        ("[__bicep.object(createObject('a', 'y'))]", "The property is missing. Path 'b'."),
    ] {
        let message = of(expression).unwrap_err().message;
        assert!(message.contains(part), "{expression}: {message}");
    }
}

#[test]
fn what_is_wrong_with_a_function_is_told() {
    let with = |member: Value| {
        let functions = json!([{"namespace": "n", "members": {"f": member}}]);
        planned(&json!({"functions": functions, "variables": {"v": 1}, "parameters": {"q": {"type": "int", "defaultValue": 1}},
            "outputs": {"o": {"type": "string", "value": "[n.f('a')]"}}})).unwrap_err()
    };
    let p = json!([{"name": "p", "type": "string"}]);
    for (member, part) in [
        (function(p.clone(), text("[nofunc()]")), "'nofunc' is not valid"),
        (function(p.clone(), text("[parameters('q')]")), "The template parameter 'q' is not found."),
        (function(p.clone(), text("[variables('v')]")), "The template variable 'v' is not found."),
        (function(p.clone(), text("[parameters(concat('', 'q'))]")), "The template parameter 'q' is not found."),
        (function(p.clone(), text("[variables(concat('', 'v'))]")), "The template variable 'v' is not found."),
        (function(p.clone(), text("[string(copyIndex())]")), "'copyIndex' is not expected"),
        (function(p.clone(), text("[utcNow()]")), "'utcNow' is not expected"),
        (
            function(p.clone(), json!({"type": "int", "value": "[parameters('p')]"})),
            "the output is not valid. Template output JTokenType",
        ),
        (function(p.clone(), json!({"value": ""})), "It has no type, or one that is not valid."),
        (json!({"parameters": p}), "The template function 'n.f' at line '1' and column '47' has no output."),
        (function(p.clone(), json!({"type": "string"})), "has no value."),
        (function(json!([{"type": "string"}]), text("")), "has a parameter without a name."),
        (function(p.clone(), text("[n.f(parameters('p'))]")), "nested deeper than 300"),
    ] {
        let error = with(member.clone());
        assert!(error.message.contains(part), "{member}: {}", error.message);
    }
    for wrong in [json!({}), json!([{"members": {}}])] {
        assert!(planned(&json!({"functions": wrong})).is_err(), "{wrong}");
    }
}

#[test]
fn functions_that_call_one_another_end_at_a_limit() {
    // Each is as deep as a value and an expression may be, in a thread of the size that servers give their workers.
    let deep = |inner: String| {
        let expression = format!("[{}{inner}{}]", "string(".repeat(90), ")".repeat(90));
        (0..80).fold(json!(expression), |value, _| json!([value]))
    };
    let functions: Value = (0..20)
        .map(|at| {
            let inner = format!("n.f{}()", at + 1);
            (format!("f{at}"), json!({"output": {"type": "array", "value": deep(inner)}}))
        })
        .chain([("f20".to_owned(), json!({"output": {"type": "array", "value": []}}))])
        .collect::<serde_json::Map<_, _>>()
        .into();
    let call = |at: usize| {
        planned(&json!({"functions": [{"namespace": "n", "members": functions}],
            "outputs": {"o": {"type": "array", "value": format!("[n.f{at}()]")}}}))
    };
    assert!(call(19).is_ok());
    assert!(call(0).unwrap_err().message.contains("nested deeper than 300"));
    // And doubles what the one before makes.
    let double: Value = (1..40)
        .map(|at| {
            let value = format!("[concat(n.f{0}(), n.f{0}())]", at - 1);
            (format!("f{at}"), json!({"output": text(&value)}))
        })
        .chain([("f0".to_owned(), json!({"output": text("0123456789")}))])
        .collect::<serde_json::Map<_, _>>()
        .into();
    let template = json!({"functions": [{"namespace": "n", "members": double}],
        "outputs": {"o": {"type": "string", "value": "[n.f39()]"}}});
    let message = planned(&template).unwrap_err().message;
    assert!(message.contains("2000000") || message.contains("67108864") || message.contains("1048576"), "{message}");
}

#[test]
fn an_outer_template_calls_the_functions_of_its_parent() {
    let thing = |name: &str| json!({"type": "Test.Things/things", "apiVersion": "1", "name": name});
    let mut many = thing("[__bicep.greet('b', copyIndex(1))]");
    many["copy"] = json!({"name": "c", "count": 2});
    let nested = json!({"type": "Microsoft.Resources/deployments", "name": "n", "apiVersion": "1", "properties": {
        "mode": "Incremental", "template": {"resources": [thing("[__bicep.greet('a', 1)]"), many]}}});
    let outer = planned(&json!({"functions": functions(), "resources": [nested]})).unwrap();
    let request = outer.resources[0].nested(&Nothing).unwrap().unwrap();
    let inner = plan(&request, &outer.resources[0].nested_context()).unwrap();
    assert_eq!(crate::fixture::names(&inner), ["a-1", "b-1", "b-2"]);
}
