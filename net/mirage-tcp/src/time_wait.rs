//! Room for one memory.

/// Room for one memory.
#[derive(Debug, Default)]
pub struct TimeWaitSlot {}
