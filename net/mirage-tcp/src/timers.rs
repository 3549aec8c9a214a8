//! (being written)

/// Room for one timer.
#[derive(Clone, Debug, Default)]
pub struct TimerSlot {}
