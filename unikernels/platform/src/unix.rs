//! The target that is an ordinary process.

mod boot;
mod host;
mod net;
mod signals;

pub use boot::{boot, boot_local};
