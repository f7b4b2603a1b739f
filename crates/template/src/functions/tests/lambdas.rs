//! Functions of functions. The values are those of Microsoft's "Lambda functions for ARM templates" and of the tests of
//! Bicep.

use serde_json::{Value, json};

use super::{all, refused};

const DOGS: &str = r#"json('[{"name": "Evie", "age": 5, "interests": ["Ball", "Frisbee"]},
    {"name": "Casper", "age": 3, "interests": ["Other dogs"]}, {"name": "Indy", "age": 2, "interests": ["Butter"]},
    {"name": "Kira", "age": 8, "interests": ["Rubs"]}]')"#;

fn of_dogs(cases: &[(&str, Value)]) {
    for (expression, expected) in cases {
        all(&[(&expression.replace("DOGS", DOGS), expected.clone())]);
    }
}

#[test]
fn arrays_are_mapped_and_filtered() {
    of_dogs(&[
        ("map(DOGS, lambda('dog', lambdaVariables('DOG').name))", json!(["Evie", "Casper", "Indy", "Kira"])),
        (
            "map(range(5, 2), lambda('v', 'i', add(mul(lambdaVariables('i'), 10), lambdaVariables('v'))))",
            json!([5, 16]),
        ),
        ("map(createArray(), lambda('x', fail('no')))", json!([])),
        (
            "map(filter(DOGS, lambda('dog', greaterOrEquals(lambdaVariables('dog').age, 5))), \
             lambda('dog', lambdaVariables('dog').name))",
            json!(["Evie", "Kira"]),
        ),
        ("filter(range(0, 5), lambda('v', 'i', equals(mod(lambdaVariables('i'), 2), 0)))", json!([0, 2, 4])),
        // The inner one of a name hides the outer one.
        ("map(range(0, 2), lambda('x', map(range(7, 1), lambda('x', lambdaVariables('x')))))", json!([[7], [7]])),
        (
            "map(range(0, 2), lambda('x', map(range(7, 1), lambda('y', createArray(lambdaVariables('x'), \
             lambdaVariables('y'))))))",
            json!([[[0, 7]], [[1, 7]]]),
        ),
    ]);
}

#[test]
fn arrays_and_objects_are_made_of_arrays() {
    of_dogs(&[
        (
            "toObject(DOGS, lambda('e', lambdaVariables('e').name), lambda('e', lambdaVariables('e').age))",
            json!({"Evie": 5, "Casper": 3, "Indy": 2, "Kira": 8}),
        ),
        ("toObject(createArray('a', 'b'), lambda('e', lambdaVariables('e')))", json!({"a": "a", "b": "b"})),
        (
            "groupBy(createArray('foo', 'bar', 'baz'), lambda('x', substring(lambdaVariables('x'), 0, 1)))",
            json!({"f": ["foo"], "b": ["bar", "baz"]}),
        ),
        (
            "mapValues(createObject('foo', 'foo', 'bar', 'bar'), lambda('v', toUpper(lambdaVariables('v'))))",
            json!({"foo": "FOO", "bar": "BAR"}),
        ),
        ("reduce(DOGS, 0, lambda('c', 'n', add(lambdaVariables('c'), lambdaVariables('n').age)))", json!(18)),
        (
            "reduce(createArray('a', 'b'), '', lambda('c', 'n', 'i', concat(lambdaVariables('c'), lambdaVariables('i'), \
             lambdaVariables('n'))))",
            json!("0a1b"),
        ),
        ("reduce(createArray(), 7, lambda('c', 'n', 1))", json!(7)),
    ]);
}

#[test]
fn arrays_are_sorted() {
    let less = "lambda('a', 'b', less(lambdaVariables('a'), lambdaVariables('b')))";
    all(&[
        (&format!("sort(createArray(8, 3, 10, -13, 5), {less})"), json!([-13, 3, 5, 8, 10])),
        (&format!("sort(createArray('ghi', 'abc', 'def'), {less})"), json!(["abc", "def", "ghi"])),
        (&format!("sort(createArray(), {less})"), json!([])),
        // Those of which neither is the first stay in their order.
        (
            "sort(createArray('b1', 'a1', 'b2', 'a2'), lambda('x', 'y', less(first(lambdaVariables('x')), \
             first(lambdaVariables('y')))))",
            json!(["a1", "a2", "b1", "b2"]),
        ),
        // A lambda that contradicts itself.
        ("length(sort(range(0, 100), lambda('x', 'y', true())))", json!(100)),
        ("sort(range(0, 3), lambda('x', 'y', false()))", json!([0, 1, 2])),
    ]);
}

#[test]
fn mistakes_are_told() {
    for (wrong, part) in [
        ("map(range(0, 1), 1)", "argument 2 must be a lambda."),
        ("map(range(0, 1), lambda('a', 'b', 'c', 1))", "a lambda with 1 or 2 variable(s)"),
        ("sort(range(0, 1), lambda('a', 1))", "a lambda with 2 variable(s)"),
        ("map(range(0, 1), lambda(1, 2))", "must be strings"),
        ("filter(range(0, 1), lambda('a', 1))", "must give a boolean"),
        ("groupBy(range(0, 1), lambda('a', 1))", "must give a string"),
        ("map('a', lambda('a', 1))", "argument 1 must be an array"),
        ("lambda('a', 1)", "'lambda' is not expected at this location"),
        ("concat(lambda('a', 'b'))", "'lambda' is not expected at this location"),
        ("lambdaVariables('a')", "The lambda variable 'a' is not found."),
        ("map(range(0, 1), lambda('a', lambdaVariables('b')))", "The lambda variable 'b' is not found."),
        ("concat(map(range(0, 1), lambda('a', 1)), lambdaVariables('a'))", "The lambda variable 'a' is not found."),
    ] {
        let message = refused(wrong);
        assert!(message.contains(part), "{wrong}: {message}");
    }
}

#[test]
fn bombs_of_lambdas_end_at_a_limit() {
    let all = "map(range(0, 1000), lambda('x', map(range(0, 1000), lambda('y', map(range(0, 1000), lambda('z', 1))))))";
    assert!(refused(all).contains("2000000 steps"));
    let double = "reduce(range(0, 100), 'a', lambda('c', 'n', concat(lambdaVariables('c'), lambdaVariables('c'))))";
    assert!(refused(double).contains("1048576"));
    // As deep as an expression may be, in a thread of the size that servers give their workers.
    let deep = format!("{}1{}", "map(range(0, 1), lambda('x', ".repeat(48), "))".repeat(48));
    assert!(super::evaluate(&deep).is_ok());
}
