//! Storage of given sizes.

use alloc::vec::Vec;

use managed::ManagedSlice;
use mirage_tcp::{HalfOpenSlot, ListenerSlot, Profile, RunSlot, Slot, TimeWaitSlot, TimerSlot};
use mirage_waker::{Slot as WakerSlot, WakerPool};
use zerocopy::FromZeros;

use crate::{Sizes, Storage};

/// Where the tables of [`Storage::build`] come from.
pub trait Tables {
    /// A table of `count` times what `empty` makes.
    ///
    /// [`Storage::build`] promises that `empty` makes the same bits each time, and that they own nothing: a copy of them is
    /// as good as another call.
    fn table<T>(&mut self, count: usize, empty: fn() -> T) -> ManagedSlice<'static, T>;

    /// A table of `count` zeroes. It is large, and little of it is used at first.
    fn zeroes<T: FromZeros>(&mut self, count: usize) -> ManagedSlice<'static, T>;
}

/// Tables from the heap.
#[derive(Clone, Copy, Debug)]
pub struct Heap;

impl Tables for Heap {
    fn table<T>(&mut self, count: usize, empty: fn() -> T) -> ManagedSlice<'static, T> {
        // Growing is one function for whatever type, unlike being born with a capacity.
        let mut items = Vec::new();
        items.resize_with(count, empty);
        ManagedSlice::Owned(items)
    }

    fn zeroes<T: FromZeros>(&mut self, count: usize) -> ManagedSlice<'static, T> {
        ManagedSlice::Owned(T::new_vec_zeroed(count).unwrap_or_default())
    }
}

impl Storage<'static> {
    /// Allocates everything at once, for a stack with all of TCP; the stack itself never allocates.
    pub fn allocate(sizes: Sizes) -> Self {
        Self::build(sizes, &mut Heap)
    }
}

impl<P: Profile> Storage<'static, P> {
    /// The same from somewhere else, or for another profile of TCP.
    #[inline(never)]
    pub fn build(sizes: Sizes, tables: &mut impl Tables) -> Self {
        let Sizes { addresses, groups, neighbours, .. } = sizes;
        let longest = if sizes.fragments > 0 { 65_535 } else { 0 };
        Self {
            ethernet: tables.table(groups, || None),
            arp: mirage_arp::Storage {
                entries: tables.table(neighbours, || mirage_arp::Entry::EMPTY),
                addresses: tables.table(addresses, || None),
                pending: tables.table(64, || None),
                // The longest datagram at an MTU of 1,500: 45 fragments with a header each.
                bytes: tables.zeroes(65_536 + 45 * 20),
                messages: tables.table(32, || None),
                events: tables.table(8, || None),
            },
            ipv4: mirage_ipv4::Storage {
                addresses: tables.table(addresses, || None),
                routes: tables.table(addresses, || None),
                groups: tables.table(groups, || None),
                reassembly: tables.table(sizes.fragments, || mirage_ipv4::Block::EMPTY),
                assembly: tables.zeroes(longest),
                fragments_out: tables.zeroes(longest),
            },
            udp: mirage_udp::Storage {
                sockets: tables.table(sizes.udp_sockets, || mirage_udp::SocketSlot::EMPTY),
                buckets: tables.table(sizes.udp_sockets.next_power_of_two(), || mirage_udp::Bucket::EMPTY),
                blocks: tables.table(sizes.udp_blocks, || mirage_udp::Block::EMPTY),
                wakers: tables.table(2 * sizes.udp_sockets, || WakerSlot::EMPTY),
            },
            igmp: tables.table(groups, || mirage_udp::igmp::GroupSlot::EMPTY),
            tcp: tcp(sizes, tables),
        }
    }
}

fn tcp<P: Profile>(sizes: Sizes, tables: &mut impl Tables) -> mirage_tcp::Storage<'static, P> {
    let Sizes { connections, half_open, time_wait, listeners, blocks, .. } = sizes;
    let timers = mirage_tcp::Storage::timers_for(connections, half_open);
    let buckets = mirage_tcp::Storage::buckets_for(connections, half_open, time_wait, listeners);
    // One for each task that reads, writes or accepts; a task that does two things at once takes two.
    let wakers = 2 * (connections + listeners);
    mirage_tcp::Storage {
        connections: tables.table(connections, Slot::default),
        buckets: tables.table(buckets, || 0),
        listeners: tables.table(listeners, ListenerSlot::default),
        time_wait: tables.table(time_wait, TimeWaitSlot::default),
        half_open: tables.table(half_open, HalfOpenSlot::default),
        timers: tables.table(timers, TimerSlot::default),
        blocks: tables.zeroes(blocks),
        // Only who hears of selective acknowledgments keeps records.
        runs: tables.table(if P::SELECTIVE { mirage_tcp::Storage::runs_for(blocks) } else { 0 }, RunSlot::default),
        wakers: WakerPool::new(tables.table(wakers, || WakerSlot::EMPTY)),
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
