//! What comes before what.

use serde_json::json;
use template::Nothing;

use crate::fixture::{World, group, names, refused, resources, thing};

#[test]
fn a_resource_is_named_in_many_ways() {
    let id = format!("{}/providers/test.things/THINGS/b", group());
    for way in
        ["Test.Things/things/b", "TEST.things/Things/B", "b", "B", &id, "[resourceId('Test.Things/things', 'b')]"]
    {
        let plan = resources(json!([thing("a", &[way]), thing("b", &[])])).unwrap();
        assert_eq!(names(&plan), ["b", "a"], "{way}");
        assert_eq!(plan.resources[1].depends_on, [0], "{way}");
    }
    for way in ["Test.Things/things/b/parts/c", "Test.Things/things/parts/b/c", "b/c"] {
        let part = json!({"type": "Test.Things/things/parts", "name": "b/c", "apiVersion": "1"});
        let plan = resources(json!([thing("a", &[way]), part])).unwrap();
        assert_eq!(names(&plan), ["b/c", "a"], "{way}");
    }
}

#[test]
fn what_is_not_there_is_refused() {
    let message = refused(json!([thing("a", &["nope"])]));
    assert!(message.contains("The resource 'nope' is not defined in the template."), "{message}");
    let other = json!({"type": "Test.Things/others", "name": "b", "apiVersion": "1"});
    let message = refused(json!([thing("a", &["b"]), thing("b", &[]), other]));
    assert!(message.contains("'b' is not defined"), "{message}");
}

#[test]
fn a_circle_is_refused_with_its_members() {
    let message = refused(json!([thing("a", &["b"]), thing("b", &["c"]), thing("c", &["b"]), thing("d", &[])]));
    let id = |name: &str| format!("{}/providers/Test.Things/things/{name}", group());
    let path = format!("'{}' -> '{}' -> '{}'", id("b"), id("c"), id("b"));
    assert!(message.contains(&format!("Circular dependency detected on resource: {path}.")), "{message}");
    assert!(refused(json!([thing("a", &["a"])])).contains("Circular"));
}

#[test]
fn a_reference_is_a_dependency() {
    for expression in [
        "[reference('b').x]",
        "[reference(resourceId('Test.Things/things', 'b'), '1', 'Full').properties.x]",
        "[if(reference('c').flag, reference('b').x, reference('b').x)]",
        "[concat(reference('c').x, reference('b').x)]",
    ] {
        let mut a = thing("a", &[]);
        a["properties"] = json!({ "x": expression });
        let plan = resources(json!([a, thing("b", &[]), thing("c", &[])])).unwrap();
        let at = |name: &str| names(&plan).iter().position(|known| *known == name).unwrap();
        let a = &plan.resources[at("a")];
        assert!(a.needs_runtime && a.depends_on.contains(&at("b")), "{expression}");
        assert_eq!(a.depends_on.contains(&at("c")), expression.contains("'c'"), "{expression}");
        let resource = json!({"properties": {"x": "value", "flag": true}});
        let world = World::default()
            .with(&format!("{}/providers/Test.Things/things/b", group()), resource.clone())
            .with(&format!("{}/providers/Test.Things/things/c", group()), resource);
        assert!(a.body(&world).unwrap()["properties"]["x"].as_str().unwrap().contains("value"), "{expression}");
        let error = a.body(&Nothing).unwrap_err();
        assert_eq!(error.code.as_str(), "ResourceNotFound");
        assert!(error.message.starts_with("The Resource 'Test.Things/things/"), "{}", error.message);
    }
    let mut a = thing("a", &[]);
    a["properties"] = json!({"x": "[reference('nope').x]"});
    assert!(refused(json!([a])).contains("The template reference 'nope' is not valid"));
}

#[test]
fn what_is_not_deployed_is_waited_for_by_nobody() {
    let mut b = thing("b", &["c"]);
    b["condition"] = json!("[equals(1, 2)]");
    b["properties"] = json!("[div(1, 0)]");
    let plan = resources(json!([thing("a", &["b"]), b, thing("c", &[])])).unwrap();
    assert_eq!(names(&plan), ["a", "c"]);
    assert_eq!(plan.resources[0].depends_on, [0; 0]);
}

#[test]
fn a_resource_that_stands_twice_is_waited_for_as_it_is_deployed() {
    let id = format!("{}/providers/Test.Things/things/b", group());
    let either = |condition: bool| {
        let mut b = thing("b", &[]);
        b["condition"] = json!(condition);
        b
    };
    for (first, second) in [(true, false), (false, true)] {
        for way in ["b", "Test.Things/things/b", "[resourceId('Test.Things/things', 'b')]", &id] {
            let plan = resources(json!([thing("a", &[way]), either(first), either(second)])).unwrap();
            assert_eq!(names(&plan), ["b", "a"], "{way} {first}");
            assert_eq!(plan.resources[1].depends_on, [0], "{way} {first}");
        }
        let mut a = thing("a", &[]);
        a["properties"] = json!({"x": "[reference('b').x]"});
        let plan = resources(json!([a, either(first), either(second)])).unwrap();
        assert_eq!(plan.resources[1].depends_on, [0], "{first}");
    }
    let plan = resources(json!([thing("a", &["b"]), either(false), either(false)])).unwrap();
    assert_eq!(names(&plan), ["a"]);
    assert!(refused(json!([either(true), either(false), either(true)])).contains("defined multiple times"));
}

#[test]
fn children_take_type_and_name_from_their_parents() {
    let parent = json!({"type": "Test.Things/things", "name": "a", "apiVersion": "1", "properties": {"x": 1}, "resources": [
        {"type": "parts", "name": "b", "apiVersion": "2", "dependsOn": ["[resourceId('Test.Things/things', 'a')]"],
         "resources": [{"type": "bits", "name": "c", "apiVersion": "3"}]},
        {"type": "Test.Things/things/whole", "name": "a/d", "apiVersion": "4"},
    ]});
    let plan = resources(json!([parent])).unwrap();
    assert_eq!(names(&plan), ["a", "a/b", "a/b/c", "a/d"]);
    assert_eq!(plan.resources[2].resource_type, "Test.Things/things/parts/bits");
    assert!(plan.resources[2].id.ends_with("/providers/Test.Things/things/a/parts/b/bits/c"));
    assert_eq!(plan.resources[0].body(&Nothing).unwrap(), json!({"properties": {"x": 1}}));
    assert_eq!(plan.resources[1].depends_on, [0]);
}

#[test]
fn symbolic_names() {
    let template = json!({
        "a": {"type": "Test.Things/things", "name": "x", "apiVersion": "1", "dependsOn": ["b", "old"],
              "properties": {"p": "[reference('old').q]"}},
        "b": {"type": "Test.Things/things", "name": "y", "apiVersion": "1"},
        "old": {"existing": true, "type": "Test.Things/things", "name": "z", "apiVersion": "9"},
        "loop": {"type": "Test.Things/things", "name": "[concat('l', copyIndex())]", "apiVersion": "1",
                 "copy": {"name": "loop", "count": 2}},
        "after": {"type": "Test.Things/things", "name": "w", "apiVersion": "1", "dependsOn": ["loop[1]", "loop"]},
    });
    let plan = resources(template).unwrap();
    assert_eq!(names(&plan), ["y", "x", "l0", "l1", "w"]);
    assert_eq!(plan.resources[1].depends_on, [0]);
    assert_eq!(plan.resources[4].depends_on, [2, 3]);
    assert_eq!(plan.resources[0].symbolic_name.as_deref(), Some("b"));
    let old = format!("{}/providers/Test.Things/things/z", group());
    let world = World::default().with(&old, json!({"properties": {"q": 7}}));
    assert_eq!(plan.resources[1].body(&world).unwrap()["properties"]["p"], 7);
}

#[test]
fn what_exists_is_waited_for_through() {
    let thing = |name: &str, after: &[&str]| json!({"type": "Test.Things/things", "name": name, "apiVersion": "1", "dependsOn": after});
    let existing = |name: &str, after: &[&str]| {
        let mut thing = thing(name, after);
        thing["existing"] = json!(true);
        thing
    };
    let mut by_reference = thing("d", &[]);
    by_reference["properties"] = json!({"x": "[reference('second').x]"});
    let template = json!({
        "a": thing("a", &["second"]), "d": by_reference, "first": existing("old", &["b"]),
        "second": existing("older", &["first"]), "b": thing("b", &["none"]),
        "none": {"condition": false, "type": "Test.Things/things", "name": "n", "apiVersion": "1", "dependsOn": ["c"]},
        "c": thing("c", &[]),
    });
    let plan = resources(template).unwrap();
    assert_eq!(names(&plan), ["b", "a", "d", "c"]);
    assert_eq!((&plan.resources[1].depends_on, &plan.resources[2].depends_on), (&vec![0], &vec![0]));
    let circle = json!({"a": thing("a", &["old"]), "old": existing("old", &["a"])});
    assert!(refused(circle).contains("Circular dependency detected"));
    let harmless =
        json!({"a": thing("a", &["old"]), "old": existing("old", &["older"]), "older": existing("older", &["old"])});
    assert_eq!(names(&resources(harmless).unwrap()), ["a"]);
}

#[test]
fn a_collection_is_referred_to_as_a_whole() {
    let template = |expression: &str| {
        json!({
            "loop": {"type": "Test.Things/things", "name": "[concat('l', copyIndex())]", "apiVersion": "1",
                "copy": {"name": "loop", "count": 3}, "condition": "[not(equals(copyIndex(), 1))]"},
            "none": {"type": "Test.Things/things", "name": "[concat('n', copyIndex())]", "apiVersion": "1",
                "copy": {"name": "none", "count": 0}},
            "after": {"type": "Test.Things/things", "name": "a", "apiVersion": "1", "properties": {"all": expression}},
        })
    };
    let world = ["l0", "l2"].iter().fold(World::default(), |world, name| {
        world.with(&format!("{}/providers/Test.Things/things/{name}", group()), json!({"properties": {"name": name}}))
    });
    for (expression, expected) in [
        ("[map(references('loop'), lambda('it', lambdaVariables('it').name))]", json!(["l0", "l2"])),
        ("[references('LOOP', 'Full')[1].apiVersion]", json!("1")),
        ("[references('none')]", json!([])),
    ] {
        let plan = resources(template(expression)).unwrap();
        let after = plan.resources.iter().position(|resource| resource.name == "a").unwrap();
        let waits_for = if expression.contains("'none'") { 0 } else { 2 };
        assert_eq!(plan.resources[after].depends_on.len(), waits_for, "{expression}");
        assert_eq!(plan.resources[after].body(&world).unwrap()["properties"]["all"], expected, "{expression}");
    }
    assert!(refused(template("[references('nope')]")).contains("The template reference 'nope' is not valid"));
}

#[test]
fn an_extension_resource_names_its_scope() {
    let lock = |scope: &str| json!({"type": "Test.Locks/locks", "name": "l", "apiVersion": "1", "scope": scope, "dependsOn": ["b"]});
    let id = format!("{}/providers/Test.Things/things/b/providers/Test.Locks/locks/l", group());
    for scope in ["Test.Things/things/b", "[resourceId('Test.Things/things', 'b')]"] {
        let plan = resources(json!([thing("b", &[]), lock(scope)])).unwrap();
        assert_eq!(plan.resources[1].id, id);
        assert_eq!(plan.resources[1].body(&Nothing).unwrap(), json!({}));
    }
}
