//! Bytes at the HTTP server, in pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mirage_clock::Instant;
use mirage_http::server::{Connection, Step};
use mirage_http::{BodyStep, Field, Limits};

fuzz_target!(|input: &[u8]| {
    let (mut buffer, mut fields) = (vec![0; 1024], [Field::default(); 16]);
    let limits = Limits { head: 512, body: 1000, ..Limits::DEFAULT };
    let now = Instant::ZERO;
    let mut connection = Connection::new(now, &mut buffer, &mut fields, limits);
    let piece = usize::from(input.first().copied().unwrap_or(1)).max(1);
    let mut pieces = input.get(1..).unwrap_or_default().chunks(piece.min(400));
    loop {
        match connection.next(now) {
            Step::NeedInput => match pieces.next() {
                Some(piece) => {
                    connection.input(now, piece);
                }
                None => connection.input_ended(),
            },
            Step::Request(request, _) => {
                let _looked_at = (request.method(), request.target());
                let mut body = connection.body().unwrap();
                let mut total = 0;
                loop {
                    match body.next(100) {
                        BodyStep::Data(data) => total += data.len(),
                        BodyStep::NeedInput => match pieces.next() {
                            Some(piece) => {
                                body.input(now, piece);
                            }
                            None => body.input_ended(),
                        },
                        _ => break,
                    }
                }
                assert!(total <= 1000, "the limit of bodies holds");
                connection.finish(now);
            }
            Step::Answering => unreachable!("it was finished"),
            Step::Refused(_) | Step::Closed => break,
        }
    }
});
