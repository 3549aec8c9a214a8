//! What one application does, and what it sees.

use core::task::{Context, Poll, Waker};

use mirage_clock::Instant;
use mirage_tcp::{ConnectionId, Direction, Error, Profile, Tcp};

use super::case::End;

pub struct Application<'c> {
    case: &'c End,
    number: usize,
    pub id: Option<ConnectionId>,
    pub written: usize,
    pub read: usize,
    ended: bool,
    pub saw_end: bool,
    pub error: Option<Error>,
    pub awake_at: Instant,
}

impl<'c> Application<'c> {
    pub fn new(case: &'c End, number: usize) -> Self {
        Self {
            case,
            number,
            id: None,
            written: 0,
            read: 0,
            ended: false,
            saw_end: false,
            error: None,
            awake_at: Instant::ZERO,
        }
    }

    /// Everything was written, and the other end was read.
    pub fn is_done(&self) -> bool {
        self.ended && self.saw_end
    }

    /// Writes a piece and reads a piece, then sleeps, or goes on for as long as something happens.
    pub fn work(&mut self, tcp: &mut Tcp<'_, impl Profile>, now: Instant) {
        let Some(id) = self.id.filter(|_| self.error.is_none() && now >= self.awake_at) else { return };
        while self.turn(tcp, id) && self.case.sleep.is_zero() {}
        self.awake_at = now + self.case.sleep;
    }

    /// When it works again, unless something happens before.
    pub fn next(&self) -> Option<Instant> {
        let busy = self.id.is_some() && self.error.is_none() && !self.is_done();
        (busy && !self.case.sleep.is_zero()).then_some(self.awake_at)
    }

    fn turn(&mut self, tcp: &mut Tcp<'_, impl Profile>, id: ConnectionId) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let mut busy = false;
        if self.written < self.case.total {
            let piece = self.case.piece.min(self.case.total - self.written);
            let bytes: Vec<u8> = (self.written..self.written + piece).map(|place| byte(self.number, place)).collect();
            match tcp.poll_write(id, &mut cx, &bytes) {
                Poll::Ready(Ok(count)) => {
                    assert!(count > 0, "a write of nothing");
                    self.written += count;
                    busy = true;
                }
                Poll::Ready(Err(error)) => self.error = Some(error),
                Poll::Pending => {}
            }
        } else if !self.ended {
            match tcp.shutdown(id, Direction::Write) {
                Ok(()) => self.ended = true,
                Err(error) => self.error = Some(error),
            }
        }
        if !self.saw_end {
            let mut buffer = [0; 5000];
            match tcp.poll_read(id, &mut cx, &mut buffer[..self.case.piece]) {
                Poll::Ready(Ok(0)) => self.saw_end = true,
                Poll::Ready(Ok(count)) => {
                    for (place, found) in (self.read..).zip(&buffer[..count]) {
                        assert_eq!(*found, byte(1 - self.number, place), "byte {place}");
                    }
                    self.read += count;
                    busy = true;
                }
                Poll::Ready(Err(error)) => self.error = Some(error),
                Poll::Pending => {}
            }
        } else if let Poll::Ready(Err(error)) = tcp.poll_flush(id, &mut cx) {
            // What was written may still come to nothing.
            self.error = Some(error);
        }
        busy
    }
}

/// What is at a place of either stream.
fn byte(number: usize, place: usize) -> u8 {
    (place % 251) as u8 ^ if number == 0 { 0 } else { 0x80 }
}
