//! The table of connections and doors, and what applications ask of it.

use core::net::{Ipv4Addr, SocketAddrV4};
use core::task::{Context, Poll};

use managed::ManagedSlice;
use mirage_checksum::SequenceNumber;
use mirage_clock::{Duration, Instant};
use mirage_flow::Direction;
use mirage_secret::Secret;
use mirage_stack::{ErrorKind, Keepalive, ListenOptions, TcpOptions};
use mirage_waker::{WaitList, WakerPool};

use crate::connection::{NEVER, Slot, State};
use crate::input::COOKIE;

/// A connection. Of one that is gone it says so: it never names another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionId {
    pub(crate) index: u16,
    generation: u16,
}

/// A listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerId(pub(crate) u8);

/// Room for one listener. `Door::default()` is one that is free.
#[derive(Debug, Default)]
pub struct Door {
    /// 0 while nobody listens.
    pub(crate) port: u16,
    backlog: u16,
    pub(crate) options: TcpOptions,
    pub(crate) acceptors: WaitList,
}

/// No slot.
pub(crate) const NONE: u16 = u16::MAX;
/// First and number of the ports that are chosen (RFC 6335 §6).
pub(crate) const FIRST_PORT: u16 = 49_152;
pub(crate) const PORTS: u16 = 16_384;
/// How long what nobody has a handle to may go on without progress.
pub(crate) const FAREWELL: Duration = Duration::from_secs(60);

/// The table.
pub(crate) struct Tcp<'s> {
    pub(crate) slots: ManagedSlice<'s, Slot>,
    pub(crate) doors: ManagedSlice<'s, Door>,
    buffers: ManagedSlice<'s, u8>,
    /// Bytes of each of the two buffers of a connection.
    pub(crate) room: u32,
    pub(crate) wakers: WakerPool<'s>,
    pub(crate) secret: Secret,
    /// Those that have something to send, first and last.
    pub(crate) first: u16,
    last: u16,
    /// No connection's deadline is earlier.
    pub(crate) due: Instant,
    /// Until then there may be handshakes of which we remember nothing.
    pub(crate) flooded: Instant,
    next_port: u16,
    /// When the host was last polled.
    pub(crate) now: Instant,
}

/// A connection and its two buffers.
pub(crate) struct Parts<'a> {
    pub(crate) slot: &'a mut Slot,
    pub(crate) inbox: &'a mut [u8],
    pub(crate) outbox: &'a mut [u8],
}

impl<'s> Tcp<'s> {
    pub(crate) fn new(
        slots: ManagedSlice<'s, Slot>,
        doors: ManagedSlice<'s, Door>,
        buffers: ManagedSlice<'s, u8>,
        wakers: WakerPool<'s>,
        secret: Secret,
    ) -> Self {
        let room = buffers.len() / slots.len().max(1) / 2;
        Self {
            slots,
            doors,
            buffers,
            // More than the window's field can say is of no use.
            room: room.min(usize::from(u16::MAX)) as u32,
            wakers,
            secret,
            first: NONE,
            last: NONE,
            due: NEVER,
            flooded: Instant::ZERO,
            next_port: secret.hash_words_twice([0; 3]).0 as u16 % PORTS,
            now: Instant::ZERO,
        }
    }

    /// A connection with its buffers.
    pub(crate) fn parts(&mut self, index: u16) -> Option<Parts<'_>> {
        let (index, room) = (usize::from(index), self.room as usize);
        let slot = self.slots.get_mut(index)?;
        let buffers = self.buffers.get_mut(index * 2 * room..)?.get_mut(..2 * room)?;
        let (inbox, outbox) = buffers.split_at_mut_checked(room)?;
        Some(Parts { slot, inbox, outbox })
    }

    /// The connection that an application means.
    pub(crate) fn named(&mut self, id: ConnectionId) -> Option<&mut Slot> {
        self.slots.get_mut(usize::from(id.index)).filter(|slot| slot.owned && slot.generation == id.generation)
    }

    /// Something has changed: it stands in the queue, and its deadline counts.
    pub(crate) fn touch(&mut self, index: u16) {
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return };
        self.due = self.due.min(slot.deadline());
        if slot.queued {
            return;
        }
        (slot.queued, slot.behind) = (true, NONE);
        match self.slots.get_mut(usize::from(self.last)) {
            Some(last) => last.behind = index,
            None => self.first = index,
        }
        self.last = index;
    }

    /// Takes the first out of the queue.
    pub(crate) fn pop(&mut self) {
        if let Some(slot) = self.slots.get_mut(usize::from(self.first)) {
            slot.queued = false;
            self.first = slot.behind;
            if self.first == NONE {
                self.last = NONE;
            }
        }
    }

    /// The connection between these two ends.
    pub(crate) fn find(&self, remote: SocketAddrV4, local_port: u16) -> Option<u16> {
        let is_it = |slot: &Slot| {
            slot.local_port == local_port && slot.remote == remote && !matches!(slot.state, State::Free | State::Dead)
        };
        self.slots.iter().position(is_it).map(|index| index as u16)
    }

    /// A free slot; else that of a connection in TIME-WAIT, else that of a handshake which can be ended without it.
    pub(crate) fn claim(&mut self) -> Option<u16> {
        let rank = |slot: &Slot| match slot.state {
            State::Free => Some(0),
            State::TimeWait if !slot.owned => Some(1),
            State::SynReceived if !slot.owned => Some(2),
            _ => None,
        };
        // An index is a number below `NONE`: what lies beyond is never handed out.
        let ranked = self.slots.iter().enumerate().take(NONE.into());
        let ranked = ranked.filter_map(|(index, slot)| Some((rank(slot)?, slot.progress, index as u16)));
        let (rank, _, index) = ranked.min()?;
        if rank == 2 {
            self.flooded = self.now.saturating_add(COOKIE.saturating_mul(2));
        }
        self.release(index);
        Some(index)
    }

    /// Frees a slot.
    pub(crate) fn release(&mut self, index: u16) {
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return };
        self.wakers.wake(&mut slot.readers);
        self.wakers.wake(&mut slot.writers);
        let (queued, behind, generation) = (slot.queued, slot.behind, slot.generation.wrapping_add(1));
        *slot = Slot { queued, behind, generation, ..Slot::EMPTY };
    }

    /// It is over, with an `error` or in order.
    pub(crate) fn finish(&mut self, index: u16, error: Option<ErrorKind>) {
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return };
        if !slot.owned || slot.waits {
            return self.release(index);
        }
        slot.state = State::Dead;
        slot.error = error;
        if error.is_some() {
            slot.inbox.len = 0;
        }
        (slot.timer, slot.ack_at, slot.ask_at) = (NEVER, NEVER, NEVER);
        self.wakers.wake(&mut slot.readers);
        self.wakers.wake(&mut slot.writers);
    }

    /// Listens on `port`, or on one that is free if that is 0.
    pub(crate) fn listen(&mut self, port: u16, options: ListenOptions) -> Result<ListenerId, ErrorKind> {
        let taken = |port| self.doors.iter().any(|door| door.port == port);
        let mut port = port;
        if port == 0 {
            let chosen = (0..=self.doors.len() as u16).map(|step| FIRST_PORT + (self.next_port + step) % PORTS);
            port = chosen.into_iter().find(|port| !taken(*port)).unwrap_or(0);
        } else if taken(port) {
            return Err(ErrorKind::AddressInUse);
        }
        let place = self.doors.iter().position(|door| door.port == 0);
        let place = place.and_then(|place| Some((u8::try_from(place).ok()?, self.doors.get_mut(place)?)));
        let Some((index, door)) = place else { return Err(ErrorKind::OutOfResources) };
        (door.port, door.options) = (port, options.tcp);
        door.backlog = u16::try_from(options.backlog).unwrap_or(u16::MAX);
        Ok(ListenerId(index))
    }

    /// Whether another connection may wait behind a door.
    pub(crate) fn has_room(&self, door: u8) -> bool {
        let waiting = self.slots.iter().filter(|slot| slot.waits && slot.listener == door).count();
        self.doors.get(usize::from(door)).is_some_and(|door| waiting < usize::from(door.backlog))
    }

    pub(crate) fn poll_accept(&mut self, id: ListenerId, cx: &Context<'_>) -> Poll<Result<ConnectionId, ErrorKind>> {
        // The one that has waited longest.
        let waiting = self.slots.iter_mut().enumerate().filter(|(_, slot)| slot.waits && slot.listener == id.0);
        if let Some((index, slot)) = waiting.min_by_key(|(_, slot)| slot.progress) {
            slot.waits = false;
            return Poll::Ready(Ok(ConnectionId { index: index as u16, generation: slot.generation }));
        }
        match self.doors.get_mut(usize::from(id.0)) {
            Some(door) => self.wakers.register(&mut door.acceptors, cx.waker()),
            None => return Poll::Ready(Err(ErrorKind::Closed)),
        }
        Poll::Pending
    }

    /// Nobody listens any more. Connections that wait are reset.
    pub(crate) fn close_listener(&mut self, id: ListenerId) {
        let Some(door) = self.doors.get_mut(usize::from(id.0)) else { return };
        door.port = 0;
        self.wakers.wake(&mut door.acceptors);
        for index in 0..self.slots.len().min(NONE.into()) as u16 {
            match self.slots.get_mut(usize::from(index)) {
                Some(slot) if slot.listener == id.0 && slot.waits => self.break_off(index),
                Some(slot) if slot.listener == id.0 && slot.state == State::SynReceived && !slot.owned => {
                    self.release(index);
                }
                _ => {}
            }
        }
    }

    /// Begins to connect.
    pub(crate) fn connect(&mut self, remote: SocketAddrV4, options: &TcpOptions) -> Result<ConnectionId, ErrorKind> {
        let index = self.claim().ok_or(ErrorKind::OutOfResources)?;
        let mut port = 0;
        for _ in 0..=self.slots.len() {
            self.next_port = (self.next_port + 1) % PORTS;
            port = FIRST_PORT + self.next_port;
            if self.find(remote, port).is_none() {
                break;
            }
        }
        // RFC 6528: a clock of four microseconds, and what only we know about these ends.
        let clock = (self.now.as_micros() / 4) as u32;
        let isn = clock.wrapping_add(self.secret_of(remote, port, 0) as u32);
        let now = self.now;
        let slot = self.slots.get_mut(usize::from(index)).ok_or(ErrorKind::OutOfResources)?;
        slot.set_options(now, options);
        (slot.state, slot.owned, slot.remote, slot.local_port) = (State::SynSent, true, remote, port);
        (slot.listener, slot.progress) = (u8::MAX, now);
        slot.begin(SequenceNumber(isn));
        let generation = slot.generation;
        self.touch(index);
        Ok(ConnectionId { index, generation })
    }

    /// A number that only we know, of the two ends of a connection and something else.
    pub(crate) fn secret_of(&self, remote: SocketAddrV4, port: u16, more: u32) -> u64 {
        let ports = u32::from(port) << 16 | u32::from(remote.port());
        self.secret.hash_words_twice([remote.ip().to_bits(), ports, more]).0
    }

    pub(crate) fn poll_connected(&mut self, id: ConnectionId, cx: &Context<'_>) -> Poll<Result<(), ErrorKind>> {
        let Some(slot) = self.named(id) else { return Poll::Ready(Err(ErrorKind::Closed)) };
        match (slot.state, slot.error) {
            (_, Some(error)) => Poll::Ready(Err(error)),
            (State::SynSent | State::SynReceived, _) => self.wait(id, cx, false),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Waits for bytes to read, or for room to write.
    fn wait<R>(&mut self, id: ConnectionId, cx: &Context<'_>, read: bool) -> Poll<R> {
        if let Some(slot) = self.slots.get_mut(usize::from(id.index)) {
            let list = if read { &mut slot.readers } else { &mut slot.writers };
            self.wakers.register(list, cx.waker());
        }
        Poll::Pending
    }

    pub(crate) fn can_read(&mut self, id: ConnectionId) -> bool {
        self.named(id).is_none_or(|slot| slot.inbox.len > 0 || slot.reads_end())
    }

    /// Reads what is there; 0 at the end of the stream.
    pub(crate) fn poll_read(
        &mut self,
        id: ConnectionId,
        cx: &Context<'_>,
        into: &mut [u8],
    ) -> Poll<Result<usize, ErrorKind>> {
        let Some(slot) = self.named(id) else { return Poll::Ready(Err(ErrorKind::Closed)) };
        if let Some(error) = slot.error {
            return Poll::Ready(Err(error));
        }
        if into.is_empty() || (slot.inbox.len == 0 && slot.reads_end()) {
            return Poll::Ready(Ok(0));
        }
        if slot.inbox.len == 0 {
            return self.wait(id, cx, true);
        }
        let room = self.room;
        let Some(Parts { slot, inbox, .. }) = self.parts(id.index) else { return Poll::Ready(Err(ErrorKind::Closed)) };
        let count = slot.inbox.take(inbox, into);
        // The peer hears of it when the window grows by something worth it.
        if slot.new_window(room) > slot.edge.since(slot.expected) {
            slot.ack_now = true;
            self.touch(id.index);
        }
        Poll::Ready(Ok(count))
    }

    pub(crate) fn can_write(&mut self, id: ConnectionId) -> bool {
        let room = self.room;
        self.named(id).is_none_or(|slot| !slot.takes() || (slot.is_open() && slot.outbox.len < room))
    }

    /// Takes as much of `bytes` as fits, at least one.
    pub(crate) fn poll_write(
        &mut self,
        id: ConnectionId,
        cx: &Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, ErrorKind>> {
        let room = self.room;
        let Some(slot) = self.named(id) else { return Poll::Ready(Err(ErrorKind::Closed)) };
        if !slot.takes() {
            return Poll::Ready(Err(slot.error.unwrap_or(ErrorKind::Closed)));
        }
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let free = room.saturating_sub(slot.outbox.len) as usize;
        if free == 0 || !slot.is_open() {
            return self.wait(id, cx, false);
        }
        let taken = bytes.get(..free).unwrap_or(bytes);
        if let Some(Parts { slot, outbox, .. }) = self.parts(id.index) {
            // A copy: it is kept until it is acknowledged.
            slot.outbox.put(outbox, slot.outbox.len, taken);
            slot.outbox.len += taken.len() as u32;
        }
        self.touch(id.index);
        Poll::Ready(Ok(taken.len()))
    }

    /// Waits until everything was sent once.
    pub(crate) fn poll_flush(&mut self, id: ConnectionId, cx: &Context<'_>) -> Poll<Result<(), ErrorKind>> {
        let Some(slot) = self.named(id) else { return Poll::Ready(Err(ErrorKind::Closed)) };
        match slot.error {
            Some(error) => Poll::Ready(Err(error)),
            None if slot.outbox.len <= slot.in_flight() => Poll::Ready(Ok(())),
            None => self.wait(id, cx, false),
        }
    }

    pub(crate) fn shutdown(&mut self, id: ConnectionId, direction: Direction) -> Result<(), ErrorKind> {
        let slot = self.named(id).ok_or(ErrorKind::Closed)?;
        if let Some(error) = slot.error {
            return Err(error);
        }
        if direction != Direction::Write {
            (slot.deaf, slot.inbox.len) = (true, 0);
            // The window opens.
            slot.ack_now |= slot.is_open();
            let mut readers = core::mem::take(&mut slot.readers);
            self.wakers.wake(&mut readers);
        }
        if direction != Direction::Read
            && let Some(slot) = self.named(id)
        {
            slot.ended = true;
        }
        self.touch(id.index);
        Ok(())
    }

    /// Nobody has a handle any more: what was written is still delivered.
    pub(crate) fn close(&mut self, id: ConnectionId) {
        let now = self.now;
        let Some(slot) = self.named(id) else { return };
        match slot.state {
            State::Dead | State::SynSent => return self.release(id.index),
            // Both have opened at once, and here nobody wants it any more.
            State::SynReceived => return self.break_off(id.index),
            // RFC 2525 §2.17: who does not read what has come says so.
            State::Open if slot.inbox.len > 0 => return self.break_off(id.index),
            _ => {}
        }
        slot.owned = false;
        slot.ended = true;
        (slot.progress, slot.patience) = (now, FAREWELL.min(slot.patience));
        self.touch(id.index);
    }

    pub(crate) fn abort(&mut self, id: ConnectionId) {
        if self.named(id).is_some() {
            self.break_off(id.index);
        }
    }

    /// Sends a reset, and forgets the connection.
    pub(crate) fn break_off(&mut self, index: u16) {
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return };
        if matches!(slot.state, State::Dead | State::SynSent | State::TimeWait) {
            return self.release(index);
        }
        (slot.reset, slot.owned, slot.waits) = (true, false, false);
        self.touch(index);
    }

    pub(crate) fn set_nodelay(&mut self, id: ConnectionId, nodelay: bool) {
        if let Some(slot) = self.named(id) {
            slot.nodelay = nodelay;
            self.touch(id.index);
        }
    }

    pub(crate) fn set_keepalive(&mut self, id: ConnectionId, keepalive: Option<Keepalive>) {
        let now = self.now;
        if let Some(slot) = self.named(id) {
            slot.keepalive = keepalive;
            slot.heard(now);
            self.touch(id.index);
        }
    }

    /// The port here and the end there.
    pub(crate) fn ends(&mut self, id: ConnectionId) -> (u16, SocketAddrV4) {
        let nothing = (0, SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));
        self.named(id).map_or(nothing, |slot| (slot.local_port, slot.remote))
    }
}
