//! The window we offer: what the application has yet to read and what the pool can spare decide.

use crate::Profile;
use crate::connection::{Slot, todo};
use crate::resources::Resources;

impl<P: Profile> Slot<P> {
    /// How many bytes beyond `rcv_nxt` there is room for: what is left of the limit, but no more than this connection's
    /// share of the pool.
    pub(crate) fn receive_room(&self, resources: &Resources<'_>) -> u32 {
        // More cannot be said in a header.
        let most = self.tuning.limit.min(0xffff << self.receive_scale);
        if self.read_shut() {
            return most;
        }
        let own = self.tuning.limit.saturating_sub(self.receive.readable());
        let received = self.receive.blocks();
        own.min(most).min(resources.share(self.send.blocks() + received, received))
    }

    /// What the peer may still send.
    pub(crate) fn receive_window(&self) -> u32 {
        self.rcv_end.since(self.rcv_nxt)
    }

    /// The window for a header that is about to be sent. The window grows only by steps worth a segment
    /// (RFC 9293 §3.8.6.2.2) and never shrinks.
    #[inline(always)]
    pub(crate) fn offer_window(&mut self, resources: &Resources<'_>) -> u16 {
        if self.may_grow() {
            self.grow_window(resources);
        }
        self.shown_window()
    }

    /// What the peer may still send, as it stands in a header.
    #[inline(always)]
    pub(crate) fn shown_window(&self) -> u16 {
        // Rounded down: the peer may see the end retreat by less than a scaled unit, which RFC 7323 §2.4 allows.
        (self.receive_window() >> self.receive_scale).min(0xffff) as u16
    }

    #[inline(never)]
    pub(crate) fn grow_window(&mut self, resources: &Resources<'_>) {
        let room = self.receive_room(resources);
        if room.saturating_sub(self.receive_window()) >= self.window_step(room, 1) {
            self.rcv_end = self.rcv_nxt + room;
        }
    }

    /// Whether there may be room for such a step. It needs a full segment's, or half of a limit that is less than two. Who reads
    /// no more has all the room there is; where nobody ever will, there is nothing to make room for.
    #[inline(always)]
    pub(crate) fn may_grow(&self) -> bool {
        let (window, step) = (self.receive_window(), u32::from(self.receive_mss));
        let most = self.tuning.limit.saturating_sub(self.receive.readable());
        window < step || most.saturating_sub(window) >= step || (self.read_shut() && self.held())
    }

    /// The application has read: tells the peer, if that is worth a segment.
    pub(crate) fn after_read(&mut self, resources: &Resources<'_>) {
        // While the peer may still send as much as we could add, its data will bring acknowledgements enough.
        if self.receive_window() > self.tuning.limit / 2 || !self.state.may_receive() {
            return;
        }
        let room = self.receive_room(resources);
        let grown = room.saturating_sub(self.receive_window());
        if grown >= self.window_step(room, 2) && grown >= self.receive_window() {
            self.set_ack_now(true);
            self.todo |= todo::OUTPUT;
        }
    }

    /// `segments` full segments or half of what this connection can hold now, whichever is less: who can hold no two
    /// segments would otherwise wait for the delayed acknowledgement after each.
    fn window_step(&self, room: u32, segments: u32) -> u32 {
        let limit = self.tuning.limit.min(room + self.receive.readable());
        (u32::from(self.receive_mss) * segments).min(limit / 2).max(1)
    }
}
