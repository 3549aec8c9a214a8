//! One machine and a peer that says what it likes: segments that nearly fit, with options of every kind, and ICMP errors.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::num::NonZeroU16;
use core::task::Poll;

use mirage_checksum::SequenceNumber;
use mirage_clock::{Duration, Instant};
use mirage_net::FrameWriter;
use mirage_protocols::{IcmpError, IcmpErrorKind, Protocol, Received};

use super::pair::cx;
use super::side::Side;
use crate::wire::{Checksum, Flags, HEADER_LEN, Header, write_segment};
use crate::{ConnectionId, Direction, ListenOptions, ListenerId, Local, TcpOptions};

/// A machine, and what its peer and its application do next.
pub(super) struct Play<'s, 'b> {
    side: Side<'s>,
    listener: ListenerId,
    id: Option<ConnectionId>,
    /// What the peer counts from when there is no connection.
    number: SequenceNumber,
    now: Instant,
    bytes: &'b [u8],
}

impl<'s, 'b> Play<'s, 'b> {
    pub(super) fn new(mut side: Side<'s>, bytes: &'b [u8]) -> Self {
        let local = Local { address: None, port: NonZeroU16::new(80) };
        let listener = side.tcp.listen(local, ListenOptions::default()).expect("there is room for one listener");
        Self { side, listener, id: None, number: SequenceNumber(7), now: Instant::from_secs(1), bytes }
    }

    /// Plays all bytes, then lets everything end.
    pub(super) fn run(&mut self) {
        self.handshake();
        while !self.bytes.is_empty() {
            self.step();
            self.settle();
        }
        if let Some(id) = self.id.take() {
            self.side.tcp.close(id);
        }
        self.side.tcp.close_listener(self.listener);
        self.side.ip.capacity = usize::MAX;
        self.pass(Duration::from_secs(1000));
        let stats = self.side.tcp.stats();
        let left = [stats.connections, stats.half_open, stats.time_wait, stats.blocks_in_use];
        assert_eq!(left, [0; 4], "something is left: {stats:?}");
        assert_eq!(self.side.tcp.poll_timeout(), None, "a timer is left");
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    /// One end opens, and both agree on what the first byte says.
    fn handshake(&mut self) {
        let kind = self.byte();
        let mut options = Vec::from([2, 4, 5, 180 - (kind & 0x40)]);
        if kind & 1 != 0 {
            options.extend([1, 1, 4, 2]);
        }
        if kind & 2 != 0 {
            options.extend([1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0]);
        }
        if kind & 4 != 0 {
            options.extend([1, 3, 3, kind >> 4]);
        }
        if kind & 8 != 0 {
            let remote = SocketAddr::new(THERE, PORT);
            let port = NonZeroU16::new(80);
            self.id = self.side.tcp.connect(self.now, HERE, port, remote, TcpOptions::default()).ok();
            self.settle();
            let una = self.numbers().0;
            self.send(Flags::SYN | Flags::ACK, self.number, una + 1, 0xffff, &options, &[]);
        } else {
            self.send(Flags::SYN, self.number, SequenceNumber(0), 0xffff, &options, &[]);
            self.settle();
            // The number of the SYN-ACK is in what was sent.
            let last = self.side.sent.get(0).and_then(|sent| sent.bytes.get(4..8)?.first_chunk::<4>().copied());
            let iss = SequenceNumber(last.map_or(0, u32::from_be_bytes));
            self.send(Flags::ACK, self.number + 1, iss + 1, 0xffff, &[], &[]);
        }
        self.settle();
        self.accept();
    }

    fn accept(&mut self) {
        if self.id.is_none()
            && let Poll::Ready(Ok(id)) = self.side.tcp.poll_accept(self.listener, &mut cx())
        {
            self.id = Some(id);
        }
    }

    /// SND.UNA, SND.NXT and RCV.NXT of the connection, or what the peer last believed in.
    fn numbers(&self) -> (SequenceNumber, SequenceNumber, SequenceNumber) {
        let slot = self.id.and_then(|id| self.side.tcp.slot(id));
        slot.map_or((self.number, self.number, self.number), |slot| (slot.una, slot.nxt, slot.rcv_nxt))
    }

    fn step(&mut self) {
        let tcp = &mut self.side.tcp;
        match (self.bytes[0] % 16, self.id) {
            (0..=8, _) => return self.segment(),
            (9, Some(id)) => {
                self.byte();
                let len = 32 * usize::from(self.byte());
                let _ = self.side.tcp.poll_write(id, &mut cx(), &alloc::vec![7; len]);
            }
            (10, Some(id)) => {
                self.byte();
                let mut buffer = alloc::vec![0; 64 * usize::from(self.byte())];
                let _ = self.side.tcp.poll_read(id, &mut cx(), &mut buffer);
            }
            (11, Some(id)) => {
                let directions = [Direction::Write, Direction::Read, Direction::Both];
                let _ = tcp.shutdown(id, directions[usize::from(self.bytes[0] / 16) % 3]);
                self.byte();
            }
            (12, Some(id)) => {
                if self.byte() < 128 {
                    self.side.tcp.close(id);
                } else {
                    self.side.tcp.abort(id);
                }
                self.id = None;
            }
            (13, _) => {
                self.byte();
                let span = u64::from(self.byte());
                self.pass(Duration::from_millis(span * span));
            }
            (14, _) => self.icmp(),
            _ => {
                let room = usize::from(self.byte() / 16);
                self.side.ip.capacity = if room == 0 { usize::MAX } else { room };
            }
        }
        self.accept();
    }

    /// A segment whose numbers lie near those of the connection.
    fn segment(&mut self) {
        let (kind, flags, seq, ack) = (self.byte(), self.byte(), self.byte(), self.byte());
        let (window, len, option) = (self.byte(), self.byte(), self.byte());
        let (una, nxt, rcv_nxt) = self.numbers();
        let near = |base: SequenceNumber, by: u8| match by {
            // Mostly right, often near, sometimes far.
            0..=99 => base,
            100..=199 => base + u32::from(by - 100) * 97,
            200..=239 => base - u32::from(by - 199) * 53,
            _ => base + (u32::from(by) << 24),
        };
        let flags = if kind & 16 == 0 { Flags::ACK } else { Flags::from_bits_retain(flags) };
        let base = if kind & 32 == 0 { nxt } else { una };
        let mut options = Vec::new();
        if option & 1 != 0 {
            options.extend([1, 1, 8, 10]);
            options.extend((u32::from(option) << 3).to_be_bytes());
            let slot = self.id.and_then(|id| self.side.tcp.slot(id));
            let echo = slot.map_or(0, |slot| slot.stamps.value(self.now).wrapping_sub(u32::from(ack)));
            options.extend(echo.to_be_bytes());
        }
        let blocks = option >> 1 & 3;
        if blocks > 0 {
            options.extend([1, 1, 5, 2 + 8 * blocks]);
            for _ in 0..blocks {
                let (from, span) = (self.byte(), self.byte());
                let start = near(una, from) + u32::from(option >> 5);
                options.extend(start.0.to_be_bytes());
                options.extend((start + u32::from(span) * 31).0.to_be_bytes());
            }
        }
        if option & 0x18 == 0x18 {
            options.extend((0..4).map(|_| self.byte()));
        }
        let payload = alloc::vec![9; if kind & 64 == 0 { 0 } else { usize::from(len) * 6 }];
        self.send(flags, near(rcv_nxt, seq), near(base, ack), u16::from(window) << 8, &options, &payload);
    }

    fn send(
        &mut self,
        flags: Flags,
        seq: SequenceNumber,
        ack: SequenceNumber,
        window: u16,
        options: &[u8],
        payload: &[u8],
    ) {
        let mut options = Vec::from(options);
        options.resize(options.len().next_multiple_of(4).min(40), 0);
        let header = Header { source_port: PORT, destination_port: 80, seq, ack, flags, window, accurate: false };
        let mut buffer = alloc::vec![0; HEADER_LEN + options.len() + payload.len()];
        let mut writer = FrameWriter::new(&mut buffer);
        write_segment(&mut writer, (THERE, HERE), &header, &options, [payload], Checksum::Complete);
        let before = self.side.tcp.stats().steps;
        let _counted = self.side.tcp.input(self.now, &Received::new(THERE, HERE, writer.written()));
        // Three walks along all runs there are, at most.
        assert!(self.side.tcp.stats().steps - before <= 4 * 64 + 16, "a segment costs too much");
    }

    fn icmp(&mut self) {
        let (kind, about) = (self.byte(), self.byte());
        let (una, ..) = self.numbers();
        let mut quoted = Vec::new();
        quoted.extend(80_u16.to_be_bytes());
        quoted.extend(PORT.to_be_bytes());
        quoted.extend((una + u32::from(about)).0.to_be_bytes());
        let kinds = [
            IcmpErrorKind::FragmentationNeeded { mtu: u16::from(about) << 3 },
            IcmpErrorKind::PortUnreachable,
            IcmpErrorKind::HostUnreachable,
            IcmpErrorKind::TimeExceeded,
        ];
        let error = IcmpError {
            kind: kinds[usize::from(kind / 16) % 4],
            reporter: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
            source: HERE,
            destination: THERE,
            protocol: Protocol::TCP,
            quoted: &quoted,
        };
        let _counted = self.side.tcp.on_icmp_error(self.now, &error);
    }

    /// Lets the machine send. Nobody needs what it sends but the handshake.
    fn settle(&mut self) {
        while self.side.sent.next().is_some() {}
        self.side.transmit(self.now);
    }

    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        for _ in 0..100_000 {
            self.settle();
            match self.side.tcp.poll_timeout() {
                Some(next) if next <= end => {
                    self.now = self.now.max(next);
                    self.side.wake(self.now);
                }
                _ => return self.now = end,
            }
        }
        panic!("timers go off without end");
    }
}

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
const PORT: u16 = 4000;

#[cfg(test)]
mod tests {
    use super::super::side::Arena;
    use super::*;
    use crate::State;

    #[test]
    fn every_kind_of_handshake_leads_to_a_connection() {
        for kind in 0..=255 {
            let mut arena = Arena::new(8);
            let bytes = [kind];
            let mut play = Play::new(arena.machine([10, 0, 0, 1]), &bytes);
            play.handshake();
            let id = play.id.expect("there is a connection");
            assert_eq!(play.side.tcp.state(id), Some(State::Established), "{kind}");
        }
    }
}
