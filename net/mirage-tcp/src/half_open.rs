//! Room for one handshake.

/// Room for one handshake.
#[derive(Debug, Default)]
pub struct HalfOpenSlot {}
