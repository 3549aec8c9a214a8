//! The answer to our SYN (RFC 9293 §3.10.7.3).

use mirage_clock::Instant;

use crate::connection::Slot;
use crate::options::SynOptions;
use crate::tuning::Tuning;
use crate::wire::{Flags, Segment};
use crate::{Discard, Error, Profile, State, Tcp};

impl<P: Profile> Tcp<'_, P> {
    #[inline(never)]
    pub(super) fn input_syn_sent(&mut self, now: Instant, index: u32, segment: &Segment<'_>) -> Result<(), Discard> {
        let Tcp { connections, resources, .. } = self;
        let Some(slot) = connections.get_mut(index as usize) else { return Ok(()) };
        let flags = segment.flags;
        let acknowledges = flags.contains(Flags::ACK);
        // "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset (unless the RST bit is set …)"
        // What went with our SYN may be acknowledged with it (RFC 7413 §4.2.1).
        let with_data = segment.ack.since(slot.una + 1);
        if acknowledges && (with_data > slot.syn_len.into() || slot.syns == 0) {
            let tuple = slot.tuple;
            self.refuse(now, tuple, segment);
            return Err(Discard::BadAck);
        }
        if flags.contains(Flags::RST) {
            // A reset that does not acknowledge our SYN is a blind guess (RFC 5961 §3.2).
            if !acknowledges {
                return Err(Discard::BadReset);
            }
            resources.stats.resets_in += 1;
            slot.end(resources, Some(Error::ConnectionRefused));
            return Ok(());
        }
        if !flags.contains(Flags::SYN) {
            return Err(Discard::NoAck);
        }
        // The answer may end the peer's direction at once ("If there are other controls or text in the segment, then continue
        // processing at the sixth step"); who has not heard us has nothing to end.
        let fin = flags.contains(Flags::FIN);
        if fin && !acknowledges {
            return Err(Discard::BadFlags);
        }
        let peer = SynOptions::parse(segment.options);
        if P::TIMESTAMPS
            && acknowledges
            && resources.config.timestamps
            && peer.timestamps.is_some_and(|(_, echo)| slot.is_echo_invented(now, echo))
        {
            let tuple = slot.tuple;
            self.refuse(now, tuple, segment);
            return Err(Discard::OldTimestamp);
        }
        slot.hear(now);
        let offered = slot.receive_window().min(0xffff);
        slot.irs = segment.seq;
        slot.rcv_nxt = segment.seq + 1;
        slot.acked_to = slot.rcv_nxt;
        slot.tuning = Tuning::begin::<P>(now, slot.rcv_nxt, &resources.config);
        slot.rcv_end = slot.rcv_nxt + offered;
        slot.learn_peer(&peer, &resources.config);
        slot.stamps = resources.config.begin_stamps::<P>(now, slot.stamps.offset, &peer);
        // A SYN that was sent again did not ask; nor does one that crosses the peer's answer to nothing.
        if P::MARKS && acknowledges {
            let asked = resources.config.asks_for_marks::<P>() && slot.syns <= 1;
            slot.learn_marks(&resources.config, segment, asked);
        }
        slot.window_seq = segment.seq;
        // The window in a SYN is never scaled (RFC 7323 §2.2).
        slot.change_window(resources, now, segment.window.into());
        match slot.device_cuts() {
            // What the device takes at once is asked for again.
            true => slot.mss = 0,
            false if slot.mss > 0 => slot.begin_path(now, slot.path.advmss, resources),
            false => {}
        }
        if !acknowledges {
            // Both opened at the same time: our SYN goes out again, as an answer.
            slot.state = State::SynReceived;
            slot.nxt = slot.una;
            slot.todo |= crate::connection::todo::OUTPUT;
            return Ok(());
        }
        slot.confirm_syn(now, segment.ack, resources.config.min_rto);
        if P::FAST_OPEN {
            if with_data > 0 {
                slot.send.acked(&mut resources.pool, with_data);
            }
            slot.set_syn_data(with_data > 0 && with_data == slot.syn_len.into());
            slot.learn_server(now, resources, segment.options, with_data);
        }
        slot.establish(resources, now);
        slot.end_writing_if_asked();
        match slot.is_about_to_write() {
            true => slot.acknowledge_soon(resources, now),
            false => slot.acknowledge(),
        }
        resources.stats.opened += 1;
        if segment.payload.is_empty() && !fin {
            return Ok(());
        }
        // What came with it is taken like any other text.
        slot.take_text(resources, now, slot.rcv_nxt, segment.payload, fin, segment.payload.len().min(0xffff) as u16)
    }
}

impl<P: Profile> Slot<P> {
    /// Whether the answer echoes a timestamp that none of our SYNs carried: it answers one of an earlier connection. An
    /// echo of zero is that of a peer that did not care.
    #[inline]
    pub(super) fn is_echo_invented(&self, now: Instant, echo: u32) -> bool {
        let first = self.stamps.value(self.stuck_since);
        echo != 0 && echo.wrapping_sub(first) > self.stamps.value(now).wrapping_sub(first)
    }
}
