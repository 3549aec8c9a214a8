//! Storage from the heap.

use alloc::vec;
use alloc::vec::Vec;

use managed::ManagedSlice;
use mirage_tcp::{Block, HalfOpenSlot, ListenerSlot, Slot, TimeWaitSlot, TimerSlot};
use mirage_waker::{Slot as WakerSlot, WakerPool};

use crate::{Sizes, Storage};

impl Storage<'static> {
    /// Allocates everything at once; the stack itself never allocates.
    pub fn allocate(sizes: Sizes) -> Self {
        let Sizes { addresses, groups, neighbours, .. } = sizes;
        Self {
            ethernet: vec![None; groups].into(),
            arp: mirage_arp::Storage {
                entries: vec![mirage_arp::Entry::EMPTY; neighbours].into(),
                addresses: vec![None; addresses].into(),
                pending: vec![None; 64].into(),
                // The longest datagram at an MTU of 1,500: 45 fragments with a header each.
                bytes: vec![0; 65_536 + 45 * 20].into(),
                messages: vec![None; 32].into(),
                events: vec![None; 8].into(),
            },
            ipv4: mirage_ipv4::Storage {
                addresses: vec![None; addresses].into(),
                routes: vec![None; addresses].into(),
                groups: vec![None; groups].into(),
                reassembly: vec![mirage_ipv4::Block::EMPTY; sizes.fragments].into(),
                assembly: vec![0; 65_535].into(),
                fragments_out: vec![0; 65_515].into(),
            },
            udp: mirage_udp::Storage {
                sockets: each(sizes.udp_sockets, || mirage_udp::SocketSlot::EMPTY),
                buckets: vec![mirage_udp::Bucket::EMPTY; sizes.udp_sockets.next_power_of_two()].into(),
                datagrams: vec![mirage_udp::DatagramSlot::EMPTY; sizes.udp_blocks].into(),
                blocks: vec![mirage_udp::Block::EMPTY; sizes.udp_blocks].into(),
                wakers: each(2 * sizes.udp_sockets, || WakerSlot::EMPTY),
            },
            igmp: each(groups, || mirage_udp::igmp::GroupSlot::EMPTY),
            tcp: tcp(sizes),
        }
    }
}

/// So many of what `make` makes.
fn each<T>(count: usize, make: impl FnMut() -> T) -> ManagedSlice<'static, T> {
    ManagedSlice::Owned(core::iter::repeat_with(make).take(count).collect::<Vec<_>>())
}

fn tcp(sizes: Sizes) -> mirage_tcp::Storage<'static> {
    let Sizes { connections, half_open, time_wait, listeners, blocks, .. } = sizes;
    let timers = mirage_tcp::Storage::timers_for(connections, half_open);
    let buckets = mirage_tcp::Storage::buckets_for(connections, half_open, time_wait, listeners);
    // One for each task that reads, writes or accepts; a task that does two things at once takes two.
    let wakers = 2 * (connections + listeners);
    mirage_tcp::Storage {
        connections: each(connections, Slot::default),
        buckets: vec![0; buckets].into(),
        listeners: each(listeners, ListenerSlot::default),
        time_wait: each(time_wait, TimeWaitSlot::default),
        half_open: each(half_open, HalfOpenSlot::default),
        timers: each(timers, TimerSlot::default),
        blocks: each(blocks, Block::default),
        wakers: WakerPool::new(each(wakers, || WakerSlot::EMPTY)),
    }
}

impl Sizes {
    /// Bytes that TCP's tables take with these sizes, buffer blocks not counted: what an idle connection costs is the
    /// difference that one more makes.
    pub const fn tcp_table_bytes(self) -> usize {
        let Self { connections, half_open, time_wait, listeners, .. } = self;
        connections * size_of::<Slot>()
            + half_open * size_of::<HalfOpenSlot>()
            + time_wait * size_of::<TimeWaitSlot>()
            + listeners * size_of::<ListenerSlot>()
            + mirage_tcp::Storage::timers_for(connections, half_open) * size_of::<TimerSlot>()
            + mirage_tcp::Storage::buckets_for(connections, half_open, time_wait, listeners) * size_of::<u32>()
            + 2 * (connections + listeners) * size_of::<WakerSlot>()
    }
}
