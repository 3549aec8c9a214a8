//! A segment for a connection whose numbers are known, in full (RFC 9293 §3.10.7.4, with RFC 5961).

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;

use crate::connection::{Slot, todo};
use crate::facts::Facts;
use crate::options::Heard;
use crate::replies::Reply;
use crate::wire::{Flags, Segment};
use crate::{Discard, Error, Profile, State, Tcp};

impl<P: Profile> Tcp<'_, P> {
    #[inline(never)]
    pub(super) fn input_synchronized(
        &mut self,
        now: Instant,
        index: u32,
        segment: &Segment<'_>,
        full: u16,
    ) -> Result<(), Discard> {
        let Tcp { connections, resources, replies, .. } = self;
        let Some(slot) = connections.get_mut(index as usize) else { return Ok(()) };
        let mut segment = *segment;
        let flags = segment.flags;
        // Simultaneous open: the peer's answer repeats its SYN, which came before.
        if P::OPENS
            && slot.state == State::SynReceived
            && flags.contains(Flags::SYN | Flags::ACK)
            && segment.seq + 1 == slot.rcv_nxt
        {
            segment.flags.remove(Flags::SYN);
            segment.seq = slot.rcv_nxt;
        }
        let heard = match segment.options {
            _ if !P::SELECTIVE && !P::TIMESTAMPS => Heard::NOTHING,
            [] => Heard::NOTHING,
            options => Heard::parse(options, slot.stamps.is_on(), slot.selective()),
        };
        if let Some((value, _)) = heard.stamps
            && !flags.contains(Flags::RST)
            && slot.stamps.is_old(now, value)
        {
            // RFC 7323 §5.3, R1: "If SEG.TSval < TS.Recent … send an acknowledgment … drop the segment".
            slot.refuse_old(resources, now, &segment);
            return Err(Discard::OldTimestamp);
        }
        if P::FAST_OPEN && slot.is_syn_again(&segment) {
            slot.set_syn_due(true);
            slot.todo |= todo::OUTPUT;
            return Ok(());
        }
        let zero_window = slot.receive_window() == 0 && segment.seq == slot.rcv_nxt;
        if !slot.is_acceptable(&segment) && !zero_window {
            let refused = slot.refuse_number(resources, now, &segment, &heard);
            if slot.state == State::TimeWait && slot.todo & todo::END == 0 {
                self.enter_time_wait(now, index);
            }
            return refused;
        }
        if segment.flags.contains(Flags::RST) {
            // RFC 5961 §3.2: only the exact number resets; others are challenged.
            if segment.seq != slot.rcv_nxt {
                slot.challenge(resources, now);
                return Err(Discard::BadReset);
            }
            resources.stats.resets_in += 1;
            let error = match slot.state {
                State::SynReceived if Slot::<P>::OPENING => Error::ConnectionRefused,
                _ => Error::ConnectionReset,
            };
            slot.end(resources, Some(error));
            return Ok(());
        }
        if segment.flags.contains(Flags::SYN) {
            // RFC 5961 §4.2: challenged whatever its number.
            slot.challenge(resources, now);
            return Err(Discard::UnexpectedSyn);
        }
        if !segment.flags.contains(Flags::ACK) {
            return Err(Discard::NoAck);
        }
        if Slot::<P>::OPENING && slot.state == State::SynReceived {
            // "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED state"; otherwise "form a reset segment".
            // What went with our SYN may be acknowledged with it (RFC 7413 §4.2.1).
            let with_data = segment.ack.since(slot.una + 1);
            if with_data > if P::FAST_OPEN { slot.syn_len.into() } else { 0 } {
                let tuple = slot.tuple;
                self.refuse(now, tuple, &segment);
                return Err(Discard::BadAck);
            }
            slot.confirm_syn(now, segment.ack, resources.config.min_rto);
            if P::FAST_OPEN {
                slot.send.acked(&mut resources.pool, with_data);
                slot.set_syn_data(with_data > 0 && with_data == slot.syn_len.into());
            }
            slot.change_window(resources, now, u32::from(segment.window) << slot.send_scale);
            slot.window_seq = segment.seq;
            slot.establish(resources, now);
            slot.is_about_to_write();
            slot.end_writing_if_asked();
            resources.stats.opened += 1;
        }
        if P::FAST_OPEN && slot.unconfirmed() {
            if segment.ack.before(slot.una) || segment.ack.after(slot.nxt) {
                let tuple = slot.tuple;
                self.refuse(now, tuple, &segment);
                return Err(Discard::BadAck);
            }
            slot.confirm(resources, now, u32::from(segment.window) << slot.send_scale);
        }
        slot.hear(now);
        if P::MARKS && slot.marks.is_accurate() {
            let count = (segment.payload.len() as u32).div_ceil(u32::from(full).max(1)).max(1);
            slot.take_counter(&mut resources.pool, now, &segment, count);
        }
        slot.take_ack(resources, now, &segment, &heard)?;
        if let Some((value, _)) = heard.stamps {
            // Behind the check of RFC 5961 §5: nobody sets it blindly.
            slot.stamps.remember(now, value, segment.seq, slot.acked_to);
        }
        let fin = segment.flags.contains(Flags::FIN);
        let end = segment.seq + segment.payload.len() as u32;
        if !slot.held() && !segment.payload.is_empty() && end.after(slot.rcv_nxt) && slot.state.may_receive() {
            // RFC 2525 §2.17: nobody will ever read this, and the peer shall know.
            // As if there were no connection any more: with the very number that the peer expects.
            if let Some(reset) = Reply::reset(slot.tuple, &segment) {
                replies.push(Reply { stamps: slot.stamps.told::<P>(), ..reset });
            }
            slot.end(resources, None);
            return Err(Discard::AfterClose);
        }
        if P::MARKS && slot.marks.is_on() && !slot.marks.is_accurate() && !segment.payload.is_empty() {
            slot.note_marks(segment.ecn, segment.flags);
        }
        let taken = slot.take_text(resources, now, segment.seq, segment.payload, fin, full);
        if slot.state == State::TimeWait && slot.todo & todo::END == 0 {
            self.enter_time_wait(now, index);
        }
        taken
    }

    /// Both ends are closed: leaves a memory behind. The slot stays for as long as an application holds it.
    pub(super) fn enter_time_wait(&mut self, now: Instant, index: u32) {
        let Some(slot) = self.connections.get_mut(index as usize) else { return };
        debug_assert!(!slot.unconfirmed(), "who acknowledges our FIN has our SYN");
        if slot.ack_now() {
            self.replies.push(Reply::stamped::<P>(
                slot.tuple,
                slot.nxt,
                slot.rcv_nxt,
                slot.shown_window(),
                &slot.stamps,
            ));
        }
        self.remember_connection(now, index);
        let Some(slot) = self.connections.get_mut(index as usize) else { return };
        if slot.held() {
            slot.end(&mut self.resources, None);
            slot.state = State::TimeWait;
        } else {
            self.depart(index);
        }
    }
}

impl<P: Profile> Slot<P> {
    /// RFC 9293 §3.4, table 6: whether some of the segment lies inside the window.
    ///
    /// An empty segment may lie just behind it, too: a peer that has used the window up cannot number its acknowledgements
    /// otherwise, and if both ends are in that state and drop them, neither goes on.
    fn is_acceptable(&self, segment: &Segment<'_>) -> bool {
        let window = self.receive_window();
        let len = segment.len();
        if len == 0 {
            return segment.seq.since(self.rcv_nxt) <= window;
        }
        segment.seq.in_window(self.rcv_nxt, window) || (segment.seq + (len - 1)).in_window(self.rcv_nxt, window)
    }

    /// "If an incoming segment is not acceptable, an acknowledgment should be sent in reply (unless the RST bit is set)".
    fn refuse_number(
        &mut self,
        resources: &mut crate::resources::Resources<'_>,
        now: Instant,
        segment: &Segment<'_>,
        heard: &Heard,
    ) -> Result<(), Discard> {
        if segment.flags.contains(Flags::RST) {
            return Err(Discard::OutsideWindow);
        }
        self.hear(now);
        if segment.flags.contains(Flags::SYN) {
            self.challenge(resources, now);
            return Err(Discard::UnexpectedSyn);
        }
        if segment.len() > 0 {
            // The peer sends again what we have, or probes a closed window: it waits for just this.
            if segment.end().at_or_before(self.rcv_nxt) {
                self.note_twice(segment.seq, segment.seq + segment.payload.len() as u32);
            }
            self.acknowledge();
        } else if !self.challenge(resources, now) && segment.seq + 1 == self.rcv_nxt {
            // Limited, since two ends that disagree would answer each other for ever; but a keepalive probe is answered.
            self.acknowledge_soon(resources, now);
        }
        // What it acknowledges counts all the same, if it is only old: a peer that does not know whether we took the byte with
        // which it probed our window numbers its acknowledgements so, and two such ends would never agree.
        let old = segment.seq.since(self.rcv_nxt - MAX_AGE) < MAX_AGE;
        let news = segment.flags.contains(Flags::ACK) && segment.ack.after(self.una);
        if old && news && self.state.is_synchronized() {
            self.take_ack(resources, now, segment, heard)?;
        }
        Err(Discard::OutsideWindow)
    }

    /// A segment from long ago: the peer is told where we are, unless that was told too often.
    fn refuse_old(&mut self, resources: &mut crate::resources::Resources<'_>, now: Instant, segment: &Segment<'_>) {
        resources.stats.old_stamps += 1;
        // What never came is not told of: the peer would believe that it did.
        if segment.len() > 0 && segment.end().at_or_before(self.rcv_nxt) {
            self.note_twice(segment.seq, segment.seq + segment.payload.len() as u32);
        }
        self.challenge(resources, now);
    }

    /// Our SYN is acknowledged.
    pub(super) fn confirm_syn(&mut self, now: Instant, ack: SequenceNumber, min_rto: mirage_clock::Duration) {
        self.una = ack;
        self.nxt = ack;
        self.recovery.recover = ack;
        if self.syns <= 1 {
            let rtt = now.since(self.stuck_since);
            self.round_trip.sample_seldom(rtt, min_rto);
            if P::SELECTIVE {
                self.recovery.reordering.on_rtt(now, rtt);
            }
        } else {
            self.round_trip.restart_after_lost_syn();
        }
    }

    /// The application ended our direction before there was one.
    pub(super) fn end_writing_if_asked(&mut self) {
        if self.take(Facts::FIN_QUEUED) {
            self.end_writing();
        }
    }
}

/// How far before the window a segment may lie whose acknowledgement still counts: no more than one unscaled window.
const MAX_AGE: u32 = 0xffff;
