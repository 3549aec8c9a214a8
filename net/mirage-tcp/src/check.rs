//! What always holds, checked at the end of every public method in builds with assertions.

use mirage_clock::Instant;

use crate::connection::Slot;
use crate::identifier::NONE;
use crate::runs::fate;
use crate::{Profile, State, Tcp};

impl<P: Profile> Tcp<'_, P> {
    /// Asserts the invariants of one connection and of the lists it is in.
    pub(crate) fn check(&self, index: u32) {
        if !cfg!(debug_assertions) {
            return;
        }
        debug_assert_eq!(self.ready.head == NONE, self.ready.tail == NONE, "both ends of the list, or neither");
        let Some(slot) = self.connections.get(index as usize) else { return };
        if !slot.in_use() {
            debug_assert!(
                !slot.ready.is_listed() && !slot.queue.is_listed() && !slot.linked(),
                "a free slot is in no list"
            );
            debug_assert!(slot.send.blocks() == 0 && slot.receive.blocks() == 0, "a free slot holds no block");
            return;
        }
        debug_assert_eq!(slot.todo, 0, "everything was done");
        debug_assert!(!slot.calm() || slot.is_calm(), "whoever makes it unusual says so");
        debug_assert!(slot.una.at_or_before(slot.nxt), "una <= nxt");
        debug_assert!(slot.rcv_nxt.at_or_before(slot.rcv_end), "the window never shrinks");
        debug_assert!(slot.acked_to.at_or_before(slot.rcv_nxt), "nothing is acknowledged that did not come");
        debug_assert!(slot.held() || slot.linked() || slot.state == State::Closed, "nobody forgets a connection");
        let opening = matches!(slot.state, State::SynSent | State::SynReceived);
        if !opening && slot.state != State::Closed && slot.state != State::TimeWait {
            let sent = slot.send.len() + u32::from(slot.fin_queued());
            debug_assert!(slot.in_flight() <= sent, "what is under way is in the queue, or is our FIN");
            debug_assert!(
                slot.in_flight() == 0 || slot.resend_at != Instant::MAX || slot.ready.is_listed(),
                "somebody watches over what is under way"
            );
            match P::SELECTIVE {
                true => self.check_runs(slot),
                false => debug_assert!(
                    slot.recovery.lost <= slot.in_flight() - slot.recovery.lost_from(slot.una).since(slot.una),
                    "what is lost is under way"
                ),
            }
        }
        debug_assert!(
            self.resources.again.len == 0
                || index != self.last
                || (slot.state == State::Established
                    && slot.ack_now()
                    && !slot.receive.has_holes()
                    && !slot.read_shut()),
            "what the last segment left as it was is so still"
        );
        for deadline in [slot.resend_at, slot.ack_at] {
            debug_assert!(slot.armed <= deadline, "the timer is never late");
        }
    }

    /// Asserts that the runs of a connection are what is under way, and that the sums about them are right.
    fn check_runs(&self, slot: &Slot<P>) {
        let (mut end, mut sacked, mut lost, mut count) = (slot.una, 0, 0, 0);
        let mut index = slot.recovery.chain.head;
        while index != NONE {
            let run = self.resources.runs.of(index);
            debug_assert!(run.start == end && run.end.after(run.start), "runs follow each other without a gap");
            debug_assert!(!(run.is(fate::SACKED) && run.is(fate::LOST)), "what arrived is not lost");
            sacked += if run.is(fate::SACKED) { run.len() } else { 0 };
            lost += if run.is(fate::LOST) { run.len() } else { 0 };
            end = run.end;
            count += 1;
            index = run.next;
        }
        debug_assert_eq!(end, slot.nxt, "everything under way is in a run");
        debug_assert_eq!(lost, slot.recovery.lost, "lost bytes");
        debug_assert!(!slot.selective() || sacked == slot.recovery.sacked, "bytes selectively acknowledged");
        debug_assert_eq!(count, slot.recovery.chain.count, "runs");
    }
}
