//! The commands, one file each.

pub(crate) mod build;
pub(crate) mod run;
