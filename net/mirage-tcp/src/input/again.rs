//! A segment that differs from the one before it only in its number and its bytes: most of a stream that comes in batches.

use core::hint::cold_path;
use core::num::NonZeroU16;

use mirage_checksum::Sum;
use mirage_clock::Instant;
use mirage_net::ReceivedChecksum;
use mirage_protocols::{Cast, Ecn, Received};

use crate::wire::{Flags, HEADER_LEN, STAMPED_LEN, word};
use crate::{Discard, InFrame, Profile, Tcp};

/// The last segment that [`input_fast`](crate::connection::Slot::input_fast) took in, while nothing else has happened to its
/// connection: what was looked at then need not be looked at again. It was for the connection in `Tcp::last`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Again {
    /// Its length with its header, [marked](Self::mark) if its device had looked at it; 0 for none.
    pub(crate) len: usize,
    /// Its ports, as they lie there.
    ports: u32,
    /// Its header from the acknowledgement to the window, without PSH.
    middle: u64,
    /// Its options, if it has timestamps.
    stamps: Option<[u8; STAMPED_LEN - HEADER_LEN]>,
    ecn: Ecn,
    segment_size: Option<NonZeroU16>,
    /// What all of it sums to but its number, PSH, its checksum, its urgent pointer and its payload: [`Sum::words`].
    words: u64,
}

impl Again {
    pub(crate) const NONE: Self =
        Self { len: 0, ports: 0, middle: 0, stamps: None, ecn: Ecn::NotCapable, segment_size: None, words: 0 };
    /// What is shorter than this is not taken for a part of a stream.
    pub(super) const LEAST: usize = 512;

    /// Remembers a segment that was taken in, `stamped` or not; `sum` is that of all of it but its payload.
    #[inline(never)]
    pub(super) fn remember(&mut self, received: &Received<'_>, stamped: bool, sum: Sum) {
        let Some((header, rest)) = received.payload.split_first_chunk::<HEADER_LEN>() else { return };
        let word = |at| word(header, at);
        *self = Self {
            len: Self::mark(received.payload.len(), received.checksum),
            ports: ports(header),
            middle: middle(header),
            stamps: rest.first_chunk().copied().filter(|_| stamped),
            ecn: received.ecn,
            segment_size: received.segment_size,
            words: sum.add_u64(u64::from(!word(4)) + u64::from(!pushed(word(12))) + u64::from(!word(16))).words(),
        };
    }

    /// What `len` says of a segment of `len` bytes: no slice is so long that one could be taken for another.
    #[inline(always)]
    fn mark(len: usize, checksum: ReceivedChecksum) -> usize {
        match checksum {
            ReceivedChecksum::Unchecked => len,
            ReceivedChecksum::Verified | ReceivedChecksum::Partial => !len,
        }
    }
}

/// What [`Again::middle`] says of a header.
#[inline(always)]
fn middle(header: &[u8; HEADER_LEN]) -> u64 {
    const PSH: u64 = u64::from_ne_bytes([0, 0, 0, 0, 0, Flags::PSH.bits(), 0, 0]);
    header.get(8..).and_then(<[u8]>::first_chunk).map_or(0, |middle| u64::from_ne_bytes(*middle) & !PSH)
}

#[inline(always)]
fn ports(header: &[u8; HEADER_LEN]) -> u32 {
    header.first_chunk().map_or(0, |ports| u32::from_ne_bytes(*ports))
}

/// Of the word with the flags what [`middle`] leaves out: it is of no interest to us.
#[inline(always)]
fn pushed(flags: u32) -> u32 {
    flags & u32::from(Flags::PSH.bits()) << 16
}

impl<P: Profile> Tcp<'_, P> {
    /// Takes in a segment that goes on where the last one ended; `None` for any other, and then nothing was done: it is one for
    /// [`input`](Self::input). Most of a stream that comes in batches is taken in like that, for a third of the work.
    ///
    /// For a layer that sees that a packet is like the one before: that one was the last handed to `input` or to this method, and
    /// all that [`Received`] says of a segment beside its payload is the same for both. Nothing else is looked at here.
    ///
    /// With a `place` the bytes may stay in their frame as with [`input_in_frame`](Self::input_in_frame).
    ///
    /// # Errors
    /// Those of [`input`](Self::input).
    #[inline(always)]
    pub fn input_again(&mut self, now: Instant, segment: &[u8], place: Option<InFrame>) -> Option<Result<(), Discard>> {
        let len = self.resources.again.len;
        match segment.len() {
            _ if !P::STRAIGHT => None,
            these if these == len => self.take_again::<false>(now, segment, place),
            these if !these == len => self.take_checked_again(now, segment, place),
            _ => None,
        }
    }

    /// The same for what a device has looked at.
    #[inline(always)]
    fn take_checked_again(
        &mut self,
        now: Instant,
        segment: &[u8],
        place: Option<InFrame>,
    ) -> Option<Result<(), Discard>> {
        self.take_again::<true>(now, segment, place)
    }

    /// The same for a segment of the right length, which is only copied if it was `CHECKED`.
    #[inline(always)]
    fn take_again<const CHECKED: bool>(
        &mut self,
        now: Instant,
        segment: &[u8],
        place: Option<InFrame>,
    ) -> Option<Result<(), Discard>> {
        let Self { connections, resources, .. } = self;
        let again = &resources.again;
        let header = segment.first_chunk::<HEADER_LEN>()?;
        let word = |at| word(header, at);
        if middle(header) != again.middle || ports(header) != again.ports {
            return None;
        }
        let slot = connections.get_mut(self.last as usize)?;
        if word(4) != slot.rcv_nxt.0 {
            return None;
        }
        let payload = match &again.stamps {
            Some(stamps) => {
                let (header, payload) = segment.split_first_chunk::<STAMPED_LEN>()?;
                if header.get(HEADER_LEN..)? != stamps {
                    return None;
                }
                payload
            }
            None => segment.get(HEADER_LEN..)?,
        };
        if payload.len() > slot.receive_window() as usize {
            return None;
        }
        let rest = u64::from(word(4)) + u64::from(pushed(word(12))) + u64::from(word(16));
        let sum = (!CHECKED).then(|| Sum::ZERO.add_u64(again.words).add_u64(rest));
        let place = place.and_then(|place| place.behind(segment.len() - payload.len()));
        let is_valid = match slot.receive.keep_valid(&mut resources.pool, payload, sum, place) {
            Some(is_valid) => is_valid,
            None if CHECKED => slot.receive.take_checked(&mut resources.pool, payload)?,
            None => slot.receive.take_valid(&mut resources.pool, payload, sum)?,
        };
        resources.stats.segments_in += 1;
        if !is_valid {
            cold_path();
            self.discards.count(Discard::BadChecksum);
            return Some(Err(Discard::BadChecksum));
        }
        slot.window_seq = slot.rcv_nxt;
        slot.hear(now);
        slot.note_data(now);
        slot.rcv_nxt += payload.len() as u32;
        resources.wakers.wake(&mut slot.readers);
        // That it is acknowledged at once is noted already.
        if P::TUNING && slot.tuning.is_due(slot.rcv_nxt) {
            slot.tune(now, resources);
        }
        self.check(self.last);
        Some(Ok(()))
    }

    /// The same from where it is not called for each segment.
    #[inline(never)]
    pub(super) fn input_again_elsewhere(&mut self, now: Instant, segment: &[u8]) -> Option<Result<(), Discard>> {
        self.input_again(now, segment, self.resources.pool.keeping.offered)
    }

    /// Whether what a segment comes with is what the last one came with.
    #[inline(always)]
    pub(super) fn comes_again(&self, received: &Received<'_>) -> bool {
        received.payload.len() >= Again::LEAST
            && Again::mark(received.payload.len(), received.checksum) == self.resources.again.len
            && received.ecn == self.resources.again.ecn
            && received.cast == Cast::Unicast
            && received.segment_size == self.resources.again.segment_size
            && self.connections.get(self.last as usize).is_some_and(|slot| slot.tuple.is_of(received))
    }
}
