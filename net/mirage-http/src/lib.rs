#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod field;
mod joined;
mod limits;
mod method;
mod patience;
mod refusal;
mod status;
mod target;
mod writer;

pub mod chunked;
pub mod client;
mod incoming;
mod outgoing;
pub mod server;

mod cut;
pub mod date;
mod files;
pub mod range;
mod respond;
mod router;
mod scan;
mod serve;

pub use field::{Field, Fields};
pub use files::{Held, Site, content_type, hold};
pub use incoming::{BodyStep, Incoming};
pub use limits::Limits;
pub use method::Method;
pub use outgoing::{HeadError, Length};
pub use refusal::Refusal;
pub use respond::{Reply, Responder, respond};
pub use router::{Allow, Match, Parameters, Route, Router};
pub use serve::{Config, Error, Exchange, Handler, Io, Memory, Outcome, Sent, Streaming, serve};
pub use status::Status;
pub use target::{PathError, Target, decode_path};
