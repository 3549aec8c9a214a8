//! The server's side of a connection, without I/O.
//!
//! ```
//! use mirage_clock::Instant;
//! use mirage_http::{Field, Length, Limits, Status};
//! use mirage_http::server::{Connection, ResponseHead, Step};
//!
//! let (mut buffer, mut fields) = ([0; 1024], [Field::default(); 16]);
//! let now = Instant::ZERO;
//! let mut connection = Connection::new(now, &mut buffer, &mut fields, Limits::DEFAULT);
//! connection.input(now, b"GET /hello HTTP/1.1\r\nHost: example.org\r\n\r\n");
//!
//! let Step::Request(request, body) = connection.next(now) else { panic!("a whole request is there") };
//! assert_eq!(request.path(), "/hello");
//! assert!(body.is_complete());
//!
//! let mut out = [0; 128];
//! let head = ResponseHead::new(Status::OK, Length::Known(2), &[("Content-Type", b"text/plain")]);
//! let (length, _) = head.write(request.terms(), &mut out)?;
//! assert!(out[..length].ends_with(b"\r\n\r\n"));
//! // …then the body, then:
//! connection.finish(now);
//! assert!(matches!(connection.next(now), Step::NeedInput));
//! # Ok::<(), mirage_http::HeadError>(())
//! ```

mod connection;
mod head;
mod line;
mod request;
mod response;

pub use connection::{Connection, Step};
pub use request::Request;
pub use response::{ResponseHead, Sending, Terms};
