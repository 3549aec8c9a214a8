//! What a stack has open.

use std::cell::Cell;
use std::rc::Rc;

/// What a [`HostStack`](crate::HostStack) has open and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections open now.
    pub tcp_connections: u64,
    /// Connections accepted so far.
    pub tcp_accepted: u64,
    /// Connections opened to others so far.
    pub tcp_opened: u64,
    /// Datagram sockets open now.
    pub udp_sockets: u64,
}

pub(crate) type Shared = Rc<Cell<Counters>>;

/// Counts one thing for as long as it lives.
#[derive(Debug)]
pub(crate) struct Open {
    counters: Shared,
    change: fn(&mut Counters, bool),
}

impl Open {
    pub(crate) fn connection(counters: &Shared) -> Self {
        Self::new(counters, |counters, open| step(&mut counters.tcp_connections, open))
    }

    pub(crate) fn udp_socket(counters: &Shared) -> Self {
        Self::new(counters, |counters, open| step(&mut counters.udp_sockets, open))
    }

    fn new(counters: &Shared, change: fn(&mut Counters, bool)) -> Self {
        edit(counters, |counters| change(counters, true));
        Self { counters: counters.clone(), change }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        edit(&self.counters, |counters| (self.change)(counters, false));
    }
}

pub(crate) fn edit(counters: &Shared, change: impl FnOnce(&mut Counters)) {
    let mut now = counters.get();
    change(&mut now);
    counters.set(now);
}

fn step(count: &mut u64, up: bool) {
    *count = if up { *count + 1 } else { *count - 1 };
}
