//! Full segments of one connection, one after the other, in one loop.

use core::cell::Cell;
use core::hint::cold_path;

use mirage_checksum::SequenceNumber;
use mirage_net::FrameWriter;
use mirage_protocols::{Ip, Packet, SendError};

use super::plan::Plan;
use crate::pool::{BLOCK_BYTES, Pool};
use crate::send_queue::{Cursor, SendQueue, Walk};
use crate::wire::{Cast, Flags, HEADER_LEN, Mould, STAMPED_LEN, Second, Template};

/// The full segments of a plan. They differ in their number and their bytes alone.
pub(super) struct Run<'a, 's> {
    pub(super) plan: &'a Plan,
    /// What of it has left already.
    pub(super) sent: u32,
    /// Those of the last segment of the plan, be it one of these or not.
    pub(super) flags: Flags,
    pub(super) queue: &'a SendQueue,
    pub(super) pool: &'a Pool<'s>,
    /// Bytes in each.
    pub(super) full: u32,
    /// Most of them to send.
    pub(super) limit: usize,
}

impl Run<'_, '_> {
    /// Sends them, up to the first whose bytes lie in several pieces though they would fit in one. Gives how many left; `None` if
    /// they cannot go straight, and then nothing was done.
    #[inline]
    pub(super) fn send(
        &self,
        template: &Template<'_>,
        packet: &Packet,
        cursor: &mut Cursor,
        ip: &mut impl Ip,
    ) -> Option<(usize, Result<(), SendError>)> {
        let fits = self.full as usize <= BLOCK_BYTES;
        match packet.len.wrapping_sub(self.full as usize) {
            STAMPED_LEN if fits => self.send_headed::<STAMPED_LEN>(template, packet, cursor, ip),
            STAMPED_LEN => self.send_spread(template, packet, cursor, ip),
            HEADER_LEN if fits => self.send_headed::<HEADER_LEN>(template, packet, cursor, ip),
            _ => None,
        }
    }

    /// The same with a header of `N` bytes.
    // By itself, so that the compiler has registers for it.
    #[inline(never)]
    fn send_headed<const N: usize>(
        &self,
        template: &Template<'_>,
        packet: &Packet,
        cursor: &mut Cursor,
        ip: &mut impl Ip,
    ) -> Option<(usize, Result<(), SendError>)> {
        let Self { plan, sent, queue, pool, full, .. } = *self;
        let mould = &template.mould::<N>(full, self.flags())?;
        let mut walk = queue.walk(pool, plan.offset + sent, cursor);
        let (mut segments, mut second) = (self.segments(), mould.usual);
        let fills = core::iter::from_fn(
            #[inline(always)]
            move || {
                let (seq, is_last) = segments.next()?;
                if is_last {
                    cold_path();
                    second = mould.last;
                }
                let cast = Cast { seq, second, piece: walk.whole(full as usize)? };
                Some(
                    #[inline(always)]
                    move |writer: &mut FrameWriter<'_>| mould.write(writer, cast),
                )
            },
        );
        ip.send_run(packet, fills)
    }

    /// The same for segments that fit in no piece, whose header has timestamps: large segments are of peers that know them.
    #[inline(never)]
    fn send_spread(
        &self,
        template: &Template<'_>,
        packet: &Packet,
        cursor: &mut Cursor,
        ip: &mut impl Ip,
    ) -> Option<(usize, Result<(), SendError>)> {
        let Self { plan, sent, queue, pool, full, .. } = *self;
        let mould = &template.mould(full, self.flags())?;
        let walk = &Cell::new(queue.walk(pool, plan.offset + sent, cursor));
        let fills = self.segments().map(move |(seq, is_last)| {
            let second = if is_last { mould.last } else { mould.usual };
            move |writer: &mut FrameWriter<'_>| write_spread(mould, writer, (seq, second), full as usize, walk)
        });
        ip.send_run(packet, fills)
    }

    /// How many they are.
    #[inline(always)]
    fn count(&self) -> usize {
        self.limit.min(((self.plan.len - self.sent) / self.full) as usize)
    }

    /// The flags of all but the last, and of the last.
    #[inline(always)]
    fn flags(&self) -> [Flags; 2] {
        let usual = self.flags - Flags::PSH - Flags::FIN;
        let ends = self.sent + self.count() as u32 * self.full == self.plan.len;
        [usual, if ends { self.flags } else { usual }]
    }

    /// Of each segment its number, and whether it is the last.
    #[inline(always)]
    fn segments(&self) -> impl Iterator<Item = (SequenceNumber, bool)> + use<> {
        let (mut seq, full) = (self.plan.seq + self.sent, self.full);
        (0..self.count()).rev().map(
            #[inline(always)]
            move |behind| {
                let this = seq;
                seq += full;
                (this, behind == 0)
            },
        )
    }
}

/// Writes a segment with the next `len` bytes of a queue, which lie in several pieces.
#[inline(never)]
fn write_spread(
    mould: &Mould<STAMPED_LEN>,
    writer: &mut FrameWriter<'_>,
    varies: (SequenceNumber, Second),
    len: usize,
    walk: &Cell<Walk<'_, '_, '_>>,
) {
    let mut reached = walk.get();
    mould.write_pieces(
        writer,
        varies,
        len,
        #[inline(always)]
        |most| reached.next(most),
    );
    walk.set(reached);
}
