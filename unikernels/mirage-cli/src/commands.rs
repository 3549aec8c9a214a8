//! The commands, one file each.

pub(crate) mod build;
pub(crate) mod clean;
pub(crate) mod configure;
pub(crate) mod describe;
pub(crate) mod new;
pub(crate) mod run;
pub(crate) mod symbolize;
