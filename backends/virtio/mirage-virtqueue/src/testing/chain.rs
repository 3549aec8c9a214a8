//! A chain as the device sees it.

use alloc::vec;
use alloc::vec::Vec;

use super::Model;
use super::ring::Seen;
use crate::layout::WRITE;

/// A chain that the driver gave to a [`Model`].
#[derive(Debug)]
pub struct Chain {
    pub(super) model: Model,
    pub(super) resets: usize,
    /// What the used ring says to give it back.
    pub id: u32,
    pub(super) pieces: Vec<Seen>,
}

impl Chain {
    /// The lengths of its pieces: those that the device reads, those that it writes.
    pub fn lengths(&self) -> [Vec<usize>; 2] {
        [false, true].map(|written| self.pieces(written).map(|(_, len)| len).collect())
    }

    /// Everything that the driver lets the device read.
    pub fn read(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (address, len) in self.pieces(false) {
            let mut piece = vec![0; len];
            // SAFETY: the driver promised with `Queue::add` that the piece is there until it is given back or the device
            // is reset, and neither has happened.
            unsafe { core::ptr::copy(address as *const u8, piece.as_mut_ptr(), len) };
            bytes.append(&mut piece);
        }
        bytes
    }

    /// Writes as much of `bytes` as the driver left room for; returns how much.
    pub fn write(&self, bytes: &[u8]) -> usize {
        let mut left = bytes;
        for (address, len) in self.pieces(true) {
            let (now, later) = left.split_at(len.min(left.len()));
            // SAFETY: as in `read`.
            unsafe { core::ptr::copy(now.as_ptr(), address as *mut u8, now.len()) };
            left = later;
        }
        bytes.len() - left.len()
    }

    /// Writes `bytes` at the end of the room.
    pub fn write_last(&self, bytes: &[u8]) {
        let (address, len) = self.pieces(true).last().expect("room to write");
        let at = len.checked_sub(bytes.len()).expect("room for all");
        // SAFETY: as in `read`; within the piece.
        unsafe { core::ptr::copy(bytes.as_ptr(), (address as *mut u8).add(at), bytes.len()) };
    }

    fn pieces(&self, written: bool) -> impl Iterator<Item = (u64, usize)> {
        assert_eq!(self.resets, self.model.resets(), "the driver took everything back");
        let wanted = if written { WRITE } else { 0 };
        self.pieces.iter().filter(move |(.., flags)| flags & WRITE == wanted).map(|(at, len, _)| (*at, *len as usize))
    }
}
