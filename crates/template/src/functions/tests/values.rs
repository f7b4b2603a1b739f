//! Arrays, objects, numbers, booleans, addresses, moments.

use serde_json::json;

use super::{all, refused};

#[test]
fn address_ranges() {
    all(&[
        (
            "parseCidr('10.144.0.0/20')",
            json!({"network": "10.144.0.0", "netmask": "255.255.240.0", "broadcast": "10.144.15.255",
                "firstUsable": "10.144.0.1", "lastUsable": "10.144.15.254", "cidr": 20}),
        ),
        (
            "parseCidr('fdad:3236:5555::/48')",
            json!({"network": "fdad:3236:5555::", "netmask": "ffff:ffff:ffff::", "firstUsable": "fdad:3236:5555::",
                "lastUsable": "fdad:3236:5555:ffff:ffff:ffff:ffff:ffff", "cidr": 48}),
        ),
        ("parseCidr('10.1.2.3/8').network", json!("10.0.0.0")),
        ("parseCidr('10.1.2.3/32').lastUsable", json!("10.1.2.3")),
        ("parseCidr('0.0.0.0/0').netmask", json!("0.0.0.0")),
        ("parseCidr('::/0').lastUsable", json!("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")),
        ("cidrSubnet('10.144.0.0/20', 24, 0)", json!("10.144.0.0/24")),
        ("cidrSubnet('10.144.0.0/20', 24, 15)", json!("10.144.15.0/24")),
        ("cidrSubnet('10.144.0.0/20', 20, 0)", json!("10.144.0.0/20")),
        ("cidrSubnet('fdad:3236:5555::/48', 52, 4)", json!("fdad:3236:5555:4000::/52")),
        ("cidrSubnet('0.0.0.0/0', 32, 4294967295)", json!("255.255.255.255/32")),
        ("cidrHost('10.144.3.0/24', 0)", json!("10.144.3.1")),
        ("cidrHost('10.144.3.0/24', 253)", json!("10.144.3.254")),
        ("cidrHost('fdad:3236:5555:3000::/52', 0)", json!("fdad:3236:5555:3000::1")),
    ]);
    for wrong in ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/+8", "10.0.0.0/", ""] {
        assert!(refused(&format!("parseCidr('{wrong}')")).contains("CIDR notation"), "{wrong}");
    }
    for wrong in ["cidrSubnet('10.0.0.0/20', 19, 0)", "cidrSubnet('10.0.0.0/20', 33, 0)"] {
        assert!(refused(wrong).contains("must be from 20 to 32"), "{wrong}");
    }
    for wrong in ["cidrSubnet('10.0.0.0/20', 24, 16)", "cidrSubnet('10.0.0.0/20', 24, -1)"] {
        assert!(refused(wrong).contains("no subnet with this index"), "{wrong}");
    }
    for wrong in ["cidrHost('10.0.0.0/24', 254)", "cidrHost('10.0.0.0/24', -1)", "cidrHost('10.0.0.0/32', 1)"] {
        assert!(refused(wrong).contains("no host with this index"), "{wrong}");
    }
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
fn moments() {
    all(&[
        // A year is 365 days and a month 30, as Microsoft's "Date functions for ARM templates" says.
        ("dateTimeAdd('2023-01-01 00:00:00Z', 'P1Y')", json!("2024-01-01T00:00:00Z")),
        ("dateTimeAdd('2024-01-01 00:00:00Z', 'P1Y')", json!("2024-12-31T00:00:00Z")),
        ("dateTimeAdd('2023-02-01 00:00:00Z', 'P1M')", json!("2023-03-03T00:00:00Z")),
        ("dateTimeAdd('2020-04-07 14:53:14Z', '-P9D')", json!("2020-03-29T14:53:14Z")),
        ("dateTimeAdd('2020-04-07 14:53:14Z', 'PT1H', 'yyyyMMddTHHmmssZ')", json!("20200407T155314Z")),
        ("dateTimeAdd('20200407T145314Z', 'P1DT2H3M4.5S')", json!("2020-04-08T16:56:18.5Z")),
        ("dateTimeAdd('2020-04-07T14:53:14+02:00', 'PT0S', 'u')", json!("2020-04-07 12:53:14Z")),
        ("dateTimeAdd('2020-04-07', 'P3Y', 'd')", json!("04/07/2023")),
        ("dateTimeFromEpoch(1683040573)", json!("2023-05-02T15:16:13Z")),
        ("dateTimeToEpoch('2023-05-02T15:16:13Z')", json!(1_683_040_573)),
        ("dateTimeToEpoch(dateTimeAdd(dateTimeFromEpoch(0), '-PT1S'))", json!(-1)),
    ]);
    assert!(refused("dateTimeAdd('tomorrow', 'P1D')").contains("not a time of ISO 8601"));
    for wrong in ["1 day", "", "P", "1D", "--P1D"] {
        assert!(refused(&format!("dateTimeAdd('2020-04-07', '{wrong}')")).contains("not a duration"), "{wrong}");
    }
    assert!(refused("dateTimeAdd('2020-04-07', 'P1D', 'Q')").contains("not one of times"));
    assert!(refused("dateTimeAdd('9999-12-30', 'P9Y')").contains("out of range"));
    assert!(refused("dateTimeFromEpoch(9223372036854775807)").contains("out of range"));
}
