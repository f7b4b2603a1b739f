use serde_json::{Value, json};

use crate::context::{Context, ProviderType, ResourceGroup, Subscription};
use crate::error::Fault;
use crate::evaluate::{Evaluator, Scope, Values};
use crate::known::Known;
use crate::request::Mode;
use crate::secret::Secrets;
use crate::session::Session;

const S: &str = "11111111-1111-1111-1111-111111111111";

fn scope() -> Scope {
    let vm = ProviderType {
        namespace: "Microsoft.Compute".to_owned(),
        resource_type: "virtualMachines".to_owned(),
        api_versions: vec!["2024-11-01".to_owned()],
        locations: vec!["westus".to_owned()],
    };
    let mut variables = Values::default();
    variables.set("Big", json!({"list": [1, [2, 3]], "Name": "x"}));
    Scope {
        context: Context {
            subscription: Subscription {
                subscription_id: S.to_owned(),
                tenant_id: "t".to_owned(),
                display_name: "d".to_owned(),
            },
            resource_group: ResourceGroup {
                name: "rg".to_owned(),
                location: "westus".to_owned(),
                ..Default::default()
            },
            deployment_name: "d1".to_owned(),
            environment: json!({"name": "symbolon"}),
            providers: vec![vm].into(),
        },
        mode: Mode::Incremental,
        template: json!({"contentVersion": "1.0.0.0"}),
        parameters: Values::default(),
        secrets: Secrets::default(),
        variables,
        known: Known::default(),
    }
}

fn evaluate(expression: &str) -> Result<Value, Fault> {
    let (scope, session) = (scope(), Session::default());
    Evaluator::planning(&scope, &session).text(&format!("[{expression}]"))
}

fn refused(expression: &str) -> String {
    let Err(Fault::Invalid(what, _)) = evaluate(expression) else { panic!("{expression}") };
    what
}

fn all(cases: &[(&str, Value)]) {
    for (expression, expected) in cases {
        assert_eq!(evaluate(expression).as_ref(), Ok(expected), "{expression}");
    }
}

#[test]
fn strings() {
    all(&[
        ("concat('a', 1, true(), 'b')", json!("a1Trueb")),
        ("concat(createArray(1), createArray('a'))", json!([1, "a"])),
        ("CONCAT('it''s')", json!("it's")),
        ("toLower('AbC')", json!("abc")),
        ("toUpper('AbC')", json!("ABC")),
        ("trim('  a ')", json!("a")),
        ("split('a,b;c', createArray(',', ';'))", json!(["a", "b", "c"])),
        ("split('a,b,', ',')", json!(["a", "b", ""])),
        ("join(createArray('a', 2), '-')", json!("a-2")),
        ("replace('a-b-c', '-', '')", json!("abc")),
        ("substring('abcdef', 1, 3)", json!("bcd")),
        ("substring('abc', 3)", json!("")),
        ("startsWith('Abc', 'aB')", json!(true)),
        ("endsWith('Abc', 'BC')", json!(true)),
        ("padLeft(7, 3, '0')", json!("007")),
        ("padLeft('abc', 2)", json!("abc")),
        ("string(createObject('a', createArray(1)))", json!(r#"{"a":[1]}"#)),
        ("string(true())", json!("True")),
        ("string(5)", json!("5")),
        ("indexOf('abCabc', 'c')", json!(2)),
        ("lastIndexOf('abcabc', 'C')", json!(5)),
        ("indexOf('a', 'z')", json!(-1)),
        ("length('äb')", json!(2)),
        ("first('abc')", json!("a")),
        ("last('abc')", json!("c")),
        ("first('')", json!("")),
        ("skip('abc', 1)", json!("bc")),
        ("take('abc', 9)", json!("abc")),
        ("contains('abc', 'b')", json!(true)),
        ("empty('')", json!(true)),
    ]);
    assert!(refused("substring('abc', 2, 2)").contains("inside of the string"));
    assert!(refused("concat('a', createArray())").contains("all strings or all arrays"));
    assert!(refused("padLeft('a', 2000000000)").contains("1048576"));
}

#[test]
fn case_has_no_part_in_positions() {
    all(&[
        // The small letter of İ is two characters.
        ("indexOf('İa', 'a')", json!(1)),
        ("indexOf('İİA', 'a')", json!(2)),
        ("lastIndexOf('İaİA', 'a')", json!(3)),
        ("substring('İab', indexOf('İab', 'B'))", json!("b")),
        ("indexOf('ÄÖ', 'ö')", json!(1)),
        ("indexOf('ⱯX', 'ɐx')", json!(0)),
        ("startsWith('İa', 'i')", json!(false)),
        ("startsWith('Äa', 'ä')", json!(true)),
        ("endsWith('aẞ', 'ss')", json!(false)),
        ("endsWith('aÖ', 'ö')", json!(true)),
        ("indexOf('ıI', 'i')", json!(1)),
        ("indexOf('abc', '')", json!(0)),
    ]);
}

#[test]
fn positions_and_lengths_are_those_of_utf_16() {
    all(&[
        ("length('😀b')", json!(3)),
        ("indexOf('😀b', 'B')", json!(2)),
        ("lastIndexOf('😀b😀', '😀')", json!(3)),
        ("substring('a😀b', 3)", json!("b")),
        ("substring('a😀b', 1, 2)", json!("😀")),
        ("skip('😀b', 2)", json!("b")),
        ("take('😀b', 2)", json!("😀")),
        ("padLeft('😀', 4, '-')", json!("--😀")),
        ("format('{0,4}{0,-3}', '😀')", json!("  😀😀 ")),
        // Half of a character isn't one.
        ("take('😀b', 1)", json!("\u{fffd}")),
        ("first('é')", json!("é")),
        ("last('aé')", json!("é")),
    ]);
    assert!(refused("substring('😀', 1, 2)").contains("inside of the string"));
}

#[test]
fn a_string_is_split_at_the_first_delimiter_that_stands_there() {
    all(&[
        ("split('baaa', createArray('ba', 'aa'))", json!(["", "", ""])),
        ("split('aab', createArray('a', 'aa'))", json!(["", "", "b"])),
        ("split('aab', createArray('aa', 'a'))", json!(["", "b"])),
        ("split('ä-ö', '-')", json!(["ä", "ö"])),
        ("split('abc', '')", json!(["abc"])),
        ("split('', ',')", json!([""])),
        ("split('a b', createArray())", json!(["a b"])),
        // A delimiter that nearly stands everywhere, which costs no more than any other.
        ("length(split(padLeft('', 1000000, 'a'), padLeft('b', 500000, 'a')))", json!(1)),
    ]);
    // Searched for again behind each of a million others.
    let many = "split(padLeft('', 1000000, 'a'), createArray('a', padLeft('', 500000, 'a')))";
    assert!(refused(many).contains("2000000 steps"));
}

#[test]
fn formats() {
    all(&[
        ("format('{0}-{1}-{0}', 'a', 1)", json!("a-1-a")),
        ("format('{{{0}}}', true())", json!("{True}")),
        ("format('{0:D3}|{0,4}|{0,-4}|{0:X2}|{1:N0}', 10, 1234567)", json!("010|  10|10  |0A|1,234,567")),
        ("format('none')", json!("none")),
        ("format('vm{0:000}{1}', 7, null())", json!("vm007")),
        (
            "format('{0}|{1}', json('{\"a\":\"b''\\\"\\\\\",\"!c\":2}'), createArray(true(), 'abc'))",
            json!(r#"{'a':'b\'"\\','!c':2}|[true,'abc']"#),
        ),
        ("format('{0:D3}', 'a')", json!("a")),
    ]);
    for bad in ["format('{')", "format('}')", "format('{1}', 1)", "format('{a}', 1)", "format('{0:Q}', 1)"] {
        assert!(refused(bad).contains("format"), "{bad}");
    }
}

#[test]
fn encodings() {
    all(&[
        ("base64('héllo')", json!("aMOpbGxv")),
        ("base64ToString('aMOpbGxv')", json!("héllo")),
        ("base64ToJson(base64('[1]'))", json!([1])),
        ("json('{\"a\": null}')", json!({"a": null})),
        ("uri('http://a/b/c', 'd')", json!("http://a/b/d")),
        ("uri('http://a/b/', 'd/e')", json!("http://a/b/d/e")),
        ("uri('http://a', '/d')", json!("http://a/d")),
        ("uri('http://a', 'd')", json!("http://a/d")),
        ("uriComponent('a b/ü-_.~')", json!("a%20b%2F%C3%BC-_.~")),
        ("uriComponentToString('a%20b%2F%C3%BC')", json!("a b/ü")),
        ("dataUri('Hello')", json!("data:text/plain;charset=utf8;base64,SGVsbG8=")),
        ("dataUriToString(dataUri('Hello'))", json!("Hello")),
    ]);
    assert!(refused("base64ToString('?')").contains("base64"));
    assert!(refused("json('{')").contains("JSON"));
}

#[test]
fn unique_names() {
    // As Microsoft's own evaluator has them. The first is the example of its provider `azapi` for Terraform, whose
    // `unique_string` is meant for names that a template once made.
    let group = "/subscriptions/12345678-1234-1234-1234-123456789012/resourceGroups/my-rg";
    all(&[
        (&format!("uniqueString('{group}', 'Microsoft.Storage/storageAccounts')"), json!("z22rah77jfqry")),
        ("uniqueString('test')", json!("rbgf3xv4ufgzg")),
        ("uniqueString('hello', 'world')", json!("a7wkljktk6wne")),
        ("uniqueString('hello-world')", json!("a7wkljktk6wne")),
        ("uniqueString('abc')", json!("cgtzqvhu4i23s")),
        ("uniqueString('foo', 'bar', 'baz')", json!("xzi4ioaxtmth4")),
    ]);
    // The version 5 UUID of 'a-b' in the published namespace.
    let expected = uuid::Uuid::new_v5(&uuid::uuid!("11fb06fb-712d-4ddd-98c7-e71bbd588830"), b"a-b").to_string();
    all(&[("guid('a', 'b')", json!(expected))]);
}

#[test]
fn arrays_and_objects() {
    all(&[
        ("array('a')", json!(["a"])),
        ("array(createArray('a'))", json!(["a"])),
        ("createArray()", json!([])),
        ("range(2, 3)", json!([2, 3, 4])),
        ("flatten(createArray(createArray(1), createArray(2, 3)))", json!([1, 2, 3])),
        ("union(createArray(1, 2), createArray(2, 3))", json!([1, 2, 3])),
        (
            "union(json('{\"a\":{\"x\":1},\"b\":1}'), json('{\"a\":{\"y\":2},\"b\":2}'))",
            json!({"a": {"x": 1, "y": 2}, "b": 2}),
        ),
        ("intersection(createArray(1, 2, 3), createArray(3, 2))", json!([2, 3])),
        ("intersection(json('{\"a\":1,\"b\":2}'), json('{\"a\":1,\"b\":3}'))", json!({"a": 1})),
        ("items(json('{\"b\":1,\"a\":2}'))", json!([{"key": "a", "value": 2}, {"key": "b", "value": 1}])),
        // Letters before their capitals, as Microsoft's evaluator has them.
        (
            "string(items(json('{\"bKey\":0,\"BKey\":0,\"aKey1\":0,\"AKey\":0,\"aKey\":0,\"1Key\":0}')))",
            json!(
                r#"[{"key":"1Key","value":0},{"key":"aKey","value":0},{"key":"AKey","value":0},{"key":"aKey1","value":0},{"key":"bKey","value":0},{"key":"BKey","value":0}]"#
            ),
        ),
        ("objectKeys(json('{\"b\":1,\"a\":2}'))", json!(["b", "a"])),
        ("shallowMerge(createArray(json('{\"a\":{\"x\":1}}'), json('{\"a\":1}')))", json!({"a": 1})),
        ("tryGet(variables('big'), 'LIST', 1, 0)", json!(2)),
        ("tryGet(variables('big'), 'nope', 'x')", json!(null)),
        ("variables('big').list[1][0]", json!(2)),
        ("variables('BIG')['name']", json!("x")),
        ("contains(variables('big'), 'NAME')", json!(true)),
        ("contains(createArray(1, 'a'), 'a')", json!(true)),
        ("length(variables('big'))", json!(2)),
        ("first(createArray())", json!(null)),
        ("last(range(0, 3))", json!(2)),
        ("skip(range(0, 3), -1)", json!([0, 1, 2])),
        ("take(range(0, 3), 2)", json!([0, 1])),
        ("indexOf(createArray('a', 'b', 'a'), 'a')", json!(0)),
        ("lastIndexOf(createArray('a', 'b', 'a'), 'a')", json!(2)),
        ("indexFromEnd(range(0, 3), 1)", json!(2)),
        ("indexFromEnd(range(0, 3), 3)", json!(0)),
        ("tryIndexFromEnd(range(0, 3), 2)", json!(1)),
        ("tryIndexFromEnd(range(0, 3), 4)", json!(null)),
        ("tryIndexFromEnd(range(0, 3), 0)", json!(null)),
        ("tryIndexFromEnd(range(0, 3), -1)", json!(null)),
        ("empty(null())", json!(true)),
        ("min(3, 1, 2)", json!(1)),
        ("max(createArray(3, 1))", json!(3)),
    ]);
    assert!(refused("variables('big').nope").contains("available properties are 'list, Name'"));
    assert!(refused("variables('big').list[2]").contains("array index '2' is out of bounds"));
    assert!(refused("range(0, 10001)").contains("10000"));
    for index in [0, 4, -1] {
        let message = refused(&format!("indexFromEnd(range(0, 3), {index})"));
        assert!(message.contains("outside of the array"), "{message}");
    }
    assert!(refused("createObject('a')").contains("pairs"));
}

#[test]
fn numbers_and_logic() {
    all(&[
        ("int('-5')", json!(-5)),
        ("float('1.5')", json!(1.5)),
        ("add(2, mul(3, 4))", json!(14)),
        ("sub(1, 2)", json!(-1)),
        ("div(7, 2)", json!(3)),
        ("mod(7, 2)", json!(1)),
        ("if(true(), 'a', div(1, 0))", json!("a")),
        ("if(equals(1, 2), div(1, 0), 'b')", json!("b")),
        ("and(true(), not(false()))", json!(true)),
        ("or(false(), false())", json!(false)),
        ("equals('a', 'A')", json!(false)),
        ("equals(createArray(1), createArray(1))", json!(true)),
        ("less(1, 2)", json!(true)),
        ("greaterOrEquals('b', 'b')", json!(true)),
        ("greater(1, 2)", json!(false)),
        ("lessOrEquals(2, 2)", json!(true)),
        ("bool('TRUE')", json!(true)),
        ("bool(0)", json!(false)),
        ("coalesce(null(), 'a', null())", json!("a")),
        // What floating point can't tell apart.
        ("equals(9007199254740993, 9007199254740992)", json!(false)),
        ("equals(json('18446744073709551615'), json('18446744073709551614'))", json!(false)),
        ("less(json('18446744073709551614'), json('18446744073709551615'))", json!(true)),
        ("equals(9007199254740993, json('9007199254740992.0'))", json!(false)),
        ("greater(9007199254740993, json('9007199254740992.0'))", json!(true)),
        ("less(9223372036854775807, json('1e300'))", json!(true)),
        ("equals(1, json('1.0'))", json!(true)),
        ("less(1, json('1.5'))", json!(true)),
        ("less(-1, json('-1.5'))", json!(false)),
        ("equals(json('1.5'), json('1.50'))", json!(true)),
    ]);
    assert_eq!(refused("if(true(), fail('because'), 1)"), "because");
    all(&[("if(false(), fail('because'), 1)", json!(1))]);
    assert!(refused("div(1, 0)").contains("64 bits"));
    assert!(refused("add(9223372036854775807, 1)").contains("64 bits"));
    assert!(refused("less(1, 'a')").contains("two numbers or two strings"));
    assert!(refused("if(1, 2, 3)").contains("boolean"));
}

#[test]
fn surroundings() {
    all(&[
        ("resourceGroup().location", json!("westus")),
        ("resourceGroup().id", json!(format!("/subscriptions/{S}/resourceGroups/rg"))),
        ("subscription().tenantId", json!("t")),
        ("tenant().tenantId", json!("t")),
        ("deployment().name", json!("d1")),
        ("deployment().properties.template.contentVersion", json!("1.0.0.0")),
        ("environment().name", json!("symbolon")),
        ("providers('microsoft.compute', 'VirtualMachines').apiVersions[0]", json!("2024-11-01")),
        ("providers('Microsoft.Compute').resourceTypes[0].locations", json!(["westus"])),
    ]);
    all(&[("pickZones('Microsoft.Compute', 'virtualMachines', 'westus', 2, 1)", json!([]))]);
    assert!(refused("pickZones('Microsoft.Compute', 'nothing', 'westus')").contains("not known"));
    assert!(refused("copyIndex()").contains("not expected at this location"));
    assert!(refused("providers('Microsoft.Nothing')").contains("not known"));
    assert_eq!(evaluate("reference('/subscriptions/x').y"), Err(Fault::NeedsRuntime));
}

#[test]
fn ids() {
    let group = format!("/subscriptions/{S}/resourceGroups/rg");
    all(&[
        ("resourceId('ns/a', 'x')", json!(format!("{group}/providers/ns/a/x"))),
        ("resourceId('ns/a/b', 'x', 'y')", json!(format!("{group}/providers/ns/a/x/b/y"))),
        (
            "resourceId('other', 'ns/a', 'x')",
            json!(format!("/subscriptions/{S}/resourceGroups/other/providers/ns/a/x")),
        ),
        ("resourceId('s', 'g', 'ns/a', 'x')", json!("/subscriptions/s/resourceGroups/g/providers/ns/a/x")),
        ("subscriptionResourceId('ns/a', 'x')", json!(format!("/subscriptions/{S}/providers/ns/a/x"))),
        ("subscriptionResourceId('s', 'ns/a', 'x')", json!("/subscriptions/s/providers/ns/a/x")),
        (
            "managementGroupResourceId('m', 'ns/a', 'x')",
            json!("/providers/Microsoft.Management/managementGroups/m/providers/ns/a/x"),
        ),
        ("tenantResourceId('ns/a', 'x')", json!("/providers/ns/a/x")),
        ("extensionResourceId(resourceGroup().id, 'ns/a', 'x')", json!(format!("{group}/providers/ns/a/x"))),
    ]);
    let why = refused("resourceId('ns/a/b', 'x')");
    assert!(why.contains("the type 'ns/a/b' requires '2' resource name argument(s)"), "{why}");
}

#[test]
fn mistakes_are_named() {
    assert_eq!(refused("nofunc()"), "The template function 'nofunc' is not valid.");
    assert_eq!(refused("utcNow()"), "The template function 'utcNow' is not supported here.");
    assert_eq!(refused("ns.f(1)"), "The template function 'ns.f' is not valid.");
    assert!(refused("variables('nope')").starts_with("The template variable 'nope' is not found."));
    assert!(refused("concat()").contains("it takes at least 1 argument(s), and gets 0"));
    assert!(refused("if(true())").contains("it takes 3 argument(s)"));
}

#[test]
fn bombs_end_at_a_limit() {
    let big = "padLeft('', 1000000, 'a')";
    assert!(refused(&format!("concat({big}, {big})")).contains("1048576"));
    assert!(refused(&format!("replace({big}, 'a', 'bcd')")).contains("1048576"));
    assert!(refused(&format!("format('{}', {big})", "{0}".repeat(1_000))).contains("1048576"));
    assert!(refused(&format!("join(range(0, 10000), {big})")).contains("1048576"));
    let many = vec![big; 90].join(", ");
    assert!(refused(&format!("createArray({many})")).contains("67108864"));
    assert!(refused(&format!("json('{}')", "[".repeat(20_000))).contains("JSON"));
}
