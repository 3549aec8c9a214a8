//! Losses at the end of a flight, of which no acknowledgement tells: a probe (RFC 8985 §7).

use mirage_checksum::SequenceNumber;
use zerocopy::FromZeros;

/// The probe under way, if there is one.
#[derive(Clone, Copy, Debug, FromZeros)]
pub(crate) struct Tail {
    /// SND.NXT behind the probe.
    end: u32,
    /// Whether there is one.
    probed: bool,
    /// It carried what had been sent before.
    resent: bool,
}

impl Tail {
    pub(crate) const NEW: Self = Self { end: 0, probed: false, resent: false };

    /// A probe is sent that is acknowledged with `end`. `resent`: it carries what had been sent before.
    pub(crate) fn begin(&mut self, end: SequenceNumber, resent: bool) {
        *self = Self { end: end.0, probed: true, resent };
    }

    /// There is none any more.
    pub(crate) fn end(&mut self) {
        self.probed = false;
    }

    /// Whether a probe is under way.
    #[inline]
    pub(crate) fn is_probed(&self) -> bool {
        self.probed
    }

    /// `ack` came in; `twice`: with word of something that the peer got twice; `plain`: it is a duplicate that brings nothing
    /// else. Says whether the probe has repaired a loss that nobody noticed (§7.4.2).
    pub(crate) fn on_ack(&mut self, ack: SequenceNumber, twice: bool, plain: bool) -> bool {
        let end = SequenceNumber(self.end);
        if !self.probed || ack.before(end) {
            return false;
        }
        if !self.resent || twice {
            // All of it arrived before the probe did.
            self.probed = false;
            return false;
        }
        if ack.after(end) {
            self.probed = false;
            return true;
        }
        if plain {
            // The original and the probe were both acknowledged.
            self.probed = false;
        }
        false
    }
}
