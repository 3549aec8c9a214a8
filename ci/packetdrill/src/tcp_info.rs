//! Linux's `struct tcp_info`.

use mirage_clock::Duration;
use mirage_tcp::{Recovering, State, TcpInfo};

/// The structure's bytes. Linux counts segments: `info` counts bytes, `advmss` is the largest payload that we take.
pub(crate) fn bytes(info: &TcpInfo, listens: bool, advmss: u32) -> Vec<u8> {
    let mss = u32::from(info.snd_mss).max(1);
    let segments = |bytes: u32| bytes.div_ceil(mss);
    let micros = |span: Duration| span.as_micros().min(u32::MAX.into()) as u32;
    let millis = |span: Duration| span.as_millis().min(u32::MAX.into()) as u32;
    let mut fields = Fields(Vec::with_capacity(280));
    fields.byte(if listens { 10 } else { number(info.state) });
    fields.byte(match info.ca_state {
        Recovering::Open => 0,
        Recovering::Disorder => 1,
        Recovering::Reduced => 2,
        Recovering::Recovery => 3,
        Recovering::Loss => 4,
    });
    fields.byte(info.retransmits);
    fields.byte(info.probes);
    fields.byte(info.backoff);
    let options = [info.timestamps, info.sack, info.snd_wscale.is_some(), info.ecn, info.ecn_seen, info.syn_data];
    fields.byte(options.iter().rev().fold(0, |bits, set| bits << 1 | u8::from(*set)));
    fields.byte(info.snd_wscale.unwrap_or(0) | info.rcv_wscale.unwrap_or(0) << 4);
    fields.byte(info.delivery_rate_app_limited.into());
    fields.word(micros(info.rto));
    // ato
    fields.word(40_000);
    fields.word(info.snd_mss.into());
    fields.word(info.rcv_mss.into());
    fields.word(segments(info.unacked));
    fields.word(segments(info.sacked));
    fields.word(segments(info.lost));
    fields.word(segments(info.retrans));
    // fackets
    fields.word(0);
    fields.word(millis(info.last_data_sent));
    // last_ack_sent
    fields.word(0);
    fields.word(millis(info.last_data_recv));
    fields.word(millis(info.last_ack_recv));
    // pmtu, rcv_ssthresh
    fields.word(advmss + 40);
    fields.word(0);
    fields.word(micros(info.rtt));
    fields.word(micros(info.rttvar));
    fields.word(if info.snd_ssthresh >= 1 << 30 { i32::MAX as u32 } else { info.snd_ssthresh / mss });
    fields.word(info.snd_cwnd / mss);
    fields.word(advmss);
    fields.word(segments(info.reordering).max(3));
    // rcv_rtt
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
    // Linux counts the SYN.
    let handshake = !matches!(info.state, State::SynSent | State::SynReceived);
    fields.word(segments(info.delivered) + u32::from(handshake));
    // delivered with congestion experienced
    fields.word(0);
    // bytes sent, sent again
    (0..2).for_each(|_| fields.long(0));
    // dsack_dups
    fields.word(0);
    // reord_seen
    fields.word((info.reordering > 0).into());
    fields.word(segments(info.rcv_ooopack));
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
