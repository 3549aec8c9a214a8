//! Room for one connection.

/// Room for one connection.
#[derive(Debug, Default)]
pub struct Slot {}
