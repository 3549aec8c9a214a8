//! No target: the run loop, the arguments and the log alone.

use mirage_clock::Timestamp;

/// There is no machine, so there is nothing to boot.
#[derive(Clone)]
pub(crate) enum Machine {}

impl Machine {
    pub(crate) fn print(_line: &str) {}

    pub(crate) fn wall() -> Option<Timestamp> {
        None
    }
}
