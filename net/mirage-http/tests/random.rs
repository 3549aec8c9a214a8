//! Nonsense never panics, never loops, and never depends on how it is cut.

mod common;

use common::{Act, answer, play};
use mirage_clock::Instant;
use mirage_http::client::{Connection, Step};
use mirage_http::{BodyStep, Field, Limits, Method};
use proptest::prelude::*;

/// Bytes, of which most are pieces of requests.
fn nonsense() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "GET / HTTP/1.1\r\n", "POST /echo HTTP/1.1\r\n", "POST /ignore HTTP/1.1\r\n", "Host: a\r\n", "\r\n", "\r\n\r\n", "\n", "\r",
            "Content-Length: 5\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n", "5\r\n12345\r\n", "0\r\n\r\n",
            "Connection: close\r\n", "Expect: 100-continue\r\n", "X: y\r\n", ";a=b", " ", "HTTP/1.0\r\n", "HEAD /files/ ",
            "GET /files/docs/page.txt HTTP/1.1\r\nHost: a\r\n", "Range: bytes=1-\r\n", "HTTP/1.1 200 OK\r\n", "fffffffffffffff\r\n",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_server_answers_nonsense_in_one_way(input in nonsense(), cuts in prop::collection::vec(1_usize..30, 1..10)) {
        let clean = |(text, outcome): (String, mirage_http::Outcome)| (text.replace("HTTP/1.1 100 Continue\r\n\r\n", ""), outcome.requests);
        let whole = clean(answer(&input));
        let (mut acts, mut rest) = (Vec::new(), &input[..]);
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            acts.push(Act::Send(piece.to_vec()));
            rest = after;
        }
        // A body that a peer said it would hold back, and nobody wants, closes the connection: that depends on when.
        if !input.windows(12).any(|window| window == b"100-continue") {
            prop_assert_eq!(clean(play(acts)), whole);
        }
    }

    #[test]
    fn the_client_reads_nonsense_to_an_end(input in nonsense(), piece in 1_usize..50) {
        let (mut buffer, mut fields) = ([0; 300], [Field::default(); 4]);
        let now = Instant::ZERO;
        let mut connection = Connection::new(&mut buffer, &mut fields, Limits::DEFAULT);
        let mut pieces = input.chunks(piece);
        'requests: loop {
            connection.requested(now, Method::Get);
            loop {
                match connection.next(now) {
                    Step::NeedInput => match pieces.next() {
                        Some(piece) => { connection.input(now, piece); }
                        None => connection.input_ended(),
                    },
                    Step::Response(..) | Step::Reading => break,
                    Step::Refused(_) | Step::Cut => break 'requests,
                    Step::Idle => unreachable!("a request was sent"),
                }
            }
            let mut body = connection.body().unwrap();
            loop {
                match body.next(usize::MAX) {
                    BodyStep::Data(data) => prop_assert!(!data.is_empty()),
                    BodyStep::NeedInput => match pieces.next() {
                        Some(piece) => { body.input(now, piece); }
                        None => body.input_ended(),
                    },
                    _ => break,
                }
            }
            if !connection.finish() {
                break;
            }
        }
    }
}

#[test]
fn a_head_that_ends_inside_a_line_gets_no_answer_however_it_is_cut() {
    let input = b"POST /echo HTTP/1.1\r\n;a=b";
    for at in 0..=input.len() {
        let (first, rest) = input.split_at(at);
        let (text, _) = play([Act::Send(first.to_vec()), Act::Send(rest.to_vec())]);
        assert_eq!(text, "", "cut after {at} bytes");
    }
}
