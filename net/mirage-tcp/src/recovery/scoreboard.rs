//! What the peer has (RFC 2018, RFC 2883).

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;

use super::{Rack, Recovery, Tally};
use crate::identifier::NONE;
use crate::runs::{RunSlot, Runs, fate};
use crate::sack::Blocks;

/// What says when the segment left that an acknowledgement answers: the timestamp echoed, if any, as a question about when
/// something was sent.
pub(crate) trait Echo: Fn(Instant) -> bool {}
impl<F: Fn(Instant) -> bool> Echo for F {}

/// When an acknowledgement came, and whether what it answers left before some time, as far as a timestamp tells.
pub(crate) struct Answer<E: Echo> {
    pub(crate) now: Instant,
    pub(crate) before: E,
}

impl Recovery {
    /// `ack` is the next number the peer expects: forgets all before it.
    #[inline]
    pub(crate) fn take_ordered(
        &mut self,
        rack: &mut Rack,
        runs: &mut Runs<'_>,
        answer: &Answer<impl Echo>,
        ack: SequenceNumber,
        tally: &mut Tally,
    ) {
        while self.chain.head != NONE {
            let run = runs.of_mut(self.chain.head);
            if run.start.at_or_after(ack) {
                break;
            }
            let whole = run.end.at_or_before(ack);
            let end = if whole { run.end } else { ack };
            let bytes = end.since(run.start);
            if run.is(fate::SACKED) {
                self.sacked = self.sacked.saturating_sub(bytes);
            } else {
                self.arrived(rack, answer, &runs.of(self.chain.head).clone(), end, bytes, tally);
            }
            if whole {
                runs.pop(&mut self.chain);
            } else {
                runs.of_mut(self.chain.head).start = ack;
                break;
            }
        }
    }

    /// Takes selective acknowledgments in: `blocks` lie between `una` and SND.NXT, in order. Only whole segments count, of
    /// `mss` bytes but for the last of a run: a peer that tells of crumbs cuts no run into crumbs.
    pub(crate) fn take_selective(
        &mut self,
        rack: &mut Rack,
        runs: &mut Runs<'_>,
        answer: &Answer<impl Echo>,
        blocks: &Blocks,
        mss: u32,
        tally: &mut Tally,
    ) {
        let mut index = self.chain.head;
        let mut previous = NONE;
        for &(start, end) in blocks.as_slice() {
            while index != NONE {
                runs.steps += 1;
                let run = runs.of(index);
                if run.start.at_or_after(end) {
                    break;
                }
                if run.is(fate::SACKED) || run.end.at_or_before(start) {
                    (previous, index) = (index, run.next);
                    continue;
                }
                // Where the first whole segment of the block in this run begins, and where the last ends.
                let ahead = start.signed_since(run.start).max(0) as u32;
                let covered = if run.end.after(end) { end.since(run.start) / mss * mss } else { run.len() };
                let (first, last) = (run.start + ahead.div_ceil(mss) * mss, run.start + covered);
                let crumbs = first.at_or_after(last);
                if crumbs {
                    (previous, index) = (index, run.next);
                    continue;
                }
                if run.start.before(start) {
                    // Without room to cut it, the run counts as not arrived: at worst it is sent again in vain.
                    let (next, cut) = (run.next, runs.cut(&mut self.chain, index, first));
                    (previous, index) = (index, if cut { runs.of(index).next } else { next });
                    continue;
                }
                if run.end.after(end) && !runs.cut(&mut self.chain, index, last) {
                    (previous, index) = (index, runs.of(index).next);
                    continue;
                }
                let run = runs.of(index).clone();
                self.arrived(rack, answer, &run, run.end, run.len(), tally);
                self.sacked += run.len();
                tally.selected = true;
                let run = runs.of_mut(index);
                run.fate = fate::SACKED;
                if previous != NONE && runs.of(previous).is(fate::SACKED) {
                    runs.join(&mut self.chain, previous);
                    index = previous;
                }
                if let Some(next) = Some(runs.of(index).next).filter(|next| *next != NONE)
                    && runs.of(next).is(fate::SACKED)
                {
                    runs.join(&mut self.chain, index);
                }
                (previous, index) = (index, runs.of(index).next);
            }
        }
    }

    /// The first `bytes` of `run`, up to `end`, arrived and were not known to have.
    #[inline]
    fn arrived(
        &mut self,
        rack: &mut Rack,
        answer: &Answer<impl Echo>,
        run: &RunSlot,
        end: SequenceNumber,
        bytes: u32,
        tally: &mut Tally,
    ) {
        tally.delivered += bytes;
        if run.is(fate::LOST) {
            self.lost = self.lost.saturating_sub(bytes);
        }
        if !run.is(fate::RESENT) {
            tally.original |= end.at_or_before(self.recover);
            let rtt = answer.now.since(run.sent_at);
            tally.rtt = Some(tally.rtt.map_or(rtt, |least| least.min(rtt)));
        } else {
            tally.resent = true;
        }
        rack.on_delivered(&mut self.reordering, answer.now, run, end, (answer.before)(run.sent_at));
        if tally.newest.is_none_or(|(sent_at, ..)| run.sent_at >= sent_at) {
            tally.newest = Some((run.sent_at, run.mark, run.is(fate::APP_LIMITED)));
        }
    }

    /// All that is under way and that the peer does not have is lost, as far as we know.
    pub(crate) fn lose_all(&mut self, runs: &mut Runs<'_>) {
        let mut index = self.chain.head;
        while index != NONE {
            let run = runs.of_mut(index);
            if !run.is(fate::SACKED | fate::LOST) {
                run.fate |= fate::LOST;
                self.lost += run.len();
                self.delivery.lost = self.delivery.lost.wrapping_add(run.len());
            }
            index = run.next;
        }
    }

    /// Nothing is lost after all.
    pub(crate) fn find_all(&mut self, runs: &mut Runs<'_>) {
        let mut index = self.chain.head;
        while index != NONE {
            let run = runs.of_mut(index);
            run.fate &= !fate::LOST;
            index = run.next;
        }
        self.lost = 0;
    }

    /// The peer may have thrown away what it had acknowledged only selectively (RFC 2018 §8).
    pub(crate) fn distrust(&mut self, runs: &mut Runs<'_>) {
        let mut index = self.chain.head;
        while index != NONE {
            let run = runs.of_mut(index);
            run.fate &= !fate::SACKED;
            index = run.next;
        }
        self.sacked = 0;
    }

    /// Whether the peer has thrown away what it had acknowledged only selectively: the oldest number under way is of that
    /// kind, and yet it is expected.
    pub(crate) fn is_taken_back(&self, runs: &Runs<'_>) -> bool {
        runs.get(self.chain.head).is_some_and(|run| run.is(fate::SACKED))
    }

    /// All that the peer acknowledged only selectively is lost after all; what else is under way may still arrive.
    pub(crate) fn lose_selected(&mut self, runs: &mut Runs<'_>) {
        let mut index = self.chain.head;
        while index != NONE {
            let run = runs.of_mut(index);
            if run.is(fate::SACKED) {
                run.fate = (run.fate & !fate::SACKED) | fate::LOST;
            }
            index = run.next;
        }
        self.lost += self.sacked;
        self.delivery.lost = self.delivery.lost.wrapping_add(self.sacked);
        self.sacked = 0;
    }

    /// The first run that waits to be sent again.
    pub(crate) fn first_lost(&self, runs: &mut Runs<'_>) -> Option<u32> {
        if self.lost == 0 {
            return None;
        }
        let mut index = self.chain.head;
        while index != NONE {
            runs.steps += 1;
            let run = runs.of(index);
            if run.is(fate::LOST) {
                return Some(index);
            }
            index = run.next;
        }
        None
    }
}
