//! Templates that are refused before anything is touched, and bombs.

use super::deployments::{raw, strict, template};
use super::*;

#[tokio::test]
async fn what_is_not_sound_is_refused_by_all_three() {
    let arm = Arm::new().await;
    let name = |name: &str| json!([{"type": "A.B/c", "apiVersion": "2020-01-01", "name": name}]);
    let with = |member: &str, value: Value| {
        let mut template = template(name("x"));
        template[member] = value;
        strict(&template).to_string()
    };
    let cycle = json!([
        {"type": "A.B/c", "apiVersion": "2020-01-01", "name": "x", "dependsOn": ["y"]},
        {"type": "A.B/c", "apiVersion": "2020-01-01", "name": "y", "dependsOn": ["x"]},
    ]);
    let rows = [
        (
            strict(&template(name("[nofunc()]"))).to_string(),
            "InvalidTemplate",
            "The template function 'nofunc' is not valid.",
        ),
        (
            strict(&template(name("[utcNow()]"))).to_string(),
            "InvalidTemplate",
            "'utcNow' is not expected at this location",
        ),
        (
            strict(&template(name("[concat('a']"))).to_string(),
            "InvalidTemplate",
            r#""lineNumber":1,"linePosition":91,"#,
        ),
        (
            strict(&template(name("[parameters('nope')]"))).to_string(),
            "InvalidTemplate",
            "The template parameter 'nope' is not found",
        ),
        (strict(&template(cycle)).to_string(), "InvalidTemplate", "Circular dependency detected on resource: '"),
        (
            with("parameters", json!({"p": {"type": "string"}})),
            "InvalidTemplate",
            "The value for the template parameter 'p'",
        ),
        (
            with("parameters", json!({"p": {"type": "nosuch", "defaultValue": 1}})),
            "InvalidTemplate",
            "'p' at line '1' and column '115' has no type",
        ),
        (with("resources", json!("x")), "InvalidTemplate", "'resources' is neither an array nor an object"),
        (
            json!({"properties": {"mode": "Sometimes", "template": {}}}).to_string(),
            "InvalidRequestContent",
            "The deployment mode is not valid",
        ),
        (json!({}).to_string(), "InvalidRequestContent", "The member 'properties' of the request is missing"),
        (
            raw("{\n  \"resources\": [\n    { \"type\": ]\n}", &json!({})),
            "InvalidRequestContent",
            "Line 3, position 15",
        ),
    ];
    for (body, code, text) in rows {
        for (method, path) in [("POST", "/validate"), ("POST", "/whatIf"), ("PUT", "")] {
            let answer = arm.send(&arm.token, method, &format!("{}{path}", deployment("d1")), body.clone()).await;
            assert_eq!(answer.status.as_u16(), 400, "{body}: {}", answer.body);
            let answer = answer.refuses(400, code);
            assert!(answer.body.contains(text), "{body}: {}", answer.body);
        }
    }
    arm.get(&deployment("d1")).await.refuses(404, "DeploymentNotFound");
    let sound = strict(&template(name("x")));
    arm.put(&deployment("a b"), sound.clone()).await.refuses(400, "InvalidResourceName");
    arm.put(&deployment(&"x".repeat(65)), sound.clone()).await.refuses(400, "InvalidResourceName");
    arm.put(&deployment("d1").replace("rg1", "nope"), sound).await.refuses(404, "ResourceGroupNotFound");
}

#[tokio::test]
async fn bombs_are_told_which_limit_they_meet() {
    let arm = Arm::new().await;
    let one = |copy: Value| json!([{"type": "A.B/c", "apiVersion": "2020-01-01", "name": "[concat('x', copyIndex())]", "copy": copy}]);
    let double = |times: usize| {
        let mut variables = serde_json::Map::new();
        variables.insert("v0".to_owned(), "0123456789".into());
        for number in 0..times {
            let (name, value) =
                (format!("v{}", number + 1), format!("[concat(variables('v{number}'), variables('v{number}'))]"));
            variables.insert(name, value.into());
        }
        let mut template = template(
            json!([{"type": "A.B/c", "apiVersion": "2020-01-01", "name": "x", "properties": {"v": format!("[variables('v{times}')]")}}]),
        );
        template["variables"] = variables.into();
        template
    };
    let mut recursive = template(json!([]));
    recursive["variables"] = json!({"a": "[variables('b')]", "b": "[variables('a')]"});
    recursive["outputs"] = json!({"o": {"type": "string", "value": "[variables('a')]"}});
    let mut nested = template(json!([]));
    for level in 0..12 {
        nested = template(json!([{
            "type": "Microsoft.Resources/deployments", "apiVersion": "2021-04-01", "name": format!("n{level}"),
            "properties": {"mode": "Incremental", "template": nested},
        }]));
    }
    let deep = format!("[{}1{}]", "string(".repeat(500), ")".repeat(500));
    let many: Vec<Value> = (0..801)
        .map(|number| json!({"type": "A.B/c", "apiVersion": "2020-01-01", "name": format!("x{number}")}))
        .collect();
    for (template, limit) in [
        (template(one(json!({"name": "c", "count": 1_000_000}))), "800"),
        (template(one(json!({"name": "c", "count": -1}))), "count"),
        (template(many.into()), "800"),
        (double(40), "1048576"),
        (recursive, "Circular"),
        (nested, "deeper than 8"),
        (template(json!([{"type": "A.B/c", "apiVersion": "2020-01-01", "name": deep}])), "100"),
        (
            template(
                json!([{"type": "A.B/c", "apiVersion": "2020-01-01", "name": "x", "properties": {"r": "[range(0, 1000000)]"}}]),
            ),
            "10000",
        ),
    ] {
        let body = strict(&template).to_string();
        let answer = arm.send(&arm.token, "POST", &format!("{}/validate", deployment("d1")), body.clone()).await;
        let told = if answer.status == StatusCode::OK {
            // What only shows when a resource is written fails that resource.
            let poll = arm.deploy("d1", body.clone(), &Guest::SOUND).await;
            assert_eq!(poll["status"], "Failed", "{poll}");
            poll["error"].to_string()
        } else {
            assert_eq!(answer.status.as_u16(), 400, "{}", answer.body);
            answer.body.clone()
        };
        let start: String = body.chars().take(200).collect();
        assert!(told.contains(limit), "{start}: {told}");
    }
}
