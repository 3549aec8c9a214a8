//! A model of a device: drivers are tested without a virtual machine, step by step and without threads.
//!
//! This module needs the `testing` feature. It is for tests: it checks what the driver does and panics.

mod chain;
mod host;
mod model;
mod ring;
mod transport;

pub use chain::Chain;
pub use host::Host;
pub use model::Model;
