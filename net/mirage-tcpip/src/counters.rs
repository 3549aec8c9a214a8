//! What was received, sent and discarded, by name.

use core::net::Ipv4Addr;

use mirage_net::Stats;
use mirage_protocols::{Counts, Reason as _, show_counts};
use mirage_tcp::Profile;

use crate::machines::Machines;

/// What was received, sent and discarded so far, and what is held now.
#[derive(Clone, Debug)]
pub struct Counters {
    /// What went through the device.
    pub device: Stats,
    /// What TCP did and holds.
    pub tcp: mirage_tcp::Stats,
    /// What UDP did and holds.
    pub udp: mirage_udp::Stats,
    /// What ICMP did.
    pub icmp: mirage_icmp::Stats,
    /// Blocks of the reassembly arena in use.
    pub ipv4_blocks_in_use: usize,
    discards: Discards,
}

#[derive(Clone, Debug)]
struct Discards {
    stack: Counts<crate::machines::Discard, { crate::machines::Discard::ALL.len() }>,
    ethernet: Counts<mirage_ethernet::Discard, { mirage_ethernet::Discard::ALL.len() }>,
    arp: Counts<mirage_arp::Discard, { mirage_arp::Discard::ALL.len() }>,
    ipv4: Counts<mirage_ipv4::Discard, { mirage_ipv4::Discard::ALL.len() }>,
    icmp: Counts<mirage_icmp::Discard, { mirage_icmp::Discard::ALL.len() }>,
    udp: Counts<mirage_udp::Discard, { mirage_udp::Discard::ALL.len() }>,
    tcp: Counts<mirage_tcp::Discard, { mirage_tcp::Discard::ALL.len() }>,
}

/// Where the counters of a stack are.
pub(crate) struct Counted<'c> {
    device: Stats,
    tcp: mirage_tcp::Stats,
    tcp_discards: &'c mirage_tcp::Discards,
    udp: &'c mirage_udp::Udp<'c, Ipv4Addr>,
    icmp: &'c mirage_icmp::Icmp,
    ipv4: &'c mirage_ipv4::Ipv4<'c>,
    stack: &'c Counts<crate::machines::Discard, { crate::machines::Discard::ALL.len() }>,
    ethernet: &'c Counts<mirage_ethernet::Discard, { mirage_ethernet::Discard::ALL.len() }>,
    arp: &'c Counts<mirage_arp::Discard, { mirage_arp::Discard::ALL.len() }>,
}

impl<'c> Counted<'c> {
    pub(crate) fn new(machines: &'c Machines<'c, impl Profile>, device: Stats) -> Self {
        Self {
            device,
            tcp: machines.tcp.stats(),
            tcp_discards: machines.tcp.discards(),
            udp: &machines.udp,
            icmp: &machines.icmp,
            ipv4: &machines.ipv4,
            stack: &machines.discards,
            ethernet: &machines.ethernet_discards,
            arp: &machines.arp_discards,
        }
    }

    /// What they say now.
    pub(crate) fn counters(&self) -> Counters {
        Counters {
            device: self.device,
            tcp: self.tcp,
            udp: self.udp.stats(),
            icmp: self.icmp.stats(),
            ipv4_blocks_in_use: self.ipv4.blocks_in_use(),
            discards: Discards {
                stack: self.stack.clone(),
                ethernet: self.ethernet.clone(),
                arp: self.arp.clone(),
                ipv4: self.ipv4.discards().clone(),
                icmp: self.icmp.discards().clone(),
                udp: self.udp.discards().clone(),
                tcp: self.tcp_discards.clone(),
            },
        }
    }
}

impl Counters {
    /// Shows every counter that is not a discard as layer, name and value, then every reason for which something was
    /// discarded.
    pub fn visit(&self, mut show: impl FnMut(&'static str, &'static str, u64)) {
        self.show(&mut show);
        self.discards.show(&mut show);
    }

    /// Shows every reason for which something was discarded as layer, name and count; those that never happened too.
    pub fn visit_discards(&self, mut show: impl FnMut(&'static str, &'static str, u64)) {
        self.discards.show(&mut show);
    }

    fn show(&self, show: Show<'_>) {
        let Self { device, tcp, udp, icmp, .. } = self;
        let mut layer = |layer, names: &'static str, values: &[u64]| {
            show_counts(names, values, &mut |name, value| show(layer, name, value));
        };
        layer(
            "device",
            "rx_frames rx_bytes rx_dropped tx_frames tx_bytes tx_dropped",
            &[
                device.rx_frames,
                device.rx_bytes,
                device.rx_dropped,
                device.tx_frames,
                device.tx_bytes,
                device.tx_dropped,
            ],
        );
        layer(
            "tcp",
            "connections half_open time_wait blocks_in_use blocks_total segments_in segments_out retransmits timeouts \
             resets_in resets_out opened accepted cookies_sent cookies_accepted time_wait_evicted replies_dropped",
            &[
                tcp.connections.into(),
                tcp.half_open.into(),
                tcp.time_wait.into(),
                tcp.blocks_in_use.into(),
                tcp.blocks_total.into(),
                tcp.segments_in,
                tcp.segments_out,
                tcp.retransmits,
                tcp.timeouts,
                tcp.resets_in,
                tcp.resets_out,
                tcp.opened,
                tcp.accepted,
                tcp.cookies_sent,
                tcp.cookies_accepted,
                tcp.time_wait_evicted,
                tcp.replies_dropped,
            ],
        );
        layer(
            "udp",
            "sockets datagrams_queued blocks_in_use received sent unsent",
            &[udp.sockets as u64, udp.datagrams as u64, udp.blocks as u64, udp.received, udp.sent, udp.unsent],
        );
        layer(
            "icmp",
            "echo_replies_sent errors_received errors_sent",
            &[icmp.echo_replies_sent, icmp.errors_received, icmp.errors_sent],
        );
        layer("ipv4", "blocks_in_use", &[self.ipv4_blocks_in_use as u64]);
    }
}

impl Discards {
    fn show(&self, show: Show<'_>) {
        let Self { stack, ethernet, arp, ipv4, icmp, udp, tcp } = self;
        stack.visit(|reason, count| show("discard.stack", reason, count));
        ethernet.visit(|reason, count| show("discard.ethernet", reason, count));
        arp.visit(|reason, count| show("discard.arp", reason, count));
        ipv4.visit(|reason, count| show("discard.ipv4", reason, count));
        icmp.visit(|reason, count| show("discard.icmp", reason, count));
        udp.visit(|reason, count| show("discard.udp", reason, count));
        tcp.visit(|reason, count| show("discard.tcp", reason, count));
    }
}

/// Takes a layer, a name and a value.
type Show<'a> = &'a mut dyn FnMut(&'static str, &'static str, u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_has_a_name() {
        let discards = Discards {
            stack: Counts::default(),
            ethernet: Counts::default(),
            arp: Counts::default(),
            ipv4: Counts::default(),
            icmp: Counts::default(),
            udp: Counts::default(),
            tcp: Counts::default(),
        };
        let (device, tcp) = (Stats { tx_dropped: 1, ..Stats::default() }, mirage_tcp::Stats::default());
        let tcp = mirage_tcp::Stats { replies_dropped: 2, ..tcp };
        let udp = mirage_udp::Stats { unsent: 3, ..mirage_udp::Stats::default() };
        let icmp = mirage_icmp::Stats { errors_sent: 4, ..mirage_icmp::Stats::default() };
        let counters = Counters { device, tcp, udp, icmp, ipv4_blocks_in_use: 5, discards };
        let (mut shown, mut last) = (0, [0; 5]);
        counters.show(&mut |layer, name, value| {
            shown += 1;
            match (layer, name) {
                ("device", "tx_dropped") => last[0] = value,
                ("tcp", "replies_dropped") => last[1] = value,
                ("udp", "unsent") => last[2] = value,
                ("icmp", "errors_sent") => last[3] = value,
                ("ipv4", "blocks_in_use") => last[4] = value,
                _ => assert_eq!(value, 0, "{layer}.{name}"),
            }
        });
        assert_eq!((shown, last), (6 + 17 + 6 + 3 + 1, [1, 2, 3, 4, 5]));
    }
}
