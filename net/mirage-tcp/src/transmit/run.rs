//! Full segments of one connection, one after the other, in one loop.

use mirage_net::FrameWriter;
use mirage_protocols::{Ip, Packet, SendError};

use super::plan::Plan;
use crate::pool::Pool;
use crate::send_queue::{Cursor, SendQueue};
use crate::wire::{Flags, HEADER_LEN, STAMPED_LEN, Template};

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
    /// Sends them, up to the first whose bytes do not lie in one piece. Gives how many left; `None` if they cannot go straight,
    /// and then nothing was done.
    #[inline]
    pub(super) fn send(
        &self,
        template: &Template<'_>,
        packet: &Packet,
        cursor: &mut Cursor,
        ip: &mut impl Ip,
    ) -> Option<(usize, Result<(), SendError>)> {
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
        let Self { plan, sent, flags, queue, pool, full, limit } = *self;
        let mould = &template.mould::<N>(full)?;
        let mut end = plan.offset + sent;
        let last = plan.offset + plan.len;
        let mut rest = None;
        let pieces = core::iter::from_fn(|| {
            let offset = end;
            end += full;
            let piece = queue.next_piece(pool, offset, full, cursor, &mut rest)?;
            let flags = if end == last { flags } else { flags - Flags::PSH - Flags::FIN };
            let seq = plan.seq + (offset - plan.offset);
            Some(move |writer: &mut FrameWriter<'_>| mould.write(writer, seq, flags, piece))
        });
        ip.send_run(packet, pieces.take(limit.min(((plan.len - sent) / full) as usize)))
    }
}
