//! Proportional Rate Reduction (RFC 6937, with the bound of draft-ietf-tcpm-prr-rfc6937bis).

/// How the window is given out during one recovery.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reduction {
    /// `RecoverFS`: what was under way when it began.
    before: u64,
    delivered: u64,
    out: u64,
}

impl Reduction {
    pub(super) fn new(before: u32) -> Self {
        Self { before: u64::from(before).max(1), delivered: 0, out: 0 }
    }

    pub(super) fn on_sent(&mut self, bytes: u32) {
        self.out += u64::from(bytes);
    }

    /// What may be under way after an acknowledgement of `delivered` bytes; `safe`: it moved on and told of no new loss.
    pub(super) fn window(&mut self, delivered: u32, in_flight: u32, ssthresh: u32, mss: u32, safe: bool) -> u32 {
        self.delivered += u64::from(delivered);
        let more = if in_flight > ssthresh {
            (self.delivered * u64::from(ssthresh)).div_ceil(self.before).saturating_sub(self.out)
        } else {
            let more = self.delivered.saturating_sub(self.out).max(delivered.into());
            let more = more + if safe { u64::from(mss) } else { 0 };
            more.min(u64::from(ssthresh - in_flight))
        };
        let least = if self.out == 0 { u64::from(mss) } else { 0 };
        in_flight.saturating_add(u32::try_from(more.max(least)).unwrap_or(u32::MAX))
    }
}
