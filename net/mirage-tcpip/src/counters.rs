//! What was received, sent and discarded, by name.

use mirage_net::Stats;
use mirage_protocols::{Counts, Reason};

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

impl Counters {
    pub(crate) fn new(machines: &Machines<'_>, device: Stats) -> Self {
        Self {
            device,
            tcp: machines.tcp.stats(),
            udp: machines.udp.stats(),
            icmp: machines.icmp.stats(),
            ipv4_blocks_in_use: machines.ipv4.blocks_in_use(),
            discards: Discards {
                stack: machines.discards.clone(),
                ethernet: machines.ethernet_discards.clone(),
                arp: machines.arp_discards.clone(),
                ipv4: machines.ipv4.discards().clone(),
                icmp: machines.icmp.discards().clone(),
                udp: machines.udp.discards().clone(),
                tcp: machines.tcp.discards().clone(),
            },
        }
    }

    /// Shows every counter that is not a discard as layer, name and value, then every reason for which something was
    /// discarded.
    pub fn visit(&self, mut show: impl FnMut(&'static str, &'static str, u64)) {
        let Self { device, tcp, udp, icmp, .. } = self;
        for (name, value) in [
            ("rx_frames", device.rx_frames),
            ("rx_bytes", device.rx_bytes),
            ("rx_dropped", device.rx_dropped),
            ("tx_frames", device.tx_frames),
            ("tx_bytes", device.tx_bytes),
            ("tx_dropped", device.tx_dropped),
        ] {
            show("device", name, value);
        }
        for (name, value) in [
            ("connections", u64::from(tcp.connections)),
            ("half_open", u64::from(tcp.half_open)),
            ("time_wait", u64::from(tcp.time_wait)),
            ("blocks_in_use", u64::from(tcp.blocks_in_use)),
            ("blocks_total", u64::from(tcp.blocks_total)),
            ("segments_in", tcp.segments_in),
            ("segments_out", tcp.segments_out),
            ("retransmits", tcp.retransmits),
            ("timeouts", tcp.timeouts),
            ("resets_in", tcp.resets_in),
            ("resets_out", tcp.resets_out),
            ("opened", tcp.opened),
            ("accepted", tcp.accepted),
            ("cookies_sent", tcp.cookies_sent),
            ("cookies_accepted", tcp.cookies_accepted),
            ("time_wait_evicted", tcp.time_wait_evicted),
            ("replies_dropped", tcp.replies_dropped),
        ] {
            show("tcp", name, value);
        }
        for (name, value) in [
            ("sockets", udp.sockets as u64),
            ("datagrams_queued", udp.datagrams as u64),
            ("blocks_in_use", udp.blocks as u64),
            ("received", udp.received),
            ("sent", udp.sent),
            ("unsent", udp.unsent),
        ] {
            show("udp", name, value);
        }
        for (name, value) in [
            ("echo_replies_sent", icmp.echo_replies_sent),
            ("errors_received", icmp.errors_received),
            ("errors_sent", icmp.errors_sent),
        ] {
            show("icmp", name, value);
        }
        show("ipv4", "blocks_in_use", self.ipv4_blocks_in_use as u64);
        self.visit_discards(show);
    }

    /// Shows every reason for which something was discarded as layer, name and count; those that never happened too.
    pub fn visit_discards(&self, mut show: impl FnMut(&'static str, &'static str, u64)) {
        let Discards { stack, ethernet, arp, ipv4, icmp, udp, tcp } = &self.discards;
        stack.iter().for_each(|(reason, count)| show("discard.stack", reason.name(), count));
        ethernet.iter().for_each(|(reason, count)| show("discard.ethernet", reason.name(), count));
        arp.iter().for_each(|(reason, count)| show("discard.arp", reason.name(), count));
        ipv4.iter().for_each(|(reason, count)| show("discard.ipv4", reason.name(), count));
        icmp.iter().for_each(|(reason, count)| show("discard.icmp", reason.name(), count));
        udp.iter().for_each(|(reason, count)| show("discard.udp", reason.name(), count));
        tcp.iter().for_each(|(reason, count)| show("discard.tcp", reason.name(), count));
    }
}
