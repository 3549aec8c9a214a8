//! Losses at the end of a flight, of which no acknowledgement tells: a probe (RFC 8985 §7).

use mirage_checksum::SequenceNumber;

/// The probe under way, if there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tail {
    /// SND.NXT behind the probe; `None`: there is none.
    pub(crate) end: Option<SequenceNumber>,
    /// It carried what had been sent before.
    pub(crate) resent: bool,
}

impl Tail {
    pub(crate) const NEW: Self = Self { end: None, resent: false };

    /// `ack` came in; `twice`: with word of something that the peer got twice; `plain`: it is a duplicate that brings nothing
    /// else. Says whether the probe has repaired a loss that nobody noticed (§7.4.2).
    pub(crate) fn on_ack(&mut self, ack: SequenceNumber, twice: bool, plain: bool) -> bool {
        let Some(end) = self.end else { return false };
        if ack.before(end) {
            return false;
        }
        if !self.resent || twice {
            // All of it arrived before the probe did.
            self.end = None;
            return false;
        }
        if ack.after(end) {
            self.end = None;
            return true;
        }
        if plain {
            // The original and the probe were both acknowledged.
            self.end = None;
        }
        false
    }
}
