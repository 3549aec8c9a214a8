//! A segment for a closed connection that is remembered (RFC 9293 §3.10.7.4, TIME-WAIT).

use mirage_clock::Instant;

use crate::options::SynOptions;
use crate::replies::Reply;
use crate::stamps::Stamps;
use crate::time_wait::TimeWaitSlot;
use crate::wire::{Flags, Segment};
use crate::{Discard, Profile, Tcp};

impl<P: Profile> Tcp<'_, P> {
    #[inline(never)]
    pub(super) fn input_time_wait(&mut self, now: Instant, index: u32, segment: &Segment<'_>) -> Result<(), Discard> {
        let Some(slot) = self.time_wait.slots.get(index as usize) else { return Ok(()) };
        let TimeWaitSlot { tuple, snd_nxt, rcv_nxt, window, stamps, .. } = *slot;
        let flags = segment.flags;
        if super::has_bad_flags(flags) {
            return Err(Discard::BadFlags);
        }
        if flags.contains(Flags::RST) {
            // RFC 1337 §3, fix F1: otherwise an old duplicate could assassinate the memory.
            return Err(Discard::ResetInTimeWait);
        }
        if flags.contains(Flags::SYN) {
            // RFC 9293 §3.6.1: a new connection may begin if its number is larger than the last of the old one; or, RFC 6191 §2,
            // if its timestamp is.
            if !flags.contains(Flags::ACK)
                && (segment.seq.after(rcv_nxt) || is_newer(&stamps, segment))
                && let Some(listener) = self.find_listener(tuple.local, tuple.local_port)
            {
                self.forget(index);
                return self.input_syn(now, listener, &tuple, segment, Some(snd_nxt));
            }
            self.remind(now, Reply::stamped::<P>(tuple, snd_nxt, rcv_nxt, window, &stamps));
            return Err(Discard::UnexpectedSyn);
        }
        if flags.contains(Flags::FIN) {
            self.remember_again(now, index);
        } else if segment.len() > 0 || segment.seq != rcv_nxt {
            self.remind(now, Reply::stamped::<P>(tuple, snd_nxt, rcv_nxt, window, &stamps));
            return Err(Discard::OutsideWindow);
        }
        Ok(())
    }

    /// Tells the peer again what we had, unless that was told too often.
    fn remind(&mut self, now: Instant, reply: Reply) {
        if self.resources.challenges.allow(now) {
            self.replies.push(reply);
        } else {
            self.resources.stats.replies_dropped += 1;
        }
    }
}

/// Whether a SYN carries a later timestamp than the old connection saw.
fn is_newer(stamps: &Stamps, segment: &Segment<'_>) -> bool {
    let value = SynOptions::parse(segment.options).timestamps.map(|(value, _)| value);
    stamps.is_on() && value.is_some_and(|value| value.wrapping_sub(stamps.recent) as i32 > 0)
}
