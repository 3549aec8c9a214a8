//! A connection and what both of its applications did.

use core::task::{Context, Poll, Waker};

use super::device::Device;
use crate::{ConnectionId, Direction, Error, Tcp};

/// A connection seen from both ends.
#[derive(Default)]
pub(super) struct Pair {
    /// The opener's port: by it the other end recognizes the connection.
    pub(super) port: u16,
    pub(super) ends: [End; 2],
}

/// What one application did and saw.
#[derive(Default)]
pub(super) struct End {
    pub(super) id: Option<ConnectionId>,
    written: usize,
    read: usize,
    /// It said that it writes no more.
    ended: bool,
    /// It read the other's end.
    saw_end: bool,
    pub(super) error: Option<Error>,
    /// It gave the connection back or broke it off.
    pub(super) left: bool,
}

impl Pair {
    pub(super) fn write(&mut self, tcp: &mut Tcp<'_>, side: usize, len: usize) {
        let port = self.port;
        let end = &mut self.ends[side];
        let Some(id) = end.id else { return };
        let bytes: alloc::vec::Vec<u8> =
            (end.written..end.written + len).map(|place| byte(port, side, place)).collect();
        match tcp.poll_write(id, &mut cx(), &bytes) {
            Poll::Ready(Ok(count)) => {
                assert!(count > 0 || len == 0, "a write of nothing");
                assert!(!end.ended, "a write after the end");
                end.written += count;
            }
            Poll::Ready(Err(Error::Closed)) if end.ended => {}
            Poll::Ready(Err(error)) => end.error = Some(error),
            Poll::Pending => {}
        }
    }

    /// Reads up to `len` bytes; gives whether there were any.
    pub(super) fn read(&mut self, tcp: &mut Tcp<'_>, device: &Device, side: usize, len: usize) -> bool {
        let other = &self.ends[1 - side];
        let (written, other_ended) = (other.written, other.ended || other.left);
        let end = &mut self.ends[side];
        let Some(id) = end.id else { return false };
        let mut buffer = alloc::vec![0; len];
        match tcp.poll_read_kept(id, &mut cx(), device, &mut buffer) {
            Poll::Ready(Ok(0)) if len == 0 => false,
            Poll::Ready(Ok(0)) => {
                assert!(other_ended, "an end that nobody said");
                assert_eq!(end.read, written, "the end came before all that was written");
                end.saw_end = true;
                false
            }
            Poll::Ready(Ok(count)) => {
                assert!(!end.saw_end, "bytes after the end");
                for (place, found) in (end.read..).zip(&buffer[..count]) {
                    assert_eq!(*found, byte(self.port, 1 - side, place), "byte {place}");
                }
                end.read += count;
                assert!(end.read <= written, "more was read than written");
                true
            }
            Poll::Ready(Err(error)) => {
                end.error = Some(error);
                false
            }
            Poll::Pending => false,
        }
    }

    pub(super) fn end(&mut self, tcp: &mut Tcp<'_>, side: usize) {
        let end = &mut self.ends[side];
        if let Some(id) = end.id {
            // It cannot be said on a connection that is broken; the next read tells why.
            end.ended |= tcp.shutdown(id, Direction::Write).is_ok();
        }
    }

    /// Gives the connection back, or breaks it off.
    pub(super) fn leave(&mut self, tcp: &mut Tcp<'_>, side: usize, abort: bool) {
        let end = &mut self.ends[side];
        let Some(id) = end.id.take() else { return };
        end.left = true;
        if abort {
            tcp.abort(id);
        } else {
            tcp.close(id);
        }
        assert_eq!(tcp.state(id), None, "what was given back names nothing");
    }

    /// Demands that all that was written has arrived, unless somebody was told why not.
    pub(super) fn check_delivered(&self, harmless: bool) {
        if harmless {
            assert!(self.ends.iter().all(|end| end.error.is_none()), "an error without cause: {:?}", self.errors());
        }
        let broken = self.ends.iter().any(|end| end.error.is_some() || end.left || end.id.is_none());
        for (end, other) in [(&self.ends[0], &self.ends[1]), (&self.ends[1], &self.ends[0])] {
            if !broken {
                assert_eq!(end.read, other.written, "bytes are missing and nobody was told");
                assert_eq!(end.saw_end, other.ended, "an end is missing and nobody was told");
            }
        }
    }

    fn errors(&self) -> [Option<Error>; 2] {
        [self.ends[0].error, self.ends[1].error]
    }
}

/// What is at a place of a stream: it depends on where it belongs, so that nothing can be mistaken.
fn byte(port: u16, side: usize, place: usize) -> u8 {
    (place % 251) as u8 ^ (port as u8) ^ if side == 0 { 0 } else { 0x80 }
}

pub(super) fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}
