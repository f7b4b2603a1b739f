//! Raw bytes of heads and chunks. What is accepted must be what another parser reads.
#![no_main]

use contract::head::{Chunked, Framing, Limits, Scan, scan};
use libfuzzer_sys::fuzz_target;
use symbolon_fuzz::accepted;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { chunked: true, ..Limits::default() };
    let Scan::Head(head) = scan(bytes, &limits) else { return };
    accepted();
    let (head_bytes, behind) = bytes.split_at(head.len);
    assert!(head_bytes.ends_with(b"\r\n\r\n"));
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let parsed = request.parse(head_bytes).expect("another parser refuses what was accepted");
    assert_eq!(parsed, httparse::Status::Complete(head.len));
    let target = request.path.expect("it was read");
    assert!(target.starts_with('/') && !target.contains('#'));
    // What the listener's library can't read it would answer by itself.
    target.parse::<http::Uri>().expect("another parser refuses the target of what was accepted");
    let of = |name: &str| request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name)).count();
    let (lengths, encodings) = (of("content-length"), of("transfer-encoding"));
    match head.body {
        Framing::Length(length) => assert!(lengths <= 1 && encodings == 0 && length <= limits.body),
        Framing::Chunked => {
            assert!(lengths == 0 && encodings == 1);
            let mut whole = Chunked::new(limits.body);
            let all = whole.follow(behind);
            let mut by_byte = Chunked::new(limits.body);
            let mut count = 0;
            for byte in behind {
                match by_byte.follow(std::slice::from_ref(byte)) {
                    Ok(1) => count += 1,
                    Ok(_) => break,
                    Err(broken) => return assert_eq!(all, Err(broken)),
                }
            }
            assert_eq!(all, Ok(count));
        }
    }
});
