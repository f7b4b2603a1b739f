//! `copy` of resources and of members.

use serde_json::{Value, json};
use template::Nothing;

use crate::fixture::{names, planned, refused, resources, thing};

fn many(name: &str, copy: Value) -> Value {
    json!({"type": "Test.Things/things", "name": name, "apiVersion": "1", "copy": copy,
        "properties": {"index": "[copyIndex()]", "from": "[copyIndex('loop', 10)]", "one": "[copyIndex(1)]"}})
}

#[test]
fn a_copy_is_many_resources() {
    let copy = many("[concat('t', copyIndex())]", json!({"name": "loop", "count": "[add(1, 2)]"}));
    let plan = resources(json!([thing("last", &["loop"]), copy])).unwrap();
    assert_eq!(names(&plan), ["t0", "t1", "t2", "last"]);
    assert_eq!(plan.resources[3].depends_on, [0, 1, 2]);
    let body = plan.resources[1].body(&Nothing).unwrap();
    assert_eq!(body, json!({"properties": {"index": 1, "from": 11, "one": 2}}));
}

#[test]
fn no_turn_is_no_resource() {
    let copy = many("[concat('t', copyIndex())]", json!({"name": "loop", "count": 0}));
    assert_eq!(names(&resources(json!([thing("last", &["LOOP"]), copy])).unwrap()), ["last"]);
}

#[test]
fn a_serial_copy_waits_for_the_batch_before() {
    let copy = many("[concat('t', copyIndex())]", json!({"name": "l", "count": 5, "mode": "serial", "batchSize": 2}));
    let copy = serde_json::from_str::<Value>(&copy.to_string().replace("'loop'", "'l'")).unwrap();
    let plan = resources(json!([copy])).unwrap();
    let depends: Vec<_> = plan.resources.iter().map(|resource| resource.depends_on.clone()).collect();
    assert_eq!(depends, [vec![], vec![], vec![0, 1], vec![0, 1], vec![2, 3]]);
}

#[test]
fn a_serial_copy_waits_across_what_is_not_deployed() {
    let mut copy =
        many("[concat('loop', copyIndex())]", json!({"name": "loop", "count": 8, "mode": "serial", "batchSize": 2}));
    // Of the four batches the second is left out, and half of the third.
    copy["condition"] = json!("[not(contains(createArray(2, 3, 5), copyIndex()))]");
    let plan = resources(json!([copy])).unwrap();
    assert_eq!(names(&plan), ["loop0", "loop1", "loop4", "loop6", "loop7"]);
    let depends: Vec<_> = plan.resources.iter().map(|resource| resource.depends_on.clone()).collect();
    assert_eq!(depends, [vec![], vec![], vec![0, 1], vec![2], vec![2]]);
}

#[test]
fn members_are_copied() {
    let mut vm = thing("a", &[]);
    vm["properties"] = json!({"keep": 1, "copy": [
        {"name": "disks", "count": 2, "input": {"lun": "[copyIndex('disks')]", "copy": [
            {"name": "inner", "count": 2, "input": "[concat(copyIndex('disks'), copyIndex('inner'))]"}]}},
        {"name": "none", "count": 0, "input": "x"}]});
    let body = resources(json!([vm])).unwrap().resources[0].body(&Nothing).unwrap();
    let expected = json!({"keep": 1, "none": [],
        "disks": [{"lun": 0, "inner": ["00", "01"]}, {"lun": 1, "inner": ["10", "11"]}]});
    assert_eq!(body["properties"], expected);
}

#[test]
fn what_is_wrong_with_a_copy_is_said() {
    let name = "[concat('t', copyIndex())]";
    for (copy, part) in [
        (json!({"name": "loop", "count": 801}), "cannot exceed '800'"),
        (json!({"name": "loop", "count": 1_000_000}), "cannot exceed '800'"),
        (json!({"name": "loop", "count": -1}), "cannot exceed '800'"),
        (json!({"name": "loop", "count": "2"}), "cannot exceed '800'"),
        (json!({"name": "loop"}), "has no 'count'"),
        (json!({"count": 1}), "has no 'name'"),
        (json!({"name": "loop", "count": 1, "mode": "both"}), "neither 'Parallel' nor 'Serial'"),
        (json!({"name": "loop", "count": 1, "mode": "serial", "batchSize": 0}), "batch size"),
    ] {
        let message = refused(json!([many(name, copy)]));
        assert!(message.contains(part), "{message}");
    }
    let twice = json!([many(name, json!({"name": "loop", "count": 800})), thing("a", &[])]);
    assert!(refused(twice).contains("Limit: '800'"));
    let same = many("t", json!({"name": "loop", "count": 2}));
    assert!(refused(json!([same])).contains("defined multiple times"));
}

#[test]
fn a_long_expression_in_copies_ends_at_a_limit() {
    let long = format!("[concat('{}')]", "x".repeat(20_000));
    let inner = json!({"copy": [{"name": "c", "count": 800, "input": long}]});
    let template = json!({"variables": {"copy": [{"name": "a", "count": 800, "input": inner}]}});
    assert!(planned(&template).unwrap_err().message.contains("67108864"));
}

#[test]
fn bombs_end_at_a_limit() {
    // 800 × 800 × 800 elements.
    let inner = json!({"copy": [{"name": "c", "count": 800, "input": 1}]});
    let middle = json!({"copy": [{"name": "b", "count": 800, "input": inner}]});
    let template = json!({"variables": {"copy": [{"name": "a", "count": 800, "input": middle}]}});
    let message = planned(&template).unwrap_err().message;
    assert!(message.contains("2000000") || message.contains("67108864"), "{message}");
    // Each variable is ten times the one before.
    let mut variables = json!({"v0": "0123456789"});
    for at in 1..40 {
        let before = format!("variables('v{}')", at - 1);
        variables[format!("v{at}")] = json!(format!("[createArray({})]", vec![before; 10].join(",")));
    }
    let message = planned(&json!({ "variables": variables })).unwrap_err().message;
    assert!(message.contains("67108864"), "{message}");
    // A large body, often.
    let mut thing = many("[concat('t', copyIndex())]", json!({"name": "loop", "count": 800}));
    thing["properties"]["large"] = json!("x".repeat(500_000));
    assert!(refused(json!([thing])).contains("67108864"));
}
