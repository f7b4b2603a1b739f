use proptest::prelude::*;

use super::*;

fn verdict(bytes: &str) -> Scan {
    scan(bytes.as_bytes(), &Limits::default())
}

fn refused(bytes: &str) -> FramingRefusal {
    let verdict = verdict(bytes);
    let Scan::Refused(refusal) = verdict else { panic!("{bytes:?}: {verdict:?}") };
    refusal
}

fn accepted(bytes: &str) -> Head {
    let verdict = verdict(bytes);
    let Scan::Head(head) = verdict else { panic!("{bytes:?}: {verdict:?}") };
    head
}

const GET: &str = "GET /p HTTP/1.1\r\nHost: a\r\n";

#[test]
fn sound_heads_pass() {
    let head = format!("{GET}Metadata: \t true \t\r\n\r\n");
    assert_eq!(accepted(&head), Head { len: head.len(), body: Framing::Length(0) });
    assert_eq!(accepted(&format!("{head}{head}")).len, head.len(), "the second is judged by itself");
    assert_eq!(accepted("POST /p HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc").body, Framing::Length(3));
    accepted("GET /p?resource=https://a/%2F&b HTTP/1.1\r\nhost:\r\nx: \u{e9}\r\n\r\n");
    accepted("get / HTTP/1.1\r\n\r\n");
    accepted(&format!("{} / HTTP/1.1\r\n\r\n", "X".repeat(32)));
    assert_eq!(refused(&format!("{} / HTTP/1.1\r\n\r\n", "X".repeat(33))), FramingRefusal::Malformed);
    accepted("GET /{\"a\"}|[b]^'~ HTTP/1.1\r\n\r\n");
    accepted("GET /p?a={b}|[c]^'~`&?d=$@!*(),;+ HTTP/1.1\r\n\r\n");
}

#[test]
fn incomplete_heads_are_waited_for() {
    let head = format!("{GET}\r\n");
    for end in 0..head.len() {
        assert_eq!(verdict(head.get(..end).unwrap()), Scan::Incomplete, "{end}");
    }
}

#[test]
fn what_leaves_no_trace_in_a_parsed_request_is_refused() {
    for wrong in [
        "GET /p HTTP/1.1\nHost: a\n\n",
        "GET /p HTTP/1.1\r\nHost: a\n\r\n",
        "GET /p#fragment HTTP/1.1\r\n\r\n",
        "\r\nGET /p HTTP/1.1\r\n\r\n",
        "GET /a\\b HTTP/1.1\r\n\r\n",
    ] {
        assert_eq!(refused(wrong), FramingRefusal::Malformed, "{wrong:?}");
    }
}

#[test]
fn malformed_heads_are_refused() {
    for wrong in [
        "GET\r\n\r\n",
        "GET /p\r\n\r\n",
        "GET  /p HTTP/1.1\r\n\r\n",
        "GET /p HTTP/1.1 \r\n\r\n",
        "GET /p HTTP/1.2\r\n\r\n",
        "GET /p HTTP/2.0\r\n\r\n",
        "GET /p http/1.1\r\n\r\n",
        "G~T /p HTTP/1.1\r\n\r\n",
        "GET http://evil/p HTTP/1.1\r\n\r\n",
        "CONNECT evil:80 HTTP/1.1\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\n\r\n",
        "GET /\u{e9} HTTP/1.1\r\n\r\n",
        "GET /\0 HTTP/1.1\r\n\r\n",
        "GET /<x> HTTP/1.1\r\n\r\n",
        "GET /a`b HTTP/1.1\r\n\r\n",
        "GET /p?a=<b HTTP/1.1\r\n\r\n",
        "GET /p?a=b> HTTP/1.1\r\n\r\n",
        "GET /p?a=\"b\" HTTP/1.1\r\n\r\n",
        "GET /p HTTP/1.1\r\n Host: a\r\n\r\n",
        "GET /p HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET /p HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /p HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /p HTTP/1.1\r\n: a\r\n\r\n",
        "GET /p HTTP/1.1\r\na: b\rc\r\n\r\n",
        "GET /p HTTP/1.1\r\na: b\0\r\n\r\n",
        "GET /p HTTP/1.1\r\nContent-Length: +3\r\n\r\n",
        "GET /p HTTP/1.1\r\nContent-Length: 3, 3\r\n\r\n",
        "GET /p HTTP/1.1\r\nContent-Length:\r\n\r\n",
        "GET /p HTTP/1.1\r\nContent-Length: 3\r\ncontent-length: 3\r\n\r\n",
        "POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /p HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /p HTTP/1.0\r\ntransfer-encoding: identity\r\n\r\n",
    ] {
        assert_eq!(refused(wrong), FramingRefusal::Malformed, "{wrong:?}");
    }
}

#[test]
fn a_body_may_come_in_chunks_only_where_it_is_allowed_and_in_one_way() {
    let limits = Limits { chunked: true, ..Limits::default() };
    let chunked = |method: &str, version: &str, lines: &str| {
        scan(format!("{method} /p {version}\r\n{lines}\r\n").as_bytes(), &limits)
    };
    let one = "Transfer-Encoding: chunked\r\n";
    assert!(matches!(chunked("POST", "HTTP/1.1", one), Scan::Head(Head { body: Framing::Chunked, .. })));
    assert_eq!(refused(&format!("POST /p HTTP/1.1\r\n{one}\r\n")), FramingRefusal::Malformed);
    for (method, version, lines) in [
        ("GET", "HTTP/1.1", one.to_owned()),
        ("POST", "HTTP/1.0", one.to_owned()),
        ("POST", "HTTP/1.1", format!("{one}{one}")),
        ("POST", "HTTP/1.1", format!("{one}Content-Length: 3\r\n")),
        ("POST", "HTTP/1.1", format!("Content-Length: 3\r\n{one}")),
        ("POST", "HTTP/1.1", "Transfer-Encoding: gzip, chunked\r\n".to_owned()),
        ("POST", "HTTP/1.1", "Transfer-Encoding: xchunked\r\n".to_owned()),
        ("POST", "HTTP/1.1", "Transfer-Encoding:\r\n".to_owned()),
    ] {
        let verdict = chunked(method, version, &lines);
        assert_eq!(verdict, Scan::Refused(FramingRefusal::Malformed), "{method} {version} {lines:?}");
    }
}

#[test]
fn what_is_too_much_is_refused_as_early_as_it_shows() {
    let lines = |count: usize| format!("GET /p HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count));
    accepted(&lines(64));
    assert_eq!(refused(&lines(65)), FramingRefusal::HeadTooLarge);
    let long = |length: usize| format!("GET /p HTTP/1.1\r\na: {}\r\n\r\n", "x".repeat(length));
    let rest = long(0).len();
    accepted(&long(16 * 1024 - rest));
    assert_eq!(refused(&long(16 * 1024 - rest + 1)), FramingRefusal::HeadTooLarge);
    assert_eq!(refused(&"x".repeat(16 * 1024)), FramingRefusal::HeadTooLarge);
    assert_eq!(refused("POST /p HTTP/1.1\r\nContent-Length: 16385\r\n\r\n"), FramingRefusal::BodyTooLarge);
    let limits = Limits { body: 1 << 40, ..Limits::default() };
    let announced =
        |length: u64| scan(format!("GET /p HTTP/1.1\r\nContent-Length: {length}\r\n\r\n").as_bytes(), &limits);
    assert!(matches!(announced(1 << 40), Scan::Head(Head { body: Framing::Length(length), .. }) if length == 1 << 40));
    assert_eq!(announced((1 << 40) + 1), Scan::Refused(FramingRefusal::BodyTooLarge));
    let huge = "POST /p HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n";
    assert_eq!(refused(huge), FramingRefusal::BodyTooLarge);
    assert_eq!(refused("POST /p HTTP/1.1\r\nExpect: 100-continue\r\n\r\n"), FramingRefusal::Expectation);
}

#[test]
fn other_protocols_are_hung_up_on() {
    assert_eq!(verdict("\x16\x03\x01\x02\x00"), Scan::Hangup);
    assert_eq!(verdict("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Scan::Hangup);
}

proptest! {
    #[test]
    fn any_bytes_have_a_verdict(bytes: Vec<u8>) {
        let _ = scan(&bytes, &Limits::default());
    }

    /// Otherwise a library would refuse the request behind our back, without a body.
    #[test]
    fn an_accepted_target_is_one_to_the_library_that_reads_it_next(target in "/[ -~]{0,8}(\\?[ -~]{0,8})?") {
        let head = format!("GET {target} HTTP/1.1\r\n\r\n");
        if let Scan::Head(_) = scan(head.as_bytes(), &Limits::default()) {
            let uri = target.parse::<http::Uri>().unwrap();
            let whole = uri.query().map_or(uri.path().to_owned(), |query| format!("{}?{query}", uri.path()));
            prop_assert_eq!(whole, target);
        }
    }

    #[test]
    fn a_head_never_reaches_beyond_its_empty_line(
        bytes in "(GET|POST|X) /[a-z#?]{0,4} HTTP/1\\.[01]\r?\n([a-zA-Z-]{1,16}: ?[ -~]{0,8}\r\n){0,4}\r\n[a-z\r\n]{0,8}"
    ) {
        if let Scan::Head(head) = scan(bytes.as_bytes(), &Limits::default()) {
            let (head, _) = bytes.split_at(head.len);
            prop_assert!(head.ends_with("\r\n\r\n"));
            prop_assert_eq!(head.find("\r\n\r\n"), Some(head.len() - 4));
            // What is accepted is what another parser reads from it.
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut request = httparse::Request::new(&mut headers);
            let parsed = request.parse(head.as_bytes()).unwrap();
            prop_assert_eq!(parsed, httparse::Status::Complete(head.len()));
        }
    }
}
