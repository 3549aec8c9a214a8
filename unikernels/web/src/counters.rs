//! What the server did.

use core::cell::Cell;

/// What the server did so far.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections: Cell<u64>,
    pub(crate) requests: Cell<u64>,
    pub(crate) bytes_hashed: Cell<u64>,
    pub(crate) bytes_streamed: Cell<u64>,
}

impl Counters {
    /// Shows every number with its name.
    pub(crate) fn each(&self, visit: &mut dyn FnMut(&str, u64)) {
        visit("http.connections", self.connections.get());
        visit("http.requests", self.requests.get());
        visit("http.bytes_hashed", self.bytes_hashed.get());
        visit("http.bytes_streamed", self.bytes_streamed.get());
    }
}

/// Counts `more`.
pub(crate) fn add(counter: &Cell<u64>, more: u64) {
    counter.set(counter.get() + more);
}
