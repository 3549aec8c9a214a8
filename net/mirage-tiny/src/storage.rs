//! The memory of a host, all of which its owner lends.

use managed::ManagedSlice;
use mirage_waker::Slot as WakerSlot;

use crate::{Door, Neighbour, Slot, Socket};

/// All memory of a host. Each table bounds what it is named after.
#[derive(Debug)]
pub struct Storage<'s> {
    /// Connections, those that open and those in TIME-WAIT counted. At most 65,535 are used.
    pub connections: ManagedSlice<'s, Slot>,
    /// Buffers of connections: each has its share, half of it to receive and half to send, at most 65,535 bytes each.
    pub buffers: ManagedSlice<'s, u8>,
    /// Listeners, at most 255.
    pub listeners: ManagedSlice<'s, Door>,
    /// Tasks that wait for something of a connection or a listener.
    pub wakers: ManagedSlice<'s, WakerSlot>,
    /// Neighbours.
    pub neighbours: ManagedSlice<'s, Neighbour>,
    /// The packet that waits for its neighbour: 1,514 bytes for an MTU of 1,500.
    pub waiting: ManagedSlice<'s, u8>,
    /// Datagram sockets.
    pub sockets: ManagedSlice<'s, Socket>,
    /// Buffers of datagram sockets: each has its share. A datagram takes 8 bytes more than its length.
    pub datagrams: ManagedSlice<'s, u8>,
    /// Tasks that wait for something of a datagram socket.
    pub socket_wakers: ManagedSlice<'s, WakerSlot>,
}

/// How much of everything [`Storage::allocate`] allocates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Connections.
    pub connections: usize,
    /// Bytes of each of the two buffers of a connection.
    pub buffer: usize,
    /// Listeners.
    pub listeners: usize,
    /// Neighbours.
    pub neighbours: usize,
    /// Datagram sockets.
    pub sockets: usize,
    /// Bytes of the buffer of a datagram socket.
    pub datagrams: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { connections: 64, buffer: 16_384, listeners: 8, neighbours: 32, sockets: 8, datagrams: 16_384 }
    }
}

#[cfg(feature = "alloc")]
impl Storage<'static> {
    /// Allocates everything at once; the host itself never allocates.
    pub fn allocate(sizes: Sizes) -> Self {
        Self {
            connections: table(sizes.connections),
            buffers: table(2 * sizes.connections * sizes.buffer),
            listeners: table(sizes.listeners),
            wakers: table(2 * (sizes.connections + sizes.listeners)),
            neighbours: table(sizes.neighbours),
            waiting: table(crate::lower::FRAME),
            sockets: table(sizes.sockets),
            datagrams: table(sizes.sockets * sizes.datagrams),
            socket_wakers: table(2 * sizes.sockets),
        }
    }
}

#[cfg(feature = "alloc")]
fn table<T: Default>(count: usize) -> ManagedSlice<'static, T> {
    ManagedSlice::Owned(core::iter::repeat_with(T::default).take(count).collect())
}
