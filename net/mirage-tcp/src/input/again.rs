//! A segment that differs from the one before it only in its number and its bytes: most of a stream that comes in batches.

use mirage_checksum::Sum;
use mirage_clock::Instant;
use mirage_net::ReceivedChecksum;
use mirage_protocols::{Cast, Ecn, Received};

use crate::wire::{HEADER_LEN, STAMPED_LEN};
use crate::{Discard, Profile, Tcp};

/// The last segment that [`input_fast`](crate::connection::Slot::input_fast) took in, while nothing else has happened to its
/// connection: what was looked at then need not be looked at again. It was for the connection in `Tcp::last`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Again {
    /// Its length with its header; 0 for none.
    pub(crate) len: usize,
    /// Its header from the acknowledgement to the window.
    pub(super) middle: u64,
    /// Its options, if it has timestamps.
    pub(super) stamps: Option<[u8; STAMPED_LEN - HEADER_LEN]>,
    pub(super) ecn: Ecn,
    /// What all of it sums to but its number, its checksum, its urgent pointer and its payload: [`Sum::words`].
    pub(super) words: u64,
}

impl Again {
    pub(crate) const NONE: Self = Self { len: 0, middle: 0, stamps: None, ecn: Ecn::NotCapable, words: 0 };
    /// What is shorter than this is not taken for a part of a stream.
    pub(super) const LEAST: usize = 512;
}

/// What [`Again::middle`] says of a header.
#[inline(always)]
pub(super) fn middle(header: &[u8; HEADER_LEN]) -> u64 {
    header.get(8..).and_then(<[u8]>::first_chunk).map_or(0, |middle| u64::from_ne_bytes(*middle))
}

impl<P: Profile> Tcp<'_, P> {
    /// Takes in what goes on where the last segment ended; `None` for anything else, and then nothing was done.
    #[inline(always)]
    pub(super) fn input_again(&mut self, now: Instant, received: &Received<'_>) -> Option<Result<(), Discard>> {
        let Self { connections, resources, .. } = self;
        let again = &resources.again;
        let header = received.payload.first_chunk::<HEADER_LEN>()?;
        if received.payload.len() != again.len || middle(header) != again.middle {
            return None;
        }
        let slot = connections.get_mut(self.last as usize)?;
        let word =
            |at: usize| header.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |word| u32::from_be_bytes(*word));
        let goes_on = word(4) == slot.rcv_nxt.0
            && received.ecn == again.ecn
            && received.cast == Cast::Unicast
            && received.checksum == ReceivedChecksum::Unchecked
            && slot.tuple.is_of(received);
        if !goes_on {
            return None;
        }
        let payload = match &again.stamps {
            Some(stamps) => {
                let (header, payload) = received.payload.split_first_chunk::<STAMPED_LEN>()?;
                if header.get(HEADER_LEN..)? != stamps {
                    return None;
                }
                payload
            }
            None => received.payload.get(HEADER_LEN..)?,
        };
        if payload.len() > slot.receive_window() as usize {
            return None;
        }
        let sum = Sum::ZERO.add_u64(again.words).add_u64(u64::from(word(4)) + u64::from(word(16)));
        if !slot.receive.take_valid(&mut resources.pool, payload, Some(sum))? {
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
        Some(Ok(()))
    }
}
