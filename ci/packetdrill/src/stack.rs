//! The machines between the socket calls and the wire.

use mirage_clock::Instant;
use mirage_cubic::Cubic;
use mirage_icmp::{Icmp, Incoming};
use mirage_ipv4::wire::parse;
use mirage_protocols::{Cast, Ecn, Protocol, Received};
use mirage_stack::IpAddr;
use mirage_tcp::{ManagedSlice, Secrets, Storage, Tcp};
use mirage_waker::WakerPool;

use crate::profile::Profile;
use crate::wire::Wire;

/// All that the machine can do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Everything {}

impl mirage_tcp::Profile for Everything {
    type Congestion = Cubic;
}

/// TCP and ICMP over a wire.
pub(crate) struct Stack {
    pub(crate) tcp: Tcp<'static, Everything>,
    icmp: Icmp,
    pub(crate) wire: Wire,
}

impl Stack {
    pub(crate) fn new(profile: &Profile) -> Self {
        let storage = Storage {
            connections: lend(CONNECTIONS),
            buckets: lend(Storage::buckets_for(CONNECTIONS, HALF_OPEN, TIME_WAIT, LISTENERS)),
            listeners: lend(LISTENERS),
            time_wait: lend(TIME_WAIT),
            half_open: lend(HALF_OPEN),
            timers: lend(Storage::timers_for(CONNECTIONS, HALF_OPEN)),
            blocks: lend(BLOCKS),
            runs: lend(Storage::runs_for(BLOCKS)),
            wakers: WakerPool::new(lend(4 * CONNECTIONS)),
        };
        // The same at every run: a script's verdict must not depend on luck.
        let mut tcp = Tcp::new(profile.config(), storage, Secrets::new([7; 64]));
        tcp.remember_servers(lend(SERVERS));
        Self {
            tcp,
            icmp: Icmp::new(mirage_icmp::Config::default(), [7; 16]),
            wire: Wire::new(profile.local, profile.mtu, profile.cuts()),
        }
    }

    /// Takes in a packet with its IP header.
    pub(crate) fn input(&mut self, now: Instant, packet: &[u8]) {
        let Ok(parsed) = parse(packet) else { return };
        if parsed.header.is_fragment() {
            return;
        }
        let received = Received {
            source: IpAddr::V4(parsed.source()),
            destination: IpAddr::V4(parsed.destination()),
            cast: Cast::Unicast,
            ttl: parsed.header.ttl,
            ecn: Ecn::of(parsed.header.traffic_class),
            ..Received::new(IpAddr::V4(parsed.source()), IpAddr::V4(parsed.destination()), parsed.payload)
        };
        self.wire.now = now;
        // What was dropped is counted in the machine; a script only sees what leaves.
        match parsed.protocol() {
            Protocol::TCP => {
                let _ = self.tcp.input(now, &received);
            }
            Protocol::ICMP => {
                if let Ok(Some(Incoming::Error(error))) = self.icmp.input(now, &received, &mut self.wire) {
                    let _ = self.tcp.on_icmp_error(now, &error);
                }
            }
            _ => {}
        }
    }

    /// Sends everything that may be sent now.
    pub(crate) fn transmit(&mut self, now: Instant) {
        self.wire.now = now;
        while self.tcp.wants_transmit() {
            // The wire is never full, and other errors count as loss.
            let _ = self.tcp.poll_transmit(now, &mut self.wire, 64);
        }
    }
}

/// Storage for the life of the process, which runs a single script.
fn lend<T: Default>(len: usize) -> ManagedSlice<'static, T> {
    ManagedSlice::Borrowed((0..len).map(|_| T::default()).collect::<Vec<_>>().leak())
}

const CONNECTIONS: usize = 32;
const LISTENERS: usize = 8;
const SERVERS: usize = 8;
const TIME_WAIT: usize = 32;
const HALF_OPEN: usize = 32;
/// 16 MiB of buffers.
const BLOCKS: usize = 8192;
