//! Deployments in deployments.

use serde_json::{Value, json};
use template::{Nothing, Plan, plan};

use crate::fixture::{World, group, names, planned, refused, resources, thing};

fn nested(scope: Option<&str>, template: Value, parameters: Value) -> Value {
    let mut deployment = json!({"type": "Microsoft.Resources/deployments", "name": "inner", "apiVersion": "2022-09-01",
        "properties": {"mode": "Incremental", "template": template, "parameters": parameters}});
    if let Some(scope) = scope {
        deployment["properties"]["expressionEvaluationOptions"] = json!({ "scope": scope });
    }
    deployment
}

#[test]
fn an_inner_template_has_its_own_parameters() {
    let template = json!({
        "parameters": {"p": {"type": "string"}},
        "resources": [{"type": "Test.Things/things", "name": "[concat(parameters('p'), deployment().name)]",
            "apiVersion": "1"}]});
    let parameters = json!({"p": {"value": "[reference('first').x]"}});
    let outer = resources(json!([nested(Some("inner"), template, parameters), thing("first", &[])])).unwrap();
    assert_eq!(names(&outer), ["first", "inner"]);
    assert!(outer.resources[1].needs_runtime);
    let first = format!("{}/providers/Test.Things/things/first", group());
    let world = World::default().with(&first, json!({"properties": {"x": "y-"}}));
    let request = outer.resources[1].nested(&world).unwrap().unwrap();
    let inner = plan(&request, &outer.resources[1].nested_context()).unwrap();
    assert_eq!(names(&inner), ["y-inner"]);
    assert!(outer.resources[0].nested(&world).unwrap().is_none());
}

#[test]
fn an_outer_template_is_evaluated_with_its_parent() {
    let inner = json!({"resources": [{"type": "Test.Things/things", "name": "[concat('a', 'b')]", "apiVersion": "1",
        "properties": {"literal": "[[not()]", "name": "[deployment().name]"}}]});
    let outer = resources(json!([nested(None, inner, json!({}))])).unwrap();
    let request = outer.resources[0].nested(&Nothing).unwrap().unwrap();
    let inner = plan(&request, &outer.resources[0].nested_context()).unwrap();
    assert_eq!(names(&inner), ["ab"]);
    let body = inner.resources[0].body(&Nothing).unwrap();
    assert_eq!(body["properties"], json!({"literal": "[not()]", "name": "d1"}));
}

#[test]
fn an_outer_template_may_have_copies_of_its_own() {
    let inner = json!({"resources": [{"type": "Test.Things/things", "name": "[concat(variables('it''s').a, copyIndex(1))]",
        "apiVersion": "1", "copy": {"name": "loop", "count": "[length(variables('it''s').list)]"},
        "properties": {"of": "[variables('it''s').list[copyIndex()]]", "name": "[deployment().name]", "copy": [
            {"name": "all", "count": 2, "input": "[concat(copyIndex('all'), copyIndex())]"}]}}],
        "outputs": {"o": {"type": "array", "copy": {"count": 2, "input": "[copyIndex()]"}}}});
    let template = json!({"variables": {"it's": {"a": "it's-", "list": ["x", "[[y]"]}},
        "resources": [nested(None, inner, json!({}))]});
    let outer = planned(&template).unwrap();
    let request = outer.resources[0].nested(&Nothing).unwrap().unwrap();
    let inner = plan(&request, &outer.resources[0].nested_context()).unwrap();
    assert_eq!(names(&inner), ["it's-1", "it's-2"]);
    let body = inner.resources[1].body(&Nothing).unwrap();
    assert_eq!(body["properties"], json!({"of": "[y]", "name": "d1", "all": ["01", "11"]}));
    assert_eq!(inner.outputs(&Nothing).unwrap()["o"]["value"], json!([0, 1]));
}

/// The plan of a nested deployment.
fn within(outer: &Plan, at: usize) -> Plan {
    let request = outer.resources[at].nested(&Nothing).unwrap().unwrap();
    plan(&request, &outer.resources[at].nested_context()).unwrap()
}

#[test]
fn an_inner_template_inside_of_an_outer_one_is_evaluated_on_its_own() {
    let inner = json!({
        "parameters": {"q": {"type": "string"}}, "variables": {"v": "[[v]"},
        "resources": [{"type": "Test.Things/things", "name": "[concat(parameters('q'), deployment().name)]",
            "apiVersion": "1", "properties": {"v": "[variables('v')]"}}],
        "outputs": {"o": {"type": "string", "value": "[parameters('q')]"}}});
    let deployment = nested(Some("inner"), inner, json!({"q": {"value": "[parameters('p')]"}}));
    let mut many = deployment.clone();
    many["name"] = json!("[concat('many', copyIndex())]");
    many["copy"] = json!({"name": "c", "count": 2});
    many["properties"]["parameters"]["q"]["value"] = json!("[concat(parameters('p'), copyIndex())]");
    let around = nested(None, json!({"resources": [deployment]}), json!({}));
    // Deployments in deployments, the last of which is evaluated on its own.
    for (resources, levels, deployments, made) in [
        (json!([deployment]), 1, vec!["inner"], "p-inner"),
        (json!({"symbol": deployment}), 1, vec!["inner"], "p-inner"),
        (json!([many]), 1, vec!["many0", "many1"], "p-0many0"),
        (json!([around]), 2, vec!["inner"], "p-inner"),
    ] {
        let template = json!({"parameters": {"p": {"type": "string", "defaultValue": "p-"}},
            "resources": [nested(Some("outer"), json!({ "resources": resources }), json!({}))]});
        let outer = (0..levels).fold(planned(&template).unwrap(), |outer, _| within(&outer, 0));
        assert_eq!(names(&outer), deployments);
        let inner = within(&outer, 0);
        assert_eq!(names(&inner), [made]);
        assert_eq!(inner.resources[0].body(&Nothing).unwrap()["properties"]["v"], "[v]");
        assert_eq!(inner.outputs(&Nothing).unwrap()["o"]["value"], made.trim_end_matches(deployments[0]));
    }
}

#[test]
fn an_outer_template_knows_the_turn_of_its_deployment() {
    let mut own = thing("[concat('own', copyIndex('loop'), copyIndex(), copyIndex('own', 5))]", &[]);
    own["copy"] = json!({"name": "own", "count": 2});
    own["properties"] = json!({"both": "[concat(copyIndex('loop', 10), '-', copyIndex('OWN'))]", "copy": [
        {"name": "list", "count": 1, "input": "[concat(copyIndex('list', 7), copyIndex('loop'), copyIndex())]"}]});
    let inner = json!({"resources": [thing("[concat('t', copyIndex(), copyIndex('loop', 1))]", &[]), own],
        "outputs": {"o": {"type": "int", "value": "[copyIndex()]"}}});
    let mut deployment = nested(None, inner, json!({}));
    deployment["name"] = json!("[concat('n', copyIndex())]");
    deployment["copy"] = json!({"name": "loop", "count": 2});
    let outer = resources(json!([deployment])).unwrap();
    assert_eq!(names(&outer), ["n0", "n1"]);
    let inner = within(&outer, 1);
    assert_eq!(names(&inner), ["t12", "own105", "own116"]);
    let body = inner.resources[2].body(&Nothing).unwrap();
    assert_eq!(body["properties"], json!({"both": "11-1", "list": ["711"]}));
    assert_eq!(inner.outputs(&Nothing).unwrap()["o"]["value"], 1);
}

#[test]
fn what_is_wrong_inside_is_found_while_planning() {
    let wrong = json!({"resources": [{"type": "Test.Things/things", "name": "[nofunc()]", "apiVersion": "1"}]});
    for scope in [None, Some("inner"), Some("outer")] {
        let message = refused(json!([nested(scope, wrong.clone(), json!({}))]));
        assert_eq!(message, "Deployment template validation failed: 'The template function 'nofunc' is not valid.'");
    }
    let missing = json!({"parameters": {"p": {"type": "int"}}});
    assert!(refused(json!([nested(Some("inner"), missing, json!({}))])).contains("'p' at line"));
    let mut linked = nested(None, json!({}), json!({}));
    linked["properties"] = json!({"mode": "Incremental", "templateLink": {"uri": "https://x"}});
    assert!(refused(json!([linked])).contains("by 'templateLink' is not supported here"));
}

#[test]
fn another_group_is_in_the_id() {
    let mut deployment = nested(Some("inner"), json!({"resources": [thing("a", &[])]}), json!({}));
    deployment["resourceGroup"] = json!("other");
    let outer = resources(json!([deployment])).unwrap();
    assert!(outer.resources[0].id.contains("/resourceGroups/other/providers/Microsoft.Resources/deployments/inner"));
    assert!(outer.resources[0].body(&Nothing).unwrap().get("resourceGroup").is_none());
    let request = outer.resources[0].nested(&Nothing).unwrap().unwrap();
    let inner = plan(&request, &outer.resources[0].nested_context()).unwrap();
    assert!(inner.resources[0].id.contains("/resourceGroups/other/"));
}

#[test]
fn nesting_is_bounded() {
    let mut template = json!({"resources": []});
    for _ in 0..10 {
        template = json!({ "resources": [nested(Some("inner"), template, json!({}))] });
    }
    assert!(refused(template["resources"].clone()).contains("deeper than 8"));
}

#[test]
fn a_nested_deployment_is_incremental_and_has_a_name_of_deployments() {
    let told = |name: &str, mode: Value| {
        let mut deployment = nested(Some("inner"), json!({"resources": []}), json!({}));
        deployment["name"] = json!(name);
        deployment["properties"]["mode"] = mode;
        resources(json!([deployment, thing("first", &[])]))
            .map(|plan| plan.resources.len())
            .map_err(|error| error.message)
    };
    for mode in ["Incremental", "incremental", "[toLower('INCREMENTAL')]"] {
        assert_eq!(told("inner", json!(mode)), Ok(2), "{mode}");
    }
    for mode in ["Complete", "[concat('Comp', 'lete')]", "Sometimes"] {
        let message = told("inner", json!(mode)).unwrap_err();
        assert!(message.contains("Specified deployment mode '"), "{mode}: {message}");
        assert!(message.contains("is not supported for nested deployment"), "{mode}: {message}");
    }
    assert!(told("inner", json!(1)).unwrap_err().contains("mode"));
    // Nor when only the state of a resource says it.
    let mut late = nested(Some("inner"), json!({"resources": []}), json!({}));
    late["properties"]["mode"] = json!("[reference('first').mode]");
    let plan = resources(json!([late, thing("first", &[])])).unwrap();
    let first = format!("{}/providers/Test.Things/things/first", group());
    let world = World::default().with(&first, json!({"properties": {"mode": "Complete"}}));
    assert!(plan.resources[1].body(&world).unwrap_err().message.contains("mode 'Complete' is not supported"));
    for name in ["a", "A-b_c.(1)", "ä", &"x".repeat(64)] {
        assert_eq!(told(name, json!("Incremental")), Ok(2), "{name}");
    }
    let long = told(&"x".repeat(65), json!("Incremental")).unwrap_err();
    assert!(long.contains("has a length of '65' which exceeds the maximum length of '64'"), "{long}");
    for name in ["a b", "a*b", "a:b", "a."] {
        let message = told(name, json!("Incremental")).unwrap_err();
        assert!(message.contains(&format!("The provided deployment name '{name}'")), "{message}");
    }
}
