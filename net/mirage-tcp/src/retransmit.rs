//! When acknowledgements do not come.

use mirage_clock::{Duration, Instant};

use crate::connection::{Slot, todo};
use crate::replies::{Replies, Reply};
use crate::resources::Resources;
use crate::{Error, State};

impl Slot {
    /// Starts the retransmission timer. It goes off no later than the user timeout.
    pub(crate) fn start_resend_timer(&mut self, now: Instant, max_rto: Duration) {
        let again = now + self.round_trip.rto(max_rto);
        self.resend_at = again.min(self.stuck_since + self.user_timeout);
        self.arm(self.resend_at);
    }

    /// The window is closed and nothing is under way that could bring word of its opening: asks after a while
    /// (RFC 9293 §3.8.6.1).
    pub(crate) fn start_persist_timer(&mut self, now: Instant, resources: &Resources<'_>) {
        self.persist = true;
        self.stuck_since = now;
        self.start_resend_timer(now, resources.config.max_rto);
    }

    /// The retransmission timer went off.
    pub(crate) fn on_resend_timer(&mut self, now: Instant, resources: &mut Resources<'_>, replies: &mut Replies) {
        self.resend_at = Instant::MAX;
        if now >= self.stuck_since + self.user_timeout {
            return self.give_up(resources, replies);
        }
        match self.state {
            State::SynSent | State::SynReceived => {
                if self.syns > resources.config.syn_retries {
                    return self.give_up(resources, replies);
                }
                self.nxt = self.una;
                self.timed_at = Instant::MAX;
                self.congestion.on_syn_lost();
            }
            _ if self.persist => {
                self.probe = true;
                if !self.held {
                    // A peer may not keep us for ever by a closed window (sockstress).
                    self.linger(now, resources);
                }
            }
            _ if self.in_flight() > 0 => {
                resources.stats.timeouts += 1;
                let sender = self.sender();
                self.congestion.on_rto(sender, self.round_trip.backoff() > 0);
                // Everything goes again, in slow start (RFC 5681 §3.1); acknowledgements skip what arrived.
                self.nxt = self.una;
                self.small_end = self.una;
                self.resend_first = false;
                self.timed_at = Instant::MAX;
            }
            _ => return,
        }
        self.round_trip.back_off();
        self.todo |= todo::OUTPUT;
    }

    /// The peer does not answer.
    pub(crate) fn give_up(&mut self, resources: &mut Resources<'_>, replies: &mut Replies) {
        if self.state.is_synchronized() {
            // Should it still be there, it need not wait for us.
            replies.push(Reply::ack(self.tuple, self.max, self.rcv_nxt, 0).resetting());
        }
        let error = if self.unreachable { Error::HostUnreachable } else { Error::TimedOut };
        self.end(resources, Some(error));
    }

    /// RFC 5681 §4.1: what the network took before a pause says little about now.
    pub(crate) fn restart_if_idle(&mut self, now: Instant, resources: &Resources<'_>) {
        if self.una == self.max && now.since(self.sent_at) > self.round_trip.rto(resources.config.max_rto) {
            self.congestion.on_idle();
        }
    }
}
