//! The highest bandwidth of this cycle of probing and the last (draft-ietf-ccwg-bbr §5.5.2).

/// A windowed maximum over two cycles, in bytes a second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MaxBandwidth {
    cycle: u64,
    last_cycle: u64,
}

impl MaxBandwidth {
    pub(crate) fn max(&self) -> u64 {
        self.cycle.max(self.last_cycle)
    }

    pub(crate) fn update(&mut self, rate: u64) {
        self.cycle = self.cycle.max(rate);
    }

    pub(crate) fn advance(&mut self) {
        self.last_cycle = core::mem::take(&mut self.cycle);
    }
}
