//! How much goes out during recovery: Proportional Rate Reduction (RFC 6937).

use mirage_checksum::SequenceNumber;
use zerocopy::FromZeros;

/// The books of one recovery.
#[derive(Clone, Copy, Debug, FromZeros)]
pub(crate) struct Proportional {
    /// Bytes delivered since it began.
    delivered: u32,
    /// Bytes sent since it began.
    out: u32,
    /// What was under way when it began.
    flight: u32,
    /// How much may be under way now.
    window: u32,
}

impl Proportional {
    pub(crate) const NEW: Self = Self { delivered: 0, out: 0, flight: 0, window: 0 };

    /// A loss was noticed while `flight` was under way.
    pub(crate) fn begin(&mut self, flight: u32) {
        *self = Self { flight: flight.max(1), ..Self::NEW };
    }

    /// `bytes` were sent.
    pub(crate) fn on_sent(&mut self, bytes: u32) {
        self.out = self.out.saturating_add(bytes);
    }

    /// `delivered` bytes arrived, `pipe` are under way, `ssthresh` shall be in the end. `progress`: the first hole moved and
    /// nothing new was lost. `first`: the loss was noticed just now, so one segment goes whatever happens.
    pub(crate) fn on_ack(&mut self, delivered: u32, pipe: u32, ssthresh: u32, mss: u32, progress: bool, first: bool) {
        self.delivered = self.delivered.saturating_add(delivered);
        let more = if pipe > ssthresh {
            // §3: "CEIL(prr_delivered * ssthresh / RecoverFS) - prr_out"
            let share = u64::from(self.delivered) * u64::from(ssthresh);
            let share = share.div_ceil(u64::from(self.flight)).min(u32::MAX.into()) as u32;
            share.saturating_sub(self.out)
        } else {
            // RFC 9937 §6: "MAX(prr_delivered - prr_out, DeliveredData)", and "if SafeACK: sndcnt += 1" (a segment).
            let mut limit = self.delivered.saturating_sub(self.out).max(delivered);
            if progress {
                limit = limit.saturating_add(mss);
            }
            (ssthresh - pipe).min(limit)
        };
        let least = if first && self.out == 0 { mss } else { 0 };
        self.window = pipe.saturating_add(more.max(least));
    }

    pub(crate) fn window(&self) -> u32 {
        self.window
    }
}

/// Whether `a` is later than `b` when both were noted at an instant and have a number.
pub(super) fn is_later(a: (mirage_clock::Instant, SequenceNumber), b: (mirage_clock::Instant, SequenceNumber)) -> bool {
    a.0 > b.0 || (a.0 == b.0 && a.1.after(b.1))
}
