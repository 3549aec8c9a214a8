//! Full segments of one connection, one after the other, in one loop.

use core::cell::Cell;

use mirage_checksum::{SequenceNumber, Sum};
use mirage_net::FrameWriter;
use mirage_protocols::{Ip, Packet, SendError};

use super::plan::Plan;
use crate::pool::{BLOCK_BYTES, Pool};
use crate::send_queue::{Cursor, SendQueue, Walk};
use crate::wire::{Flags, HEADER_LEN, PARTIAL_CHECKSUM, STAMPED_LEN, Template};

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
        if self.full as usize > BLOCK_BYTES {
            return self.send_spread(template, packet, cursor, ip);
        }
        match packet.len.wrapping_sub(self.full as usize) {
            STAMPED_LEN => self.send_headed::<STAMPED_LEN>(template, packet, cursor, ip),
            HEADER_LEN => self.send_headed::<HEADER_LEN>(template, packet, cursor, ip),
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
        let Self { queue, pool, full, .. } = *self;
        let mould = &template.mould::<N>(full)?;
        let (mut segments, mut rest) = (self.segments(), None);
        let fills = core::iter::from_fn(|| {
            let (offset, seq, flags) = segments.next()?;
            let piece = queue.next_piece(pool, offset, full, cursor, &mut rest)?;
            Some(move |writer: &mut FrameWriter<'_>| mould.write(writer, seq, flags, piece))
        });
        ip.send_run(packet, fills)
    }

    /// The same for segments that fit in no piece.
    #[inline(never)]
    fn send_spread(
        &self,
        template: &Template<'_>,
        packet: &Packet,
        cursor: &mut Cursor,
        ip: &mut impl Ip,
    ) -> Option<(usize, Result<(), SendError>)> {
        let Self { plan, sent, queue, pool, full, .. } = *self;
        let partial = packet.checksum.is_some();
        let walk = &Cell::new(queue.walk(pool, plan.offset + sent, cursor));
        let fills = self.segments().map(|(_, seq, flags)| {
            move |writer: &mut FrameWriter<'_>| {
                let mut reached = walk.get();
                template.write_pieces(writer, (seq, flags), full, partial, &mut reached);
                walk.set(reached);
            }
        });
        let done = ip.send_run(packet, fills);
        *cursor = walk.get().cursor();
        done
    }

    /// Of each segment its place in the queue, its number and its flags.
    #[inline(always)]
    fn segments(&self) -> impl Iterator<Item = (u32, SequenceNumber, Flags)> {
        let Self { plan, sent, flags, full, limit, .. } = *self;
        let mut next = plan.offset + sent;
        let last = plan.offset + plan.len;
        let count = limit.min(((plan.len - sent) / full) as usize);
        (0..count).map(move |_| {
            let offset = next;
            next += full;
            let flags = if next == last { flags } else { flags - Flags::PSH - Flags::FIN };
            (offset, plan.seq + (offset - plan.offset), flags)
        })
    }
}

impl Template<'_> {
    /// Writes a segment with the next `len` bytes of a queue, which lie in several pieces; `partial`: a device completes its checksum.
    #[inline(never)]
    pub(super) fn write_pieces(
        &self,
        writer: &mut FrameWriter<'_>,
        (seq, flags): (SequenceNumber, Flags),
        len: u32,
        partial: bool,
        walk: &mut Walk<'_, '_>,
    ) {
        let at = writer.len() + usize::from(PARTIAL_CHECKSUM.offset);
        // The header of a segment without any; what its checksum lacks is added.
        self.write(writer, seq, flags, []);
        let header = writer.written().get(at..).and_then(<[u8]>::first_chunk).map_or(0, |sum| u16::from_be_bytes(*sum));
        let mut here = *walk;
        // The only copy on the way out: the blocks keep the bytes until they are acknowledged.
        let checksum = match partial {
            true => {
                let _zero = writer.put_pieces::<false>(len as usize, |most| here.next(most));
                Sum::ZERO.add_u64(u64::from(header) + u64::from(len)).partial()
            }
            false => {
                let body = writer.put_pieces::<true>(len as usize, |most| here.next(most));
                Sum::ZERO.add_u64(u64::from(!header) + u64::from(len)).add_sum(body).finish()
            }
        };
        *walk = here;
        writer.patch(at, &checksum.to_be_bytes());
    }
}
