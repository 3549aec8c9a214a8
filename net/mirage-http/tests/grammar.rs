//! The lines of a request's head are what another reader takes them for, where both may.

use mirage_clock::Instant;
use mirage_http::server::{Connection, Step};
use mirage_http::{Field, Limits, Refusal};
use proptest::prelude::*;

/// A head and perhaps some mistakes in it.
fn head() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => prop::sample::select(vec![
            "GET", "PURGE~1", " ", " ", "/a-long-way/to/go?for=all", "*", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/1.10", "\r\n", "\r\n",
            "Host: a\r\n", "X-Some_Name.1!: and a value of some length\r\n", "Tab:\t a\tb \t\r\n", "Empty:\r\n", "Blank: \t \r\n", ":", "\t",
            "GET / HTTP/1.1\r\nHost: a\r\n", "POST /x HTTP/1.0\r\n", "HEAD http://h/ HTTP/1.1\r\n", "Text: \u{fc}\u{e9}\r\n", "\n", "\r",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    (prop::collection::vec(piece, 1..12), any::<bool>()).prop_map(|(pieces, end)| {
        let mut bytes = pieces.concat();
        bytes.extend_from_slice(if end { b"\r\n\r\n" } else { b"" });
        bytes
    })
}

/// What another reader makes of `bytes`: the method, the target, the version and the fields.
type Read = (String, String, u8, Vec<(Vec<u8>, Vec<u8>)>);

fn theirs(bytes: &[u8]) -> Result<Option<Read>, httparse::Error> {
    let mut room = [httparse::EMPTY_HEADER; 40];
    let mut request = httparse::Request::new(&mut room);
    if request.parse(bytes)?.is_partial() {
        return Ok(None);
    }
    let fields =
        request.headers.iter().map(|header| (header.name.as_bytes().to_vec(), header.value.to_vec())).collect();
    Ok(request.method.zip(request.path).zip(request.version).map(|((m, p), v)| (m.into(), p.into(), v, fields)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn heads_are_read_as_others_read_them(bytes in head()) {
        let (mut buffer, mut fields) = ([0; 2048], [Field::default(); 40]);
        let mut connection = Connection::new(Instant::ZERO, &mut buffer, &mut fields, Limits::DEFAULT);
        prop_assert_eq!(connection.input(Instant::ZERO, &bytes), bytes.len());
        // Empty lines before a request are no part of it.
        let start = bytes.chunks(2).take_while(|pair| pair == b"\r\n").count() * 2;
        let theirs = theirs(&bytes[start..]);
        match connection.next(Instant::ZERO) {
            Step::Request(request, _) => {
                let fields = request.fields().iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
                let ours = (request.method_name().into(), request.target_text().into(), request.minor_version(), fields);
                prop_assert_eq!(theirs, Ok(Some(ours)));
            }
            // What follows a line that was found good may still turn out wrong.
            Step::NeedInput => prop_assert!(matches!(theirs, Ok(None) | Err(_)), "{theirs:?}"),
            Step::Refused(Refusal::Version) => prop_assert_eq!(theirs, Err(httparse::Error::Version)),
            // Stricter in line ends, and in what fields mean; nothing that others refuse comes here otherwise.
            Step::Refused(_) => {
                let lone = bytes[start..].windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r') || bytes[start..].starts_with(b"\n");
                if let (Ok(Some((_, target, _, fields))), false) = (theirs, lone) {
                    let hosts: Vec<_> = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"host")).collect();
                    let plain = target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
                    prop_assert!(!plain || hosts.len() != 1 || hosts[0].1 != b"a", "{target} {fields:?}");
                }
            }
            Step::Answering | Step::Closed => prop_assert!(false, "nothing was asked yet"),
        }
    }
}
