//! What time brings.

use mirage_clock::Instant;

use crate::connection::{Slot, todo};
use crate::keepalive::{self, Action};
use crate::pool::Pool;
use crate::replies::{Replies, Reply};
use crate::resources::Resources;
use crate::{Profile, State, Tcp};

impl<P: Profile> Tcp<'_, P> {
    /// Does everything whose time has come; a late call loses nothing. Afterwards there may be something to
    /// [send](Self::poll_transmit).
    #[inline(never)]
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.resources.timers.pop_due(now) {
            let connections = self.connections.len() as u32;
            match timer.checked_sub(connections) {
                None => self.on_connection_timer(now, timer),
                Some(index) if (index as usize) < self.half_open.slots.len() => self.on_handshake_timer(now, index),
                Some(_) => self.on_time_wait_timer(now),
            }
        }
    }

    #[inline(never)]
    fn on_connection_timer(&mut self, now: Instant, index: u32) {
        let Tcp { connections, resources, replies, .. } = self;
        let Some(slot) = connections.get_mut(index as usize) else { return };
        slot.armed = Instant::MAX;
        if !slot.in_use() {
            return;
        }
        slot.on_timer(now, resources, replies);
        self.settle(index);
    }
}

impl<P: Profile> Slot<P> {
    fn on_timer(&mut self, now: Instant, resources: &mut Resources<'_>, replies: &mut Replies) {
        if self.linger_at.at(now) <= now {
            if self.state != State::FinWait2 {
                self.push_reset(replies);
                return self.give_up(resources);
            }
            return self.end(resources, None);
        }
        if self.ack_at <= now {
            self.ack_at = Instant::MAX;
            self.acknowledge();
        }
        if self.resend_at <= now {
            self.on_resend_timer(now, resources);
        }
        if P::PROBING && self.path.raise_at() <= now {
            self.raise_path(&resources.config);
        }
        if P::SELECTIVE && self.paced() && resources.pool.under_way(self.send.head()).pace_at() <= now {
            self.set_paced(false);
            self.todo |= todo::OUTPUT;
        }
        if self.state.is_synchronized() {
            self.keep_alive(now, resources, replies);
        }
        self.arm_next(now, &resources.pool);
    }

    /// RFC 9293 §3.8.4.
    fn keep_alive(&mut self, now: Instant, resources: &mut Resources<'_>, replies: &mut Replies) {
        let Some(keepalive) = self.keepalive.keepalive() else { return };
        let (action, asked) = keepalive::next(&keepalive, now.since(self.heard_at), self.asked);
        self.asked = asked;
        match action {
            Action::GiveUp => {
                self.push_reset(replies);
                self.give_up(resources);
            }
            Action::Probe => {
                self.set_ask(true);
                self.todo |= todo::OUTPUT;
                // The next look comes when the next probe, or the end, is due.
                let next = keepalive.after + keepalive.interval.saturating_mul(asked.into());
                self.arm((self.heard_at + next).max(now));
            }
            Action::Wait(span) => self.arm(now + span),
        }
    }

    /// Tells a peer that may still be there that it need not wait for us.
    fn push_reset(&self, replies: &mut Replies) {
        if self.state.is_synchronized() {
            let reply = Reply::stamped::<P>(self.tuple, self.nxt, self.rcv_nxt, 0, &self.stamps);
            replies.push(reply.resetting());
        }
    }

    /// Sets the timer to the earliest of what is left.
    fn arm_next(&mut self, now: Instant, pool: &Pool<'_>) {
        let pace_at =
            if P::SELECTIVE && self.paced() { pool.under_way(self.send.head()).pace_at() } else { Instant::MAX };
        if P::PROBING {
            self.arm(self.path.raise_at());
        }
        let next = self.ack_at.min(self.resend_at).min(self.linger_at.at(now)).min(pace_at);
        if next != Instant::MAX {
            self.arm(next);
        }
    }
}
