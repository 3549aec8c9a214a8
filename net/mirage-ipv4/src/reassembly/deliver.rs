//! The end of a datagram: whole and handed up, or too late.

use mirage_clock::Instant;
use zerocopy::FromBytes;
use zerocopy::byteorder::network_endian::U16;

use super::Reassembly;
use super::block::{Block, Link};
use crate::wire::{HEADER_LEN, Header};
use crate::{Discard, Expired};

/// A datagram that lies whole at the start of the assembly buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    header_len: usize,
    payload_len: usize,
}

impl Reassembly<'_> {
    /// Copies a datagram of which everything came into the assembly buffer and forgets it.
    pub(super) fn deliver(&mut self, link: Link) -> Result<Option<Whole>, Discard> {
        let datagram = self.arena.datagram(link);
        let (header_len, payload_len) = (datagram.header_len, datagram.received);
        if datagram.total != Some(payload_len) {
            return Ok(None);
        }
        let copied = self.copy(link, header_len, payload_len);
        self.remove(link);
        // The first fragment's header may be longer than that of the fragments which were measured.
        if !copied {
            return Err(Discard::OversizedDatagram);
        }
        self.seal(header_len, payload_len);
        Ok(Some(Whole { header_len, payload_len }))
    }

    /// Header and payload of a datagram that was delivered, until the next call.
    pub(crate) fn whole(&self, whole: Whole) -> (&[u8], &[u8]) {
        self.assembled(whole.header_len, whole.payload_len)
    }

    /// Forgets the datagrams whose time is over, up to one whose sender shall be told.
    pub(crate) fn poll_expired(&mut self, now: Instant) -> Option<Expired<'_>> {
        loop {
            let link = self.ends.oldest?;
            let datagram = self.arena.datagram(link);
            if datagram.deadline > now {
                return None;
            }
            let (key, interface, cast, header_len) =
                (datagram.key, datagram.interface, datagram.cast, datagram.header_len);
            // What came from the start on without a hole: eight bytes or more if the first fragment came, else nothing.
            let run = datagram.pieces[0].map_or(0, |piece| self.arena.piece(piece).filled.trailing_ones() as usize * 8);
            let copied = run > 0 && self.copy(link, header_len, run);
            self.remove(link);
            self.check();
            if copied {
                let (header, payload) = self.assembled(header_len, run);
                let (source, destination) = (key.source, key.destination);
                return Some(Expired { interface, source, destination, cast, header, payload });
            }
        }
    }

    /// Copies a datagram's header and the start of its payload into the assembly buffer, if they fit.
    ///
    /// This is the one copy by which fragments cost more than whole packets: the layers above see one slice.
    fn copy(&mut self, link: Link, header_len: usize, payload_len: usize) -> bool {
        let datagram = self.arena.datagram(link);
        let Some(assembly) = self.assembly.get_mut(..header_len + payload_len) else { return false };
        let (header, payload) = assembly.split_at_mut(header_len);
        header.copy_from_slice(&datagram.header[..header_len]);
        for (to, piece) in payload.chunks_mut(Block::PAYLOAD).zip(datagram.pieces.into_iter().flatten()) {
            to.copy_from_slice(&self.arena.piece(piece).bytes[..to.len()]);
        }
        true
    }

    /// Makes the first fragment's header that of the whole datagram.
    fn seal(&mut self, header_len: usize, payload_len: usize) {
        if let Ok((header, behind)) = Header::mut_from_prefix(&mut self.assembly) {
            header.total_length = U16::new((header_len + payload_len) as u16);
            header.flags_and_offset = U16::ZERO;
            header.seal(&behind[..header_len - HEADER_LEN]);
        }
    }

    fn assembled(&self, header_len: usize, payload_len: usize) -> (&[u8], &[u8]) {
        let (header, behind) = self.assembly.split_at(header_len);
        (header, &behind[..payload_len])
    }
}
