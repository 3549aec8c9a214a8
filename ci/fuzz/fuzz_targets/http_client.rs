//! Bytes at the HTTP client, in pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mirage_clock::Instant;
use mirage_http::client::{Connection, Step};
use mirage_http::{BodyStep, Field, Limits, Method};

fuzz_target!(|input: &[u8]| {
    let (mut buffer, mut fields) = (vec![0; 1024], [Field::default(); 16]);
    let limits = Limits { head: 512, body: 1000, ..Limits::DEFAULT };
    let now = Instant::ZERO;
    let mut connection = Connection::new(&mut buffer, &mut fields, limits);
    connection.requested(now, if input.len().is_multiple_of(2) { Method::Get } else { Method::Head });
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
            Step::Response(response, _) => {
                let _looked_at = response.status();
                let mut body = connection.body().unwrap();
                loop {
                    match body.next(100) {
                        BodyStep::Data(_) => {}
                        BodyStep::NeedInput => match pieces.next() {
                            Some(piece) => {
                                body.input(now, piece);
                            }
                            None => body.input_ended(),
                        },
                        _ => break,
                    }
                }
                if !connection.finish() {
                    break;
                }
            }
            _ => break,
        }
    }
});
