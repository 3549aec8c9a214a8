//! Linux's `struct tcp_info`.

use mirage_clock::{Duration, Instant};
use mirage_tcp::{Info, State};

/// The structure's bytes.
pub(crate) fn bytes(state: State, listens: bool, info: &Info, _now: Instant) -> Vec<u8> {
    let mss = u32::from(info.send_mss).max(1);
    let micros = |span: Duration| span.as_micros().min(u32::MAX.into()) as u32;
    let mut fields = Fields(Vec::with_capacity(240));
    fields.byte(if listens { 10 } else { number(state) });
    // ca_state, retransmits, probes, backoff, options, scales, application limited
    (0..7).for_each(|_| fields.byte(0));
    // rto, ato, snd_mss, rcv_mss
    fields.word(micros(info.rto));
    fields.word(40_000);
    fields.word(info.send_mss.into());
    fields.word(info.send_mss.into());
    // unacked, sacked, lost, retrans, fackets
    fields.word(info.in_flight.div_ceil(mss));
    (0..4).for_each(|_| fields.word(0));
    // last data sent, ack sent, data received, ack received
    (0..4).for_each(|_| fields.word(0));
    // pmtu, rcv_ssthresh
    fields.word(u32::from(info.send_mss) + 40);
    fields.word(0);
    fields.word(micros(info.srtt));
    fields.word(micros(info.rttvar));
    fields.word(if info.ssthresh >= 1 << 30 { i32::MAX as u32 } else { info.ssthresh / mss });
    fields.word(info.cwnd / mss);
    // advmss, reordering, rcv_rtt, rcv_space, total_retrans
    fields.word(1460);
    fields.word(3);
    (0..3).for_each(|_| fields.word(0));
    // pacing rate, its maximum, bytes acknowledged, received
    (0..4).for_each(|_| fields.long(0));
    // segments out, in
    (0..2).for_each(|_| fields.word(0));
    // not sent, min_rtt, data segments in, out
    fields.word(info.send_queued.saturating_sub(info.in_flight));
    (0..3).for_each(|_| fields.word(0));
    // delivery rate, busy, window limited, buffer limited
    (0..4).for_each(|_| fields.long(0));
    // delivered, delivered with congestion experienced
    (0..2).for_each(|_| fields.word(0));
    // bytes sent, sent again
    (0..2).for_each(|_| fields.long(0));
    // dsack_dups, reord_seen, rcv_ooopack
    (0..3).for_each(|_| fields.word(0));
    fields.word(info.send_window);
    fields.word(info.receive_window);
    // What came later: rehash, total_rto and its recoveries and time, and six counters of accurate ECN
    (0..10).for_each(|_| fields.word(0));
    fields.align(8);
    fields.0
}

/// Bytes of a structure, field by field, each where the C compiler puts it.
struct Fields(Vec<u8>);

impl Fields {
    fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    fn word(&mut self, value: u32) {
        self.align(4);
        self.0.extend_from_slice(&value.to_ne_bytes());
    }

    fn long(&mut self, value: u64) {
        self.align(8);
        self.0.extend_from_slice(&value.to_ne_bytes());
    }

    fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }
}

/// The number of a state in Linux.
fn number(state: State) -> u8 {
    match state {
        State::Established => 1,
        State::SynSent => 2,
        State::SynReceived => 3,
        State::FinWait1 => 4,
        State::FinWait2 => 5,
        State::TimeWait => 6,
        State::Closed => 7,
        State::CloseWait => 8,
        State::LastAck => 9,
        State::Closing => 11,
    }
}
