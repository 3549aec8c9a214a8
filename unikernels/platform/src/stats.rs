//! Numbers that a running image can tell.

use alloc::boxed::Box;

/// Somebody who counts.
#[diagnostic::on_unimplemented(message = "`{Self}` does not count anything")]
pub trait Stats {
    /// Shows every number with its name, `layer.what` in `snake_case`, always in the same order.
    fn each(&self, visit: &mut dyn FnMut(&str, u64));
}

impl<T: Stats + ?Sized> Stats for Box<T> {
    fn each(&self, visit: &mut dyn FnMut(&str, u64)) {
        (**self).each(visit);
    }
}

/// Nothing is counted.
impl Stats for () {
    fn each(&self, _visit: &mut dyn FnMut(&str, u64)) {}
}
