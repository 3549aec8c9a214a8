//! No target: the run loop, the arguments and the log alone.

use alloc::boxed::Box;

use mirage_clock::{Instant, Timestamp};

use crate::executor::Park;

/// There is no machine, so there is nothing to boot.
#[derive(Clone)]
pub(crate) enum Machine {}

impl Machine {
    pub(crate) fn park(&self) -> Nowhere {
        match *self {}
    }

    pub(crate) fn print(_line: &str) {}

    pub(crate) fn complain(_line: &str) {}

    pub(crate) fn free_memory() -> Option<usize> {
        None
    }

    pub(crate) fn wall() -> Option<Timestamp> {
        None
    }
}

/// There is no network that could count.
pub(crate) type Counted = ();

/// There is no such place.
pub(crate) enum Nowhere {}

impl Park for Nowhere {
    fn now(&self) -> Instant {
        match *self {}
    }

    fn park(&self, _until: Option<Instant>, _idle: &dyn Fn() -> bool) {
        match *self {}
    }

    fn unparker(&self) -> Box<dyn Fn() + Send + Sync> {
        match *self {}
    }
}
