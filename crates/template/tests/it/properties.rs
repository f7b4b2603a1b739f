//! Properties of all templates.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use template::{DeploymentRequest, Nothing, plan, reader};

use crate::fixture::{context, planned, resources, thing};

/// JSON of any shape, not deep.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Text that is nearly an expression.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("'a'".to_owned()),
        Just("0".to_owned()),
        Just("-1".to_owned()),
        Just("true()".to_owned()),
        Just("null()".to_owned()),
        Just("variables('v')".to_owned()),
        Just("parameters('p')".to_owned()),
        Just("resourceGroup()".to_owned()),
        Just("copyIndex()".to_owned()),
        Just("lambda('x', lambdaVariables('x'))".to_owned()),
        Just("lambda('x', 'y', less(lambdaVariables('x'), lambdaVariables('y')))".to_owned()),
        Just("'10.0.0.0/8'".to_owned()),
        Just("'2020-04-07T14:53:14Z'".to_owned()),
        Just("reference('a')".to_owned()),
        Just("createArray()".to_owned()),
        Just("json('{\"a\": [1, null]}')".to_owned()),
    ];
    let names = prop::sample::select(vec![
        "concat",
        "format",
        "toLower",
        "trim",
        "split",
        "join",
        "replace",
        "substring",
        "startsWith",
        "endsWith",
        "indexOf",
        "lastIndexOf",
        "length",
        "padLeft",
        "empty",
        "contains",
        "first",
        "last",
        "skip",
        "take",
        "uniqueString",
        "guid",
        "base64",
        "base64ToString",
        "base64ToJson",
        "string",
        "uri",
        "uriComponent",
        "uriComponentToString",
        "dataUri",
        "dataUriToString",
        "array",
        "createArray",
        "createObject",
        "union",
        "intersection",
        "range",
        "min",
        "max",
        "json",
        "items",
        "objectKeys",
        "flatten",
        "tryGet",
        "shallowMerge",
        "int",
        "float",
        "add",
        "sub",
        "mul",
        "div",
        "mod",
        "if",
        "and",
        "or",
        "not",
        "equals",
        "less",
        "greater",
        "bool",
        "coalesce",
        "parameters",
        "variables",
        "resourceId",
        "subscriptionResourceId",
        "tenantResourceId",
        "extensionResourceId",
        "reference",
        "providers",
        "copyIndex",
        "deployment",
        "indexFromEnd",
        "tryIndexFromEnd",
        "parseCidr",
        "cidrSubnet",
        "cidrHost",
        "dateTimeAdd",
        "dateTimeFromEpoch",
        "dateTimeToEpoch",
        "filter",
        "groupBy",
        "map",
        "mapValues",
        "reduce",
        "sort",
        "toObject",
        "lambda",
        "lambdaVariables",
        "fail",
        "pickZones",
        "managementGroupResourceId",
        "nofunc",
    ]);
    leaf.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            4 => (names.clone(), prop::collection::vec(inner.clone(), 0..4))
                .prop_map(|(name, arguments)| format!("{name}({})", arguments.join(", "))),
            1 => (inner.clone(), "[a-z]{1,3}").prop_map(|(of, name)| format!("{of}.{name}")),
            1 => (inner.clone(), inner).prop_map(|(of, index)| format!("{of}[{index}]")),
        ]
    })
}

proptest! {
    #[test]
    fn the_reader_never_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = reader::read(&body);
    }

    #[test]
    fn the_reader_never_panics_on_what_looks_right(body in r#"[\[\]{}:,"'/*\\ \n\r\ttemplaproic0-9.eE+\x{feff}-]{0,80}"#) {
        let _ = DeploymentRequest::parse(body.as_bytes());
    }

    #[test]
    fn strict_json_is_read_as_everybody_reads_it(value in any_json()) {
        let text = serde_json::to_string_pretty(&value).unwrap();
        let expected: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(reader::read(text.as_bytes()).unwrap().to_value(), expected);
    }

    #[test]
    fn evaluating_never_panics(expression in expression()) {
        let mut a = thing("b", &[]);
        a["properties"] = json!({ "x": format!("[{expression}]") });
        let template = json!({"parameters": {"p": {"type": "int", "defaultValue": 3}},
            "variables": {"v": {"a": [1, "x"]}}, "resources": [a, thing("a", &[])]});
        if let Ok(plan) = planned(&template) {
            for resource in &plan.resources {
                let _ = resource.body(&Nothing);
            }
        }
    }

    #[test]
    fn any_text_between_brackets_is_an_expression_or_refused(text in any::<String>()) {
        let _ = planned(&json!({"variables": {"v": format!("[{text}]")}}));
    }

    #[test]
    fn a_value_without_brackets_stays_what_it_is(value in any_json()) {
        fn free(value: &Value) -> bool {
            match value {
                Value::String(text) => !text.starts_with('['),
                Value::Array(elements) => elements.iter().all(free),
                Value::Object(members) => members.iter().all(|(name, value)| {
                    !name.starts_with('[') && !name.eq_ignore_ascii_case("copy") && free(value)
                }),
                Value::Null | Value::Bool(_) | Value::Number(_) => true,
            }
        }
        prop_assume!(free(&value));
        let mut a = thing("a", &[]);
        a["properties"] = value.clone();
        let body = resources(json!([a])).unwrap().resources[0].body(&Nothing).unwrap();
        // Numbers pass through a text once.
        let expected: Value = serde_json::from_str(&value.to_string()).unwrap();
        prop_assert_eq!(&body["properties"], &expected);
    }

    #[test]
    fn a_plan_is_an_order(edges in prop::collection::vec(prop::collection::vec(0_usize..12, 0..4), 12)) {
        let names: Vec<String> = (0..edges.len()).map(|at| format!("t{at}")).collect();
        let list = edges.iter().enumerate().map(|(at, edges)| {
            let edges: Vec<_> = edges.iter().map(|edge| names[*edge].as_str()).collect();
            thing(&names[at], &edges)
        });
        match resources(list.collect()) {
            Ok(plan) => {
                prop_assert_eq!(plan.resources.len(), names.len());
                for (at, resource) in plan.resources.iter().enumerate() {
                    prop_assert!(resource.depends_on.iter().all(|before| *before < at));
                    let own = names.iter().position(|name| *name == resource.name).unwrap();
                    let wanted: std::collections::BTreeSet<_> =
                        edges[own].iter().map(|edge| names[*edge].as_str()).collect();
                    let found = resource.depends_on.iter().map(|before| plan.resources[*before].name.as_str());
                    prop_assert_eq!(found.collect::<std::collections::BTreeSet<_>>(), wanted);
                }
            }
            Err(error) => prop_assert!(error.message.contains("Circular dependency detected")),
        }
    }

    #[test]
    fn planning_never_panics(template in any_json(), section in any_json()) {
        for template in [template, json!({"resources": section}), json!({"outputs": section, "variables": section})] {
            let body = json!({"properties": {"template": template}}).to_string();
            if let Ok(request) = DeploymentRequest::parse(body.as_bytes()) {
                let _ = plan(&request, &context());
            }
        }
    }
}
