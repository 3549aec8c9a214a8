//! The client's side of a connection, without I/O.
//!
//! ```
//! use mirage_clock::Instant;
//! use mirage_http::{BodyStep, Field, Length, Limits, Method};
//! use mirage_http::client::{Connection, RequestHead, Step};
//!
//! let mut out = [0; 256];
//! let head = RequestHead::new(Method::Get, "/", "example.org", Length::Known(0), &[]);
//! let length = head.write(&mut out)?;
//! assert!(out[..length].starts_with(b"GET / HTTP/1.1\r\nHost: example.org\r\n"));
//!
//! let (mut buffer, mut fields) = ([0; 1024], [Field::default(); 16]);
//! let now = Instant::ZERO;
//! let mut connection = Connection::new(&mut buffer, &mut fields, Limits::DEFAULT);
//! connection.requested(now, Method::Get);
//! connection.input(now, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
//! let Step::Response(response, mut body) = connection.next(now) else { panic!("a whole response is there") };
//! assert_eq!(response.status().code(), 200);
//! assert_eq!(body.next(usize::MAX), BodyStep::Data(b"hello"));
//! assert_eq!(body.next(usize::MAX), BodyStep::End);
//! assert!(connection.finish());
//! # Ok::<(), mirage_http::HeadError>(())
//! ```

mod connection;
mod head;
mod request;
mod response;

pub use connection::{Connection, Step};
pub use request::RequestHead;
pub use response::Response;
