//! The target Unix: an ordinary process.

mod block;
mod boot;
mod host;
mod machine;
mod net;
mod nic;
mod signals;

pub use boot::{boot, boot_local};
pub(crate) use machine::{Block, Counted, Machine, Net};
