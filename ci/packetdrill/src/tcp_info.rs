//! Linux's `struct tcp_info`.

use mirage_clock::{Duration, Instant};
use mirage_tcp::{Info, State};

/// The structure's bytes.
pub(crate) fn bytes(state: State, listens: bool, info: &Info, now: Instant) -> Vec<u8> {
    let micros = |span: Duration| span.as_micros().min(u32::MAX.into()) as u32;
    let since = |at: Instant| now.since(at).as_millis().min(u32::MAX.into()) as u32;
    let mut fields = Fields(Vec::with_capacity(240));
    fields.byte(if listens { 10 } else { number(state) });
    fields.byte(info.ca_state as u8);
    fields.byte(info.retransmits);
    fields.byte(info.probes);
    fields.byte(info.backoff);
    fields.byte(info.options.bits());
    fields.byte(info.snd_wscale | info.rcv_wscale << 4);
    fields.byte(info.delivery_rate_app_limited.into());
    // rto, ato, snd_mss, rcv_mss
    fields.word(micros(info.rto));
    fields.word(40_000);
    fields.word(info.snd_mss.into());
    fields.word(info.rcv_mss.into());
    fields.word(info.unacked);
    fields.word(info.sacked);
    fields.word(info.lost);
    fields.word(info.retrans);
    // fackets
    fields.word(0);
    // last data sent, ack sent, data received, ack received
    fields.word(since(info.last_data_sent));
    (0..2).for_each(|_| fields.word(0));
    fields.word(since(info.last_ack_recv));
    // pmtu, rcv_ssthresh
    fields.word(info.pmtu);
    fields.word(0);
    fields.word(micros(info.rtt));
    fields.word(micros(info.rttvar));
    fields.word(info.snd_ssthresh.min(i32::MAX as u32));
    fields.word(info.snd_cwnd);
    fields.word(info.advmss.into());
    fields.word(info.reordering);
    // rcv_rtt, rcv_space, total_retrans
    fields.word(0);
    fields.word(info.rcv_space);
    fields.word(info.total_retrans);
    // pacing rate, its maximum, bytes acknowledged, received
    fields.long(info.pacing_rate.unwrap_or(u64::MAX));
    fields.long(u64::MAX);
    fields.long(info.bytes_acked.into());
    fields.long(info.bytes_received.into());
    // segments out, in
    (0..2).for_each(|_| fields.word(0));
    fields.word(info.notsent_bytes);
    fields.word(micros(info.min_rtt));
    // data segments in, out
    (0..2).for_each(|_| fields.word(0));
    fields.long(info.delivery_rate);
    // busy, window limited, buffer limited
    (0..3).for_each(|_| fields.long(0));
    // delivered, delivered with congestion experienced
    fields.word(info.delivered);
    fields.word(0);
    // bytes sent, sent again
    (0..2).for_each(|_| fields.long(0));
    // dsack_dups, reord_seen, rcv_ooopack
    fields.word(0);
    fields.word(info.reord_seen.into());
    fields.word(0);
    fields.word(info.snd_wnd);
    fields.word(info.rcv_wnd);
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
