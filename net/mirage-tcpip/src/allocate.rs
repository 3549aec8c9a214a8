//! Storage from the heap.

use alloc::vec;
use alloc::vec::Vec;

use managed::ManagedSlice;
use mirage_tcp::{Block, HalfOpenSlot, ListenerSlot, RunSlot, Slot, TimeWaitSlot, TimerSlot};
use mirage_waker::{Slot as WakerSlot, WakerPool};

use crate::{Sizes, Storage};

impl Storage<'static> {
    /// Allocates everything at once; the stack itself never allocates.
    #[inline(never)]
    pub fn allocate(sizes: Sizes) -> Self {
        let Sizes { addresses, groups, neighbours, .. } = sizes;
        Self {
            ethernet: each(groups, || None),
            arp: mirage_arp::Storage {
                entries: each(neighbours, || mirage_arp::Entry::EMPTY),
                addresses: each(addresses, || None),
                pending: each(64, || None),
                // The longest datagram at an MTU of 1,500: 45 fragments with a header each.
                bytes: bytes(65_536 + 45 * 20),
                messages: each(32, || None),
                events: each(8, || None),
            },
            ipv4: mirage_ipv4::Storage {
                addresses: each(addresses, || None),
                routes: each(addresses, || None),
                groups: each(groups, || None),
                reassembly: each(sizes.fragments, || mirage_ipv4::Block::EMPTY),
                assembly: bytes(65_535),
                fragments_out: bytes(65_515),
            },
            udp: mirage_udp::Storage {
                sockets: each(sizes.udp_sockets, || mirage_udp::SocketSlot::EMPTY),
                buckets: each(sizes.udp_sockets.next_power_of_two(), || mirage_udp::Bucket::EMPTY),
                blocks: each(sizes.udp_blocks, || mirage_udp::Block::EMPTY),
                wakers: each(2 * sizes.udp_sockets, || WakerSlot::EMPTY),
            },
            igmp: each(groups, || mirage_udp::igmp::GroupSlot::EMPTY),
            tcp: tcp(sizes),
        }
    }
}

/// So many zeroes.
#[inline(never)]
fn bytes(count: usize) -> ManagedSlice<'static, u8> {
    ManagedSlice::Owned(vec![0; count])
}

/// So many of what `make` makes.
fn each<T>(count: usize, make: impl FnMut() -> T) -> ManagedSlice<'static, T> {
    // Growing is one function for whatever type, unlike being born with a capacity.
    let mut items = Vec::new();
    items.resize_with(count, make);
    ManagedSlice::Owned(items)
}

fn tcp(sizes: Sizes) -> mirage_tcp::Storage<'static> {
    let Sizes { connections, half_open, time_wait, listeners, blocks, .. } = sizes;
    let timers = mirage_tcp::Storage::timers_for(connections, half_open);
    let buckets = mirage_tcp::Storage::buckets_for(connections, half_open, time_wait, listeners);
    // One for each task that reads, writes or accepts; a task that does two things at once takes two.
    let wakers = 2 * (connections + listeners);
    mirage_tcp::Storage {
        connections: each(connections, Slot::default),
        buckets: each(buckets, || 0),
        listeners: each(listeners, ListenerSlot::default),
        time_wait: each(time_wait, TimeWaitSlot::default),
        half_open: each(half_open, HalfOpenSlot::default),
        timers: each(timers, TimerSlot::default),
        blocks: each(blocks, Block::default),
        runs: each(mirage_tcp::Storage::runs_for(blocks), RunSlot::default),
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
