//! Whether packets come and go in pieces.

use managed::ManagedSlice;
use mirage_clock::Instant;
use mirage_net::SendError;
use mirage_protocols::{Cast, InterfaceId, Packet};

use crate::fragment::{Fragments, SendPiece};
use crate::over::Fill;
use crate::reassembly::{Reassembly, Whole};
use crate::route::Hop;
use crate::wire::Parsed;
use crate::{Block, Discard, Expired, Limits};

/// What becomes of packets that are longer than the MTU of a link, in either direction.
///
/// Only the value of this type that a program names decides what is linked: without [`BOTH_WAYS`](Self::BOTH_WAYS) in it,
/// a program holds no code for reassembly.
#[derive(Clone, Copy, Debug)]
pub struct Fragmentation(pub(crate) Option<&'static Verbs>);

impl Fragmentation {
    /// What comes in pieces is put together, what is too long is cut.
    pub const BOTH_WAYS: Self = Self(Some(&VERBS));
    /// Pieces that come are dropped and counted ([`Discard::Fragment`]), what is too long is refused with
    /// [`SendError::WouldFragment`].
    pub const NONE: Self = Self(None);
}

/// The code for it, behind pointers so that nothing else names it.
#[derive(Debug)]
#[expect(clippy::type_complexity, reason = "signatures of methods, each named by its field")]
pub(crate) struct Verbs {
    pub(crate) new: for<'s> fn(ManagedSlice<'s, Block>, ManagedSlice<'s, u8>, Limits, &[u8; 16]) -> Reassembly<'s>,
    pub(crate) input:
        for<'s> fn(&mut Reassembly<'s>, Instant, InterfaceId, Cast, &Parsed<'_>) -> Result<Option<Whole>, Discard>,
    pub(crate) poll_expired: for<'a, 's> fn(&'a mut Reassembly<'s>, Instant) -> Option<Expired<'a>>,
    pub(crate) send:
        for<'s> fn(&mut Fragments<'s>, &Packet, Hop, u16, usize, Fill<'_>, SendPiece<'_>) -> Result<(), SendError>,
    pub(crate) send_rest: for<'s> fn(&mut Fragments<'s>, Instant, SendPiece<'_>),
}

static VERBS: Verbs = Verbs {
    new: |blocks, assembly, limits, secret| Reassembly::new(blocks, assembly, limits, secret),
    input: |reassembly, now, interface, cast, packet| reassembly.input(now, interface, cast, packet),
    poll_expired: |reassembly, now| reassembly.poll_expired(now),
    send: |fragments, packet, hop, identification, mtu, fill, send| {
        fragments.send(packet, hop, identification, mtu, fill, send)
    },
    send_rest: |fragments, now, send| fragments.poll_transmit(now, send),
};
