//! Lines about what the machine measures and counts.

use mirage_tcp::Profile;

use super::super::number::Span;
use super::Play;

impl<P: Profile> Play<P> {
    /// Demands that a figure of the connection, of the machine or of what it dropped (`drops.bad_ack`) lies in a span. Times
    /// are in milliseconds.
    pub(super) fn figure(&mut self, peer: &str, name: &str, expected: Span) -> Result<(), String> {
        let id = self.peer(peer).id;
        let now = self.host().now;
        let tcp = &self.host().tcp;
        let told = id.and_then(|id| of_marks(tcp.tcp_info(id, now)?, name));
        let found = match name.strip_prefix("drops.") {
            Some(reason) => {
                let mut found = None;
                tcp.discards().visit(|name, count| {
                    if name == reason {
                        found = Some(count);
                    }
                });
                found
            }
            None => id.and_then(|id| of_connection(tcp.info(id)?, name)).or(told).or(of_machine(tcp.stats(), name)),
        };
        let found = found.ok_or_else(|| format!("no figure `{name}`"))?;
        if expected.contains(found) { Ok(()) } else { Err(format!("{name} is {found}")) }
    }
}

fn of_connection(info: mirage_tcp::Info, name: &str) -> Option<u64> {
    Some(match name {
        "srtt" => info.srtt.as_millis(),
        "rttvar" => info.rttvar.as_millis(),
        "rto" => info.rto.as_millis(),
        "cwnd" => info.cwnd.into(),
        "ssthresh" => info.ssthresh.into(),
        "send_mss" => info.send_mss.into(),
        "in_flight" => info.in_flight.into(),
        "send_queued" => info.send_queued.into(),
        "send_window" => info.send_window.into(),
        "receive_queued" => info.receive_queued.into(),
        "receive_window" => info.receive_window.into(),
        "out_of_order" => info.out_of_order.into(),
        _ => return None,
    })
}

fn of_marks(info: mirage_tcp::TcpInfo, name: &str) -> Option<u64> {
    Some(match name {
        "delivered_ce_bytes" => info.delivered_ce_bytes.into(),
        "received_ce_bytes" => info.received_ce_bytes.into(),
        "syn_data" => info.syn_data.into(),
        _ => return None,
    })
}

fn of_machine(stats: mirage_tcp::Stats, name: &str) -> Option<u64> {
    Some(match name {
        "connections" => stats.connections.into(),
        "half_open" => stats.half_open.into(),
        "time_wait" => stats.time_wait.into(),
        "blocks_in_use" => stats.blocks_in_use.into(),
        "retransmits" => stats.retransmits,
        "timeouts" => stats.timeouts,
        "resets_in" => stats.resets_in,
        "resets_out" => stats.resets_out,
        "cookies_sent" => stats.cookies_sent,
        "cookies_accepted" => stats.cookies_accepted,
        "replies_dropped" => stats.replies_dropped,
        _ => return None,
    })
}
