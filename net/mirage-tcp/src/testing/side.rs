//! One machine and what it lives on.

use alloc::vec;
use alloc::vec::Vec;

use managed::ManagedSlice;
use mirage_clock::{Duration, Instant};
use mirage_protocols::testing::{FakeIp, SentPacket};
use mirage_protocols::{Received, SendError};
use mirage_waker::WakerPool;

use super::device::Device;
use super::link::Link;
use crate::{Block, Config, HalfOpenSlot, ListenerSlot, RunSlot, Secrets, Slot, Storage, Tcp, TimeWaitSlot, TimerSlot};

/// The storage of one machine: little, so that bounds are met.
pub(super) struct Arena {
    connections: Vec<Slot>,
    buckets: Vec<u32>,
    listeners: Vec<ListenerSlot>,
    time_wait: Vec<TimeWaitSlot>,
    half_open: Vec<HalfOpenSlot>,
    timers: Vec<TimerSlot>,
    runs: Vec<RunSlot>,
    blocks: Vec<Block>,
    wakers: Vec<mirage_waker::Slot>,
}

impl Arena {
    pub(super) fn new(blocks: usize) -> Self {
        Self {
            connections: vec![Slot::default(); CONNECTIONS],
            buckets: vec![0; Storage::buckets_for(CONNECTIONS, HALF_OPEN, TIME_WAIT, 1)],
            listeners: vec![ListenerSlot::default(); 1],
            time_wait: vec![TimeWaitSlot::default(); TIME_WAIT],
            half_open: vec![HalfOpenSlot::default(); HALF_OPEN],
            runs: vec![RunSlot::default(); 64],
            timers: vec![TimerSlot::default(); Storage::timers_for(CONNECTIONS, HALF_OPEN)],
            blocks: vec![Block::default(); blocks],
            wakers: (0..8).map(|_| mirage_waker::Slot::EMPTY).collect(),
        }
    }

    pub(super) fn machine(&mut self, address: [u8; 4]) -> Side<'_> {
        let storage = Storage {
            connections: ManagedSlice::Borrowed(&mut self.connections),
            buckets: ManagedSlice::Borrowed(&mut self.buckets),
            listeners: ManagedSlice::Borrowed(&mut self.listeners),
            time_wait: ManagedSlice::Borrowed(&mut self.time_wait),
            half_open: ManagedSlice::Borrowed(&mut self.half_open),
            timers: ManagedSlice::Borrowed(&mut self.timers),
            blocks: ManagedSlice::Borrowed(&mut self.blocks),
            runs: ManagedSlice::Borrowed(&mut self.runs),
            wakers: WakerPool::new(ManagedSlice::Borrowed(&mut self.wakers)),
        };
        let config = Config { receive_window: 20_000, send_buffer: 20_000, ..Config::default() };
        let tcp = Tcp::new(config, storage, Secrets::new([address[3]; 64]));
        Side { tcp, ip: FakeIp::new(address), sent: Link::default(), device: Device::new() }
    }
}

/// One machine with its IP layer and what it sent.
pub(super) struct Side<'s> {
    pub(super) tcp: Tcp<'s>,
    pub(super) ip: FakeIp,
    pub(super) sent: Link,
    pub(super) device: Device,
}

impl Side<'_> {
    /// Lets it send what it wants to.
    pub(super) fn transmit(&mut self, now: Instant) {
        for _ in 0..10_000 {
            match self.tcp.poll_transmit(now, &mut self.ip, 16) {
                Ok(true) => {}
                Ok(false) => return self.sent.take_from(&mut self.ip),
                Err(error) => {
                    assert_eq!(error, SendError::Full, "only a full device stops a machine");
                    return self.sent.take_from(&mut self.ip);
                }
            }
        }
        panic!("a machine sends without end");
    }

    /// Its device has its frames back: packets come.
    pub(super) fn begin_to_receive(&mut self) {
        let frames = self.tcp.fetch_kept(&self.device);
        self.device.release(frames);
    }

    /// Takes a packet in, which may stay in its frame. Its reasons to drop it are its own.
    pub(super) fn receive(&mut self, now: Instant, packet: &SentPacket) {
        let place = self.device.place(&packet.bytes);
        let bytes = place.map_or(&packet.bytes[..], |place| self.device.payload(place));
        let received = Received::new(packet.packet.source, packet.packet.destination, bytes);
        let _counted = self.tcp.input_in_frame(now, &received, place);
        if let Some(place) = place
            && !self.tcp.keeps(place.frame)
        {
            self.device.release([place.frame].into_iter().collect());
        }
    }

    /// Does what is due and says when it is to be called again.
    pub(super) fn wake(&mut self, now: Instant) {
        self.tcp.handle_timeout(now);
        let stats = self.tcp.stats();
        assert!(stats.blocks_in_use <= stats.blocks_total && stats.connections as usize <= CONNECTIONS, "{stats:?}");
        if let Some(next) = self.tcp.poll_timeout() {
            assert!(next > now || self.tcp.wants_transmit(), "a timer that is due was not served");
            assert!(next - now <= Duration::from_secs(7200), "no timer is so far away");
        }
    }
}

const CONNECTIONS: usize = 4;
const HALF_OPEN: usize = 2;
const TIME_WAIT: usize = 4;
