//! Strings.

use serde_json::json;

use super::{all, refused};

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
