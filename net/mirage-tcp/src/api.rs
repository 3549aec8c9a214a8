//! What an application does with a connection.

use core::net::SocketAddr;
use core::task::{Context, Poll};

use mirage_clock::Duration;
use mirage_congestion::Congestion as _;
use mirage_stack::Keepalive;
pub use mirage_stack::flow::Direction;

use crate::connection::{Slot, todo};
use crate::cork::{Hold, Then};
use crate::facts::Facts;
use crate::identifier::NONE;
use crate::keepalive::Schedule;
use crate::kept::{FramesOf, NoFrames};
use crate::ready::{Ends, Place};
use crate::resources::Resources;
use crate::send_queue::Cuts;
use crate::{ConnectionId, Error, Frames, Info, Profile, State, Tcp};

impl<'s, P: Profile> Tcp<'s, P> {
    /// Reads what has come: at least one byte; 0 is the end of the peer's stream (or an empty buffer). Before the
    /// connection is established it waits.
    ///
    /// # Errors
    /// Why the connection is broken, once everything that came before is read.
    pub fn poll_read(
        &mut self,
        id: ConnectionId,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, Error>> {
        self.poll_read_kept(id, cx, &NoFrames, buffer)
    }

    /// The same, where bytes may lie in `frames` that [`input_again`](Self::input_again) left there.
    ///
    /// # Errors
    /// Those of [`poll_read`](Self::poll_read).
    #[inline]
    pub fn poll_read_kept(
        &mut self,
        id: ConnectionId,
        cx: &mut Context<'_>,
        frames: &(impl Frames + ?Sized),
        buffer: &mut [u8],
    ) -> Poll<Result<usize, Error>> {
        if P::STRAIGHT
            && let Some(count) = self.read_whole(id, buffer)
        {
            return Poll::Ready(Ok(count));
        }
        self.read(id, cx, frames, buffer)
    }

    /// Reads all there is, if it lies in one block and there is room for it.
    #[inline(always)]
    fn read_whole(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Option<usize> {
        let slot = self.connections.get_mut(id.index as usize)?;
        let facts = slot.facts & (Facts::HELD | Facts::READ_SHUT);
        if slot.generation != id.generation || facts != Facts::HELD {
            return None;
        }
        let count = slot.receive.read_whole(&mut self.resources.pool, buffer)?;
        slot.after_read(&self.resources);
        self.resources.relieve();
        self.resources.again.len = 0;
        if slot.todo != 0 {
            self.settle(id.index);
        }
        self.check(id.index);
        Some(count)
    }

    /// The same, whatever there is.
    #[inline(never)]
    fn read(
        &mut self,
        id: ConnectionId,
        cx: &mut Context<'_>,
        frames: &(impl Frames + ?Sized),
        buffer: &mut [u8],
    ) -> Poll<Result<usize, Error>> {
        let Some((slot, resources)) = self.open(id) else { return Poll::Ready(Err(Error::Closed)) };
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        match slot.readable(resources, cx) {
            Poll::Ready(Ok(true)) => {}
            Poll::Ready(Ok(false)) => return Poll::Ready(Ok(0)),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
        let count = slot.receive.read(&mut resources.pool, &FramesOf::<P, _>::new(frames), buffer);
        if count == 0 {
            // It lies in a frame that we are not shown.
            return Poll::Pending;
        }
        slot.after_read(resources);
        resources.relieve();
        self.settle(id.index);
        Poll::Ready(Ok(count))
    }

    /// Writes at least one byte (unless `bytes` is empty) and says how many. It waits while the connection is not
    /// established, its send buffer is full or no block is free.
    ///
    /// # Errors
    /// Why the connection is broken; [`Error::Closed`] after the write direction was shut down.
    pub fn poll_write(&mut self, id: ConnectionId, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        if P::STRAIGHT
            && let Some(count) = self.write_first(id, bytes)
        {
            return Poll::Ready(Ok(count));
        }
        self.write(id, cx, bytes, Then::Push)
    }

    /// Writes what goes into one block, while nothing is under way and nobody waits for a turn to send: a request, or an
    /// answer.
    #[inline(always)]
    fn write_first(&mut self, id: ConnectionId, bytes: &[u8]) -> Option<usize> {
        let Tcp { connections, resources, ready, .. } = self;
        let slot = connections.get_mut(id.index as usize)?;
        let usually = Facts::HELD | Facts::CALM;
        let usual = slot.generation == id.generation
            && slot.facts & (usually | Facts::FIN_QUEUED | Facts::UNPUSHED) == usually
            && slot.state == State::Established
            && ready.head == NONE
            && (1..=slot.send_limit as usize).contains(&bytes.len());
        if !usual {
            return None;
        }
        // An empty queue takes it only, of which nothing is under way.
        let count = slot.send.push_first(&mut resources.pool, bytes, slot.receive.blocks(), slot.mss)?;
        // As `settle` has it.
        slot.ready = Place { previous: NONE, next: NONE };
        *ready = Ends { head: id.index, tail: id.index };
        resources.again.len = 0;
        self.check(id.index);
        Some(count)
    }

    /// Writes; `then` says what follows.
    #[inline(never)]
    pub(crate) fn write(
        &mut self,
        id: ConnectionId,
        cx: &mut Context<'_>,
        bytes: &[u8],
        then: Then,
    ) -> Poll<Result<usize, Error>> {
        let Some((slot, resources)) = self.open(id) else { return Poll::Ready(Err(Error::Closed)) };
        match slot.writable() {
            Ok(true) if bytes.is_empty() => return Poll::Ready(Ok(0)),
            Ok(true) => {
                let held = slot.receive.blocks();
                let (cuts, most) = (slot.cuts(), slot.most_queued(&resources.pool));
                let limit = slot.send_limit.min(most);
                let mut count = slot.send.push(&mut resources.pool, bytes, limit, held, cuts);
                if P::TUNING && count == 0 && slot.grow_send_limit(&resources.config) {
                    let limit = slot.send_limit.min(most);
                    count = slot.send.push(&mut resources.pool, bytes, limit, held, cuts);
                }
                if count > 0 {
                    slot.hold_back(then == Then::More);
                    if P::RECORDS && then == Then::End && count == bytes.len() {
                        slot.set_calm(false);
                        slot.send.end_record(&mut resources.pool);
                    }
                    slot.todo |= todo::OUTPUT;
                    self.settle(id.index);
                    return Poll::Ready(Ok(count));
                }
                if slot.send.len() == 0 {
                    // No acknowledgement will come that could wake it.
                    resources.wakers.register(&mut resources.starved, cx.waker());
                }
            }
            Ok(false) => slot.wait_to_write(),
            Err(error) => return Poll::Ready(Err(error)),
        }
        resources.wakers.register(&mut slot.writers, cx.waker());
        Poll::Pending
    }

    /// Whether everything written was sent at least once. It does not wait for acknowledgements.
    ///
    /// # Errors
    /// Why the connection is broken.
    pub fn poll_flush(&mut self, id: ConnectionId, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Some((slot, resources)) = self.open(id) else { return Poll::Ready(Err(Error::Closed)) };
        if let Some(error) = slot.error {
            return Poll::Ready(Err(error));
        }
        if slot.is_flushed() {
            return Poll::Ready(Ok(()));
        }
        slot.set_flushing(true);
        resources.wakers.register(&mut slot.writers, cx.waker());
        Poll::Pending
    }

    /// Waits until [`poll_read`](Self::poll_read) would not wait, be it for the end or an error.
    pub fn poll_readable(&mut self, id: ConnectionId, cx: &mut Context<'_>) -> Poll<()> {
        let Some((slot, resources)) = self.open(id) else { return Poll::Ready(()) };
        slot.readable(resources, cx).map(drop)
    }

    /// Waits until [`poll_write`](Self::poll_write) would not wait, be it for an error.
    pub fn poll_writable(&mut self, id: ConnectionId, cx: &mut Context<'_>) -> Poll<()> {
        let Some((slot, resources)) = self.open(id) else { return Poll::Ready(()) };
        if slot.would_write(resources) {
            return Poll::Ready(());
        }
        if slot.send.len() == 0 && slot.state.may_send() {
            resources.wakers.register(&mut resources.starved, cx.waker());
        }
        resources.wakers.register(&mut slot.writers, cx.waker());
        Poll::Pending
    }

    /// Whether [`poll_read`](Self::poll_read) would not wait.
    pub fn can_read(&self, id: ConnectionId) -> bool {
        self.slot(id).is_none_or(|slot| slot.would_read() != Ok(None))
    }

    /// Whether [`poll_write`](Self::poll_write) would not wait.
    pub fn can_write(&self, id: ConnectionId) -> bool {
        self.slot(id).is_none_or(|slot| slot.would_write(&self.resources))
    }

    /// Ends one direction or both; again is not an error.
    ///
    /// - [`Direction::Write`]: the peer sees the end behind everything that was written.
    /// - [`Direction::Read`]: what comes from now on is acknowledged and thrown away, and reads give 0.
    ///
    /// # Errors
    /// [`Error::Closed`] when there is no such connection, or why it is broken.
    pub fn shutdown(&mut self, id: ConnectionId, direction: Direction) -> Result<(), Error> {
        let (slot, resources) = self.open(id).ok_or(Error::Closed)?;
        if let Some(error) = slot.error {
            return Err(error);
        }
        if matches!(direction, Direction::Read | Direction::Both) && !slot.read_shut() {
            slot.set_read_shut(true);
            slot.receive.forget_readable(&mut resources.pool);
            slot.after_read(resources);
            resources.wakers.wake(&mut slot.readers);
            resources.relieve();
        }
        if matches!(direction, Direction::Write | Direction::Both) {
            slot.end_writing();
            resources.wakers.wake(&mut slot.writers);
        }
        self.settle(id.index);
        Ok(())
    }

    /// Gives the connection back: the identifier names nothing any more. What was written is still delivered, but if
    /// something that came was not read, the peer is reset so that it does not believe it was (RFC 2525 §2.17).
    pub fn close(&mut self, id: ConnectionId) {
        let Some((slot, _)) = self.open(id) else { return };
        if slot.receive.readable() > 0 && !matches!(slot.state, State::Closed | State::TimeWait) {
            return self.break_off(id.index);
        }
        slot.set_held(false);
        match slot.state {
            // RFC 9293 §3.10.4: in SYN-SENT, "delete the TCB".
            State::Closed | State::SynSent | State::TimeWait => slot.todo |= todo::END,
            _ => {
                slot.set_read_shut(true);
                slot.end_writing();
                slot.todo |= todo::OUTPUT;
            }
        }
        self.settle(id.index);
    }

    /// Breaks the connection off and gives it back: the peer is reset, and what was not sent is lost.
    pub fn abort(&mut self, id: ConnectionId) {
        if self.open(id).is_some() {
            self.break_off(id.index);
        }
    }

    /// Sends small writes at once (`true`), even those that wait for more, or collects them while an earlier small segment is not acknowledged.
    pub fn set_nodelay(&mut self, id: ConnectionId, nodelay: bool) {
        if let Some((slot, _)) = self.open(id) {
            slot.set_nodelay(nodelay);
            if nodelay {
                slot.hold = Hold::Nothing;
            }
            slot.todo |= todo::OUTPUT;
            self.settle(id.index);
        }
    }

    /// Probes an idle peer from now on, or stops doing so. The silence counts from when the peer was last heard.
    pub fn set_keepalive(&mut self, id: ConnectionId, keepalive: Option<Keepalive>) {
        if let Some((slot, _)) = self.open(id) {
            let keepalive = keepalive.filter(|_| !matches!(slot.state, State::Closed | State::TimeWait));
            slot.keepalive = Schedule::new(keepalive);
            slot.asked = 0;
            if let Some(keepalive) = keepalive {
                slot.arm(slot.heard_at + keepalive.after);
            }
            self.settle(id.index);
        }
    }

    /// Gives the connection up after so long without progress; `None` for the machine's default. It counts from the next
    /// time something is sent.
    pub fn set_user_timeout(&mut self, id: ConnectionId, timeout: Option<Duration>) {
        if let Some((slot, resources)) = self.open(id) {
            slot.set_user_timeout(timeout.unwrap_or(resources.config.user_timeout));
        }
    }

    /// Our end; `None` when there is no such connection.
    pub fn local(&self, id: ConnectionId) -> Option<SocketAddr> {
        Some(self.slot(id)?.tuple.local())
    }

    /// The peer's end; `None` when there is no such connection.
    pub fn remote(&self, id: ConnectionId) -> Option<SocketAddr> {
        Some(self.slot(id)?.tuple.remote())
    }

    /// Where the connection is in its life; `None` when there is no such connection. One in [`State::TimeWait`] stays there
    /// for as long as the application holds it.
    pub fn state(&self, id: ConnectionId) -> Option<State> {
        Some(self.slot(id)?.state)
    }

    /// What the connection measures and allows itself; `None` when there is no such connection.
    pub fn info(&self, id: ConnectionId) -> Option<Info> {
        let slot = self.slot(id)?;
        Some(Info {
            srtt: slot.round_trip.srtt().unwrap_or_default(),
            rttvar: slot.round_trip.rttvar(),
            rto: slot.round_trip.rto(self.resources.config.max_rto),
            cwnd: slot.congestion.window(),
            ssthresh: slot.congestion.ssthresh(),
            send_mss: slot.mss,
            in_flight: slot.in_flight(),
            send_queued: slot.send.len(),
            send_window: slot.window,
            receive_queued: slot.receive.readable(),
            receive_window: slot.receive_window(),
            out_of_order: slot.receive.ooo_bytes(&self.resources.pool),
        })
    }

    /// The connection an application names, and what it shares with the others.
    pub(crate) fn open(&mut self, id: ConnectionId) -> Option<(&mut Slot<P>, &mut Resources<'s>)> {
        let slot = self.connections.get_mut(id.index as usize)?;
        if slot.generation != id.generation || !slot.held() {
            return None;
        }
        Some((slot, &mut self.resources))
    }
}

impl<P: Profile> Slot<P> {
    /// Where segments will be cut.
    pub(crate) fn cuts(&self) -> Cuts {
        Cuts { next: self.in_flight(), full: self.mss }
    }

    /// Whether a read would give bytes (`Some(true)`), the end (`Some(false)`) or nothing yet.
    fn would_read(&self) -> Result<Option<bool>, Error> {
        if self.read_shut() {
            return Ok(Some(false));
        }
        if self.receive.readable() > 0 {
            return Ok(Some(true));
        }
        match (self.error, self.state) {
            (Some(error), _) => Err(error),
            (None, State::Closed) => Ok(Some(false)),
            _ if self.ended() => Ok(Some(false)),
            _ => Ok(None),
        }
    }

    pub(crate) fn readable(
        &mut self,
        resources: &mut Resources<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<bool, Error>> {
        match self.would_read() {
            Ok(Some(bytes)) => Poll::Ready(Ok(bytes)),
            Err(error) => Poll::Ready(Err(error)),
            Ok(None) => {
                resources.wakers.register(&mut self.readers, cx.waker());
                Poll::Pending
            }
        }
    }

    /// Whether bytes may be written now, or (`false`) once the connection is established.
    pub(crate) fn writable(&self) -> Result<bool, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        match self.state {
            _ if self.fin_queued() => Err(Error::Closed),
            State::SynSent | State::SynReceived => Ok(false),
            state if state.may_send() => Ok(true),
            _ => Err(Error::Closed),
        }
    }

    fn would_write(&self, resources: &Resources<'_>) -> bool {
        match self.writable() {
            Ok(true) => {
                let held = self.send.blocks() + self.receive.blocks();
                let most = if P::TUNING { self.send_most(&resources.config) } else { self.send_limit };
                let most = most.min(self.most_queued(&resources.pool));
                self.send.len() < most && resources.pool.spares(held, self.send.blocks() == 0)
            }
            Ok(false) => false,
            Err(_) => true,
        }
    }

    /// Queues our FIN (RFC 9293 §3.10.4).
    pub(crate) fn end_writing(&mut self) {
        if self.fin_queued() {
            return;
        }
        match self.state {
            State::Established => self.state = State::FinWait1,
            State::CloseWait => self.state = State::LastAck,
            // "Queue this until … the connection is established".
            State::SynSent | State::SynReceived => {}
            _ => return,
        }
        self.set_fin_queued(true);
        self.todo |= todo::OUTPUT;
    }
}
