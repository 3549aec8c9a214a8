//! A pipe in memory, the exams for every flow, and the combinators that exams of asynchronous code need.

mod exam;
mod join;
mod pipe;

pub use exam::{examine, examine_deaf_reader, examine_drop};
pub use join::{join, poll_once};
pub use pipe::{Pipe, PipeReader, PipeWriter, pipe};
