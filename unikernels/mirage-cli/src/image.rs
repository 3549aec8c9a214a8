//! Images as files.

mod facts;
mod inventory;
mod pack;
mod sizes;
mod strip;

#[cfg(test)]
pub(crate) use facts::Device;
pub(crate) use facts::{Facts, Kind};
pub(crate) use inventory::Inventory;
pub(crate) use pack::pack;
pub(crate) use sizes::{Sizes, by_crate};
pub(crate) use strip::strip;

use std::fmt;

/// The file is no image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAnImage(pub(crate) &'static str);

impl fmt::Display for NotAnImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(reason) = self;
        write!(f, "this is no image: {reason}")
    }
}

impl std::error::Error for NotAnImage {}
