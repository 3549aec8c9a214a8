//! A segment for a handshake under way (RFC 9293 §3.10.7.4, SYN-RECEIVED).

use mirage_clock::Instant;

use super::has_bad_flags;
use crate::half_open::HalfOpenSlot;
use crate::replies::Reply;
use crate::wire::{Flags, Segment};
use crate::{Discard, Profile, Tcp};

impl<P: Profile> Tcp<'_, P> {
    #[inline(never)]
    pub(super) fn input_half_open(
        &mut self,
        now: Instant,
        index: u32,
        segment: &Segment<'_>,
    ) -> Result<Option<u32>, Discard> {
        let Some(slot) = self.half_open.slots.get(index as usize) else { return Ok(None) };
        let HalfOpenSlot { tuple, listener, iss, irs, window, .. } = *slot;
        let flags = segment.flags;
        if has_bad_flags(flags) {
            return Err(Discard::BadFlags);
        }
        // With a window of zero, its first number is acceptable all the same.
        let inside = segment.seq.in_window(irs + 1, u32::from(window).max(1));
        if flags.contains(Flags::RST) {
            return match segment.seq == irs + 1 {
                true => {
                    self.resources.stats.resets_in += 1;
                    self.end_handshake(index);
                    Ok(None)
                }
                false if inside => {
                    self.challenge_half_open(now, index);
                    Err(Discard::BadReset)
                }
                false => Err(Discard::OutsideWindow),
            };
        }
        if flags.contains(Flags::SYN) {
            if segment.seq == irs && !flags.contains(Flags::ACK) {
                // Our answer was lost.
                self.replies.push_syn_ack(index, iss);
                return Ok(None);
            }
            self.challenge_half_open(now, index);
            return Err(Discard::UnexpectedSyn);
        }
        if !flags.contains(Flags::ACK) {
            return Err(Discard::NoAck);
        }
        // The peer may believe in a cookie with which an earlier SYN of its was answered when there was no room for this.
        let by_cookie = match segment.ack == iss + 1 {
            true => None,
            false => self.redeem_cookie(now, listener.index, &tuple, segment),
        };
        if segment.ack != iss + 1 && by_cookie.is_none() {
            // Not while it may be a later segment of such a peer, which a reset would end.
            if !self.are_cookies_out(now) {
                self.refuse(now, tuple, segment);
            }
            return Err(Discard::BadAck);
        }
        if !inside {
            self.challenge_half_open(now, index);
            return Err(Discard::OutsideWindow);
        }
        if self.listener(listener).is_none() {
            self.end_handshake(index);
            self.refuse(now, tuple, segment);
            return Err(Discard::NoListener);
        }
        let Some(slot) = self.half_open.slots.get(index as usize) else { return Ok(None) };
        if !self.may_accept(listener.index) {
            return Err(Discard::AcceptQueueFull);
        }
        self.resources.stats.cookies_accepted += u64::from(by_cookie.is_some());
        let handshake = by_cookie.unwrap_or_else(|| slot.clone());
        Ok(self.admit(now, &handshake, segment.seq, Some(index)))
    }

    /// Says again where we are, unless that was said too often.
    #[inline(never)]
    fn challenge_half_open(&mut self, now: Instant, index: u32) {
        let Some(slot) = self.half_open.slots.get(index as usize) else { return };
        if self.resources.challenges.allow(now) {
            let HalfOpenSlot { tuple, iss, irs, window, .. } = *slot;
            let stamps = slot.stamps::<P>(&self.resources.config);
            self.replies.push(Reply::stamped::<P>(tuple, iss + 1, irs + 1, window, &stamps));
        } else {
            self.resources.stats.replies_dropped += 1;
        }
    }
}
