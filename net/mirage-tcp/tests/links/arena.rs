//! The storage of one machine, which many machines use one after the other.

use mirage_net::{Capabilities, ChecksumOffload, SegmentationOffload};
use mirage_protocols::testing::FakeIp;
use mirage_tcp::{
    Block, HalfOpenSlot, ListenerSlot, ManagedSlice, Profile, RunSlot, Secrets, Slot, Storage, Tcp, TimeWaitSlot,
    TimerSlot,
};
use mirage_waker::WakerPool;

use super::case::End;

pub struct Arena<P: Profile> {
    connections: Vec<Slot<P>>,
    buckets: Vec<u32>,
    listeners: Vec<ListenerSlot>,
    time_wait: Vec<TimeWaitSlot>,
    half_open: Vec<HalfOpenSlot>,
    timers: Vec<TimerSlot>,
    blocks: Vec<Block>,
    runs: Vec<RunSlot>,
    wakers: Vec<mirage_waker::Slot>,
}

impl<P: Profile> Arena<P> {
    pub fn new() -> Self {
        Self {
            connections: vec![Slot::default(); 2],
            buckets: vec![0; Storage::buckets_for(2, 2, 2, 1)],
            listeners: vec![ListenerSlot::default(); 1],
            time_wait: vec![TimeWaitSlot::default(); 2],
            half_open: vec![HalfOpenSlot::default(); 2],
            timers: vec![TimerSlot::default(); Storage::timers_for(2, 2)],
            blocks: vec![Block::default(); 64],
            runs: vec![RunSlot::default(); 80],
            wakers: (0..8).map(|_| mirage_waker::Slot::EMPTY).collect(),
        }
    }

    /// A machine that lives here, and its IP layer.
    pub fn machine(&mut self, end: &End) -> (Tcp<'_, P>, FakeIp) {
        let storage = Storage {
            connections: ManagedSlice::Borrowed(&mut self.connections),
            buckets: ManagedSlice::Borrowed(&mut self.buckets),
            listeners: ManagedSlice::Borrowed(&mut self.listeners),
            time_wait: ManagedSlice::Borrowed(&mut self.time_wait),
            half_open: ManagedSlice::Borrowed(&mut self.half_open),
            timers: ManagedSlice::Borrowed(&mut self.timers),
            blocks: ManagedSlice::Borrowed(&mut self.blocks[..end.blocks]),
            runs: ManagedSlice::Borrowed(&mut self.runs[..end.runs]),
            wakers: WakerPool::new(ManagedSlice::Borrowed(&mut self.wakers)),
        };
        let mut ip = FakeIp::new(end.address);
        if end.offload {
            ip.capabilities = Capabilities {
                checksum: ChecksumOffload::TCP_V4,
                segmentation: SegmentationOffload::TCP_V4,
                max_large_frame: 16_000,
            };
        }
        (Tcp::new(end.config, storage, Secrets::new([end.address[3]; 64])), ip)
    }
}
