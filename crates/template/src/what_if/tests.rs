use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::context::{Context, ResourceGroup, Subscription};
use crate::plan;
use crate::request::DeploymentRequest;

const GROUP: &str = "/subscriptions/s/resourceGroups/g";

struct World(BTreeMap<String, Value>);

impl Runtime for World {
    fn resource(&self, id: &str) -> Option<Value> {
        self.0.get(&id.to_lowercase()).cloned()
    }
}

const OF_TYPES: &[(&str, Members<'_>)] = &[("A.B/made", Members(&["properties.made"]))];

fn id(name: &str) -> String {
    format!("{GROUP}/providers/a.b/c/{name}")
}

fn context() -> Context {
    Context {
        subscription: Subscription { subscription_id: "s".to_owned(), ..Default::default() },
        resource_group: ResourceGroup { name: "g".to_owned(), ..Default::default() },
        deployment_name: "d".to_owned(),
        environment: json!({}),
        providers: Vec::new().into(),
        started_at: 0,
        seed: uuid::Uuid::nil(),
    }
}

fn changes(mode: &str, template: Value, parameters: Value, there: Value, format: ResultFormat) -> Vec<Value> {
    let body = json!({"properties": {"mode": mode, "template": template, "parameters": parameters}});
    let plan = plan(&DeploymentRequest::from_value(&body).unwrap(), &context()).unwrap();
    let there = there.as_object().unwrap().clone();
    let group: Vec<_> = there.keys().map(|name| id(name)).collect();
    let world = World(there.into_iter().map(|(name, value)| (id(&name).to_lowercase(), value)).collect());
    let ignored = Members(&["provisioningState", "principalId", "clientId", "protectedSettings"]);
    let options = WhatIf { format, ignored, ignored_of: OF_TYPES, group: &group };
    compare(&plan, &world, &options).unwrap().iter().map(Change::to_value).collect()
}

fn thing(name: &str, properties: Value) -> Value {
    json!({"type": "a.b/c", "name": name, "apiVersion": "1", "location": "West US", "properties": properties})
}

fn full(template: Value, there: Value) -> Vec<Value> {
    changes("Incremental", template, json!({}), there, ResultFormat::FullResourcePayloads)
}

#[test]
fn what_is_not_there_is_created() {
    let found = full(json!({"resources": [thing("x", json!({"p": 1, "q": null}))]}), json!({}));
    let after = json!({"apiVersion": "1", "id": id("x"), "type": "a.b/c", "name": "x", "location": "West US",
        "properties": {"p": 1}});
    assert_eq!(found, [json!({"resourceId": id("x"), "changeType": "Create", "after": after})]);
}

#[test]
fn what_the_server_makes_is_no_change() {
    let there = json!({"x": {"id": id("x"), "name": "x", "type": "a.b/c", "location": "westus",
        "identity": {"type": "SystemAssigned", "principalId": "1"}, "resources": [{"id": 1}],
        "properties": {"p": 1, "ref": "/SUBSCRIPTIONS/s", "provisioningState": "Succeeded"}}});
    let properties = json!({"p": 1, "ref": "/subscriptions/s", "protectedSettings": {"k": "v"}});
    let found = full(json!({"resources": [thing("x", properties)]}), there);
    assert_eq!(found[0]["changeType"], "NoChange");
    assert!(found[0].get("delta").is_none());
}

#[test]
fn what_the_server_makes_of_one_type_is_compared_of_others() {
    for (kind, change) in [("a.b/made", "NoChange"), ("a.b/c", "Modify")] {
        let mut new = thing("x", json!({"made": 1}));
        new["type"] = json!(kind);
        let body = json!({"properties": {"template": {"resources": [new]}}});
        let plan = plan(&DeploymentRequest::from_value(&body).unwrap(), &context()).unwrap();
        let there = json!({"location": "westus", "tags": {}, "properties": {"made": 2}});
        let world = World([(plan.resources[0].id.to_lowercase(), there)].into());
        let options = WhatIf { ignored_of: OF_TYPES, ..WhatIf::default() };
        assert_eq!(compare(&plan, &world, &options).unwrap()[0].change_type.as_str(), change, "{kind}");
    }
}

#[test]
fn identities_are_compared_by_what_they_mean() {
    let mut new = thing("x", json!({}));
    new["identity"] =
        json!({"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {"/subscriptions/S/id1": {}}});
    let there = json!({"x": {"location": "westus", "properties": {}, "identity": {
        "type": "SystemAssigned, UserAssigned", "principalId": "1",
        "userAssignedIdentities": {"/subscriptions/s/id1": {"principalId": "1", "clientId": "2"}}}}});
    assert_eq!(full(json!({"resources": [new]}), there)[0]["changeType"], "NoChange");
}

#[test]
fn differences_have_their_paths() {
    let there = json!({"x": {"location": "westus", "properties": {
        "same": 1, "other": {"deep": "a"}, "gone": true, "list": [1, {"in": 1, "keep": 2}, 3], "equal": [1]}}});
    let properties = json!({
        "same": 1, "other": {"deep": "b"}, "new": {}, "list": [1, {"in": 2, "keep": 2}], "equal": [1]});
    let found = full(json!({"resources": [thing("x", properties)]}), there);
    assert_eq!(found[0]["changeType"], "Modify");
    let expected = json!([
        {"path": "properties.other.deep", "propertyChangeType": "Modify", "before": "a", "after": "b"},
        {"path": "properties.gone", "propertyChangeType": "Delete", "before": true},
        {"path": "properties.list", "propertyChangeType": "Array",
         "before": [1, {"in": 1, "keep": 2}, 3], "after": [1, {"in": 2, "keep": 2}], "children": [
            {"path": "1", "propertyChangeType": "Modify", "before": {"in": 1, "keep": 2}, "after": {"in": 2, "keep": 2},
             "children": [{"path": "in", "propertyChangeType": "Modify", "before": 1, "after": 2}]},
            {"path": "2", "propertyChangeType": "Delete", "before": 3}]},
        {"path": "properties.new", "propertyChangeType": "Create", "after": {}},
    ]);
    assert_eq!(found[0]["delta"], expected);
}

#[test]
fn the_mode_says_what_becomes_of_the_rest() {
    let template = json!({"resources": [thing("x", json!({}))]});
    let there = json!({"X": {"location": "westus", "properties": {}}, "y": {"properties": {}}});
    for (mode, kind) in [("Incremental", "Ignore"), ("Complete", "Delete")] {
        let found = changes(mode, template.clone(), json!({}), there.clone(), ResultFormat::ResourceIdOnly);
        let expected = [
            json!({"resourceId": id("x"), "changeType": "NoChange"}),
            json!({"resourceId": id("y"), "changeType": kind}),
        ];
        assert_eq!(found, expected);
    }
}

#[test]
fn what_waits_for_others_is_deployed() {
    let found =
        full(json!({"resources": [thing("x", json!({})), thing("y", json!({"p": "[reference('x').p]"}))]}), json!({}));
    assert_eq!((&found[0]["changeType"], &found[1]["changeType"]), (&json!("Create"), &json!("Deploy")));
}

#[test]
fn nested_deployments_are_listed_in_their_place() {
    let inner = json!({"resources": [thing("x", json!({}))]});
    let nested = json!({"type": "Microsoft.Resources/deployments", "name": "n", "apiVersion": "1", "properties": {
        "mode": "Incremental", "template": inner, "expressionEvaluationOptions": {"scope": "inner"}}});
    let found = full(json!({"resources": [nested]}), json!({}));
    assert_eq!((found.len(), &found[0]["resourceId"]), (1, &json!(id("x"))));
}

#[test]
fn secrets_are_not_shown() {
    let template = json!({"parameters": {"s": {"type": "securestring"}},
        "resources": [thing("x", json!({"p": "[concat('a', parameters('s'))]"}))]});
    let parameters = json!({"s": {"value": "hunter2"}});
    let found = changes("Incremental", template, parameters, json!({}), ResultFormat::FullResourcePayloads);
    assert_eq!(found[0]["after"]["properties"]["p"], "*******");
    // Nor where a nested deployment has them under another name, or written into its template.
    let nested = |scope: &str, template: Value| {
        json!({"parameters": {"s": {"type": "securestring"}}, "resources": [{
            "type": "Microsoft.Resources/deployments", "name": "n", "apiVersion": "1", "properties": {
                "mode": "Incremental", "expressionEvaluationOptions": {"scope": scope}, "template": template,
                "parameters": {"q": {"value": "[parameters('s')]"}}}}]})
    };
    let parameter = json!({"q": {"type": "string"}});
    let inner = json!({"parameters": parameter, "resources": [thing("x", json!({"p": "[parameters('q')]"}))]});
    let outer = json!({"parameters": parameter, "resources": [thing("x", json!({"p": "[parameters('s')]"}))]});
    for template in [nested("inner", inner), nested("outer", outer)] {
        let parameters = json!({"s": {"value": "hunter2"}});
        let found = changes("Incremental", template, parameters, json!({}), ResultFormat::FullResourcePayloads);
        assert_eq!(found[0]["after"]["properties"]["p"], "*******");
    }
}

#[test]
fn numbers_and_booleans_of_a_secure_object_are_not_shown() {
    let template = json!({"parameters": {"s": {"type": "secureObject"}}, "resources": [thing("x", json!({
        "n": "[parameters('s').n]", "b": "[parameters('s').deep[0].b]", "t": "[concat('port ', parameters('s').n)]",
        "all": "[parameters('s')]", "else": 4, "no": true, "word": "Falsehood", "null": null}))]});
    let parameters = json!({"s": {"value": {"n": 8443, "deep": [{"b": false}], "null": null}}});
    let there = json!({"x": {"location": "westus", "properties": {"n": 8443, "b": false, "t": "port 8443", "else": 4,
        "no": true, "word": "Falsehood", "old": 8443, "all": {"n": 1}}}});
    let found = changes("Incremental", template, parameters, there, ResultFormat::FullResourcePayloads);
    let hidden = "*******";
    let all = json!({"n": hidden, "deep": [{"b": hidden}]});
    let after = json!({"n": hidden, "b": hidden, "t": hidden, "all": all, "else": 4, "no": true, "word": "Falsehood"});
    assert_eq!(found[0]["after"]["properties"], after);
    assert_eq!(found[0]["before"]["properties"]["n"], hidden);
    // What is compared is what is hidden: it is no change that it isn't shown.
    let expected = json!([
        {"path": "properties.old", "propertyChangeType": "Delete", "before": hidden},
        {"path": "properties.all.n", "propertyChangeType": "Modify", "before": 1, "after": hidden},
        {"path": "properties.all.deep", "propertyChangeType": "Create", "after": [{"b": hidden}]},
    ]);
    assert_eq!(found[0]["delta"], expected);
}

#[test]
fn where_there_are_very_many_secrets_no_value_is_shown() {
    let many: Map<_, _> = (0..300).map(|at| (format!("m{at}"), json!(at))).collect();
    let template = json!({"parameters": {"s": {"type": "secureObject"}},
        "resources": [thing("x", json!({"p": "p", "n": 1000, "b": true}))]});
    let parameters = json!({"s": {"value": many}});
    let found = changes("Incremental", template, parameters, json!({}), ResultFormat::FullResourcePayloads);
    assert_eq!(found[0]["after"]["properties"], json!({"p": "*******", "n": "*******", "b": "*******"}));
}

/// A deployment that is copied and waits for a resource, so that planning doesn't follow it.
fn copied(count: usize, template: Value) -> Value {
    json!({"type": "Microsoft.Resources/deployments", "name": "[concat('n', copyIndex())]", "apiVersion": "1",
        "copy": {"name": "c", "count": count}, "properties": {
            "mode": "Incremental", "template": template, "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": {"p": {"value": format!("[reference('{}', '1').p]", id("there"))}}}})
}

/// A template that has that parameter and some resources.
fn waiting(resources: Value) -> Value {
    json!({"parameters": {"p": {"type": "int"}}, "resources": resources})
}

#[test]
fn one_account_holds_for_all_that_is_compared() {
    let there = json!({"there": {"properties": {"p": 1}}, "x": {"properties": {"p": "x".repeat(500_000)}}});
    let told = |resources: Value| {
        let body = json!({"properties": {"mode": "Incremental", "template": {"resources": resources}}});
        let plan = plan(&DeploymentRequest::from_value(&body).unwrap(), &context()).unwrap();
        let there = there.as_object().unwrap().clone();
        let world = World(there.into_iter().map(|(name, value)| (id(&name).to_lowercase(), value)).collect());
        compare(&plan, &world, &WhatIf::default()).map(|changes| changes.len()).map_err(|error| error.message)
    };
    // Deployments in deployments, 20 × 20 × 20 of them.
    let within = |inner: Value| json!([copied(20, waiting(inner))]);
    let message = told(within(within(within(json!([]))))).unwrap_err();
    assert!(message.contains("more than 2000000 steps"), "{message}");
    // A resource that is there and large, named again by each deployment.
    let message = told(json!([copied(200, waiting(json!([thing("x", json!({}))])))])).unwrap_err();
    assert!(message.contains("more than 67108864 bytes"), "{message}");
    // Each array tells all that is in it again.
    let deep = |inner: &str| (0..80).fold(json!(inner), |value, _| json!([value]));
    let many: Map<_, _> = (0..20).map(|at| (format!("m{at}"), deep(&"y".repeat(50_000)))).collect();
    let before: Map<_, _> = (0..20).map(|at| (format!("m{at}"), deep("z"))).collect();
    let there = json!({"x": {"properties": before}});
    let body = json!({"properties": {"template": {"resources": [thing("x", many.into())]}}});
    let plan = plan(&DeploymentRequest::from_value(&body).unwrap(), &context()).unwrap();
    let world = World([(id("x").to_lowercase(), there["x"].clone())].into());
    let message = compare(&plan, &world, &WhatIf::default()).unwrap_err().message;
    assert!(message.contains("more than 67108864 bytes"), "{message}");
}

#[test]
fn what_many_deployments_would_change_is_told() {
    let template = waiting(json!([thing("[deployment().name]", json!({}))]));
    let there = json!({"there": {"properties": {"p": 1}}});
    assert_eq!(full(json!({"resources": [copied(300, template)]}), there).len(), 301);
}
