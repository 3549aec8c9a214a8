//! Data in the SYN (TCP Fast Open, RFC 7413).
//!
//! A server gives each client address a cookie; a SYN that brings it back may bring data, which the application reads before the
//! handshake is complete. A client remembers the cookies of a few servers. Either is off unless [`Config`] turns it on.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use mirage_clock::{Duration, Instant};
use mirage_secret::Secret;

use crate::connection::Slot;
use crate::demux::Tuple;
use crate::half_open::HalfOpenSlot;
use crate::keyed;
use crate::options::{Options, SynOptions};
use crate::recovery::Rack;
use crate::replies::Reply;
use crate::resources::Resources;
use crate::rto::RoundTrip;
use crate::wire::{Flags, Segment};
use crate::{Config, Profile, Tcp};

/// Where a connection stands with data in its SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Early {
    /// Nowhere.
    No,
    /// We open it, and what is written before the SYN leaves may go with it.
    Open,
    /// The peer's data came with its SYN; the peer has yet to acknowledge ours.
    Waits,
    /// The same, and our SYN-ACK is to be sent again.
    Due,
}

/// How the option is spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// Kind 34.
    #[default]
    Standard,
    /// Kind 254 with the number 0xF989, as before there was a kind.
    Experimental,
}

/// The option in a SYN or SYN-ACK: a cookie, or none where one is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FastOpen {
    pub(crate) form: Form,
    pub(crate) cookie: Cookie,
}

/// Up to 16 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cookie {
    bytes: [u8; 16],
    len: u8,
}

impl Cookie {
    fn new(data: &[u8]) -> Option<Self> {
        let mut cookie = Self { bytes: [0; 16], len: data.len() as u8 };
        // RFC 7413 §4.1.1: 4 to 16 bytes, an even number; or none.
        let good = data.is_empty() || (data.len() >= 4 && data.len().is_multiple_of(2));
        cookie.bytes.get_mut(..data.len()).filter(|_| good)?.copy_from_slice(data);
        Some(cookie)
    }

    /// What a client at `remote` has to bring back.
    pub(crate) fn of(key: &Secret, tuple: &Tuple) -> Self {
        let end = |address| SocketAddr::new(address, 0);
        let hash = keyed::hash(key, end(tuple.local), end(tuple.remote), PURPOSE);
        let mut cookie = Self { bytes: [0; 16], len: 8 };
        cookie.bytes[..8].copy_from_slice(&hash.to_be_bytes());
        cookie
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl FastOpen {
    /// The option among those of a SYN, if it is there and makes sense.
    pub(crate) fn find(bytes: &[u8]) -> Option<Self> {
        Options::new(bytes).find_map(|(kind, data)| {
            let (form, data) = match (kind, data) {
                (KIND, data) => (Form::Standard, data),
                (EXPERIMENT, [MAGIC_HIGH, MAGIC_LOW, data @ ..]) => (Form::Experimental, data),
                _ => return None,
            };
            Some(Self { form, cookie: Cookie::new(data)? })
        })
    }

    /// The bytes of the option, padded to a multiple of four as Linux does.
    pub(crate) fn emit(&self) -> ([u8; 20], usize) {
        let cookie = self.cookie.as_slice();
        let mut bytes = [1; 20];
        let head: &[u8] = match self.form {
            Form::Standard => &[KIND, 2 + self.cookie.len],
            Form::Experimental => &[EXPERIMENT, 4 + self.cookie.len, MAGIC_HIGH, MAGIC_LOW],
        };
        bytes[..head.len()].copy_from_slice(head);
        bytes[head.len()..head.len() + cookie.len()].copy_from_slice(cookie);
        (bytes, (head.len() + cookie.len()).next_multiple_of(4))
    }
}

/// The cookies of servers: at most [`Servers::CAPACITY`], the one heard of longest ago gives way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Servers {
    known: [Server; Self::CAPACITY],
}

#[derive(Clone, Copy, Debug)]
struct Server {
    address: IpAddr,
    answer: FastOpen,
    /// The largest payload it takes.
    mss: u16,
    /// When it was last heard of.
    at: Instant,
    /// No data goes with a SYN before this: it was lost (RFC 7413 §4.1.3.1).
    not_before: Instant,
}

impl Servers {
    /// How many servers are remembered.
    pub(crate) const CAPACITY: usize = 8;

    pub(crate) const NONE: Self = Self {
        known: [Server {
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            answer: FastOpen { form: Form::Standard, cookie: Cookie { bytes: [0; 16], len: 0 } },
            mss: 0,
            at: Instant::ZERO,
            not_before: Instant::ZERO,
        }; Self::CAPACITY],
    };

    fn of(&self, address: IpAddr) -> Option<&Server> {
        self.known.iter().find(|server| server.address == address)
    }

    /// What a SYN to `address` says: the cookie of this server, or a question for one. Nothing while SYNs with data vanish.
    pub(crate) fn option(&self, now: Instant, address: IpAddr) -> Option<FastOpen> {
        match self.of(address) {
            Some(server) if now < server.not_before => None,
            Some(server) => Some(server.answer),
            None => Some(FastOpen { form: Form::Standard, cookie: Cookie::default() }),
        }
    }

    /// The largest payload that the server at `address` takes, if it is known.
    pub(crate) fn mss(&self, address: IpAddr) -> Option<u16> {
        self.of(address).filter(|server| !server.answer.cookie.is_empty()).map(|server| server.mss)
    }

    fn entry(&mut self, now: Instant, address: IpAddr) -> &mut Server {
        let old = self.known.iter().position(|server| server.address == address);
        let oldest = || (0..Self::CAPACITY).min_by_key(|place| self.known[*place].at).unwrap_or(0);
        let place = old.unwrap_or_else(oldest);
        let server = &mut self.known[place];
        if server.address != address {
            *server = Server { address, ..Self::NONE.known[0] };
        }
        server.at = now;
        server
    }

    /// The server at `address` gave us a cookie.
    pub(crate) fn remember(&mut self, now: Instant, address: IpAddr, answer: FastOpen, mss: u16) {
        let server = self.entry(now, address);
        (server.answer, server.mss) = (answer, mss);
    }

    /// A SYN with data to `address` was not answered: something on the way may not like it.
    pub(crate) fn suspect(&mut self, now: Instant, address: IpAddr) {
        self.entry(now, address).not_before = now + DISTRUST;
    }
}

impl<P: Profile> Tcp<'_, P> {
    /// A SYN that asks for a cookie or brings one: takes its data at once if all is well (`true`), or notes in `handshake` that
    /// our answer brings a cookie.
    pub(crate) fn open_early(&mut self, now: Instant, handshake: &mut HalfOpenSlot, segment: &Segment<'_>) -> bool {
        let Some(asked) = FastOpen::find(segment.options) else { return false };
        let expected = Cookie::of(&self.secrets.cookies, &handshake.tuple);
        // RFC 7413 §5.1: "the server MUST limit the number of pending TFO connection requests".
        let room = self.resources.waiting < self.resources.config.fast_open_pending;
        if asked.cookie != expected {
            handshake.offer = Some(asked.form);
            return false;
        }
        if !room {
            return false;
        }
        let Some(index) = self.admit(now, handshake, segment.seq + 1) else { return false };
        let Some(slot) = self.connections.get_mut(index as usize) else { return false };
        self.resources.waiting += 1;
        slot.early = Early::Waits;
        // Nothing was measured yet.
        slot.round_trip = RoundTrip::new(self.resources.config.initial_rto);
        slot.recovery.rack = Rack::NEW;
        slot.recovery.rack.begin(slot.una);
        slot.syns = 1;
        slot.sent_at = now;
        let full = segment.payload.len().min(0xffff) as u16;
        slot.change_window(&mut self.resources, now, segment.window.into());
        slot.window_seq = segment.seq;
        let _taken = slot.take_text(&mut self.resources, now, slot.rcv_nxt, segment.payload, false, full);
        // Our SYN-ACK acknowledges it.
        (slot.ack_now, slot.repeats, slot.ack_at) = (false, 0, Instant::MAX);
        slot.acked_to = slot.rcv_nxt;
        let timeout = slot.round_trip.rto(self.resources.config.max_rto);
        slot.watch_for(crate::retransmit::Watch::Resend, now + timeout);
        self.send_early_syn_ack(index);
        self.settle(index);
        true
    }

    /// Queues the SYN-ACK of a connection whose data came early.
    pub(crate) fn send_early_syn_ack(&mut self, index: u32) {
        let config = &self.resources.config;
        let Some(slot) = self.connections.get(index as usize) else { return };
        let mut flags = Flags::SYN | Flags::ACK;
        flags.set(Flags::ECE, slot.marks.is_on());
        let window = slot.receive_window().min(0xffff) as u16;
        let reply = Reply {
            flags,
            window_scale: slot.scaling.then(|| config.window_scale()),
            selective: slot.selective,
            ..Reply::ack(slot.tuple, slot.iss, slot.rcv_nxt, window)
        };
        self.replies.push(reply.stamped(&slot.stamps));
    }
}

impl<P: Profile> Slot<P> {
    /// The peer acknowledges our SYN at last.
    pub(crate) fn confirm_early(&mut self, now: Instant, resources: &mut Resources<'_>) {
        self.stop_waiting(resources);
        if self.syns == 1 {
            let rtt = now.since(self.heard_at);
            self.round_trip.sample(rtt, resources.config.min_rto);
            self.recovery.rack.on_rtt(now, rtt);
        }
        if self.nxt == self.una {
            self.resend_at = Instant::MAX;
        }
    }

    /// It no longer counts among those that wait for their peer.
    pub(crate) fn stop_waiting(&mut self, resources: &mut Resources<'_>) {
        if matches!(self.early, Early::Waits | Early::Due) {
            resources.waiting -= 1;
        }
        self.early = Early::No;
    }

    /// The timer of our SYN-ACK went off; `false` when the peer is given up.
    pub(crate) fn on_early_timer(&mut self, now: Instant, config: &Config) -> bool {
        if self.syns > config.syn_ack_retries {
            return false;
        }
        self.syns += 1;
        self.early = Early::Due;
        if self.nxt == self.una {
            self.round_trip.back_off();
            self.watch_for(crate::retransmit::Watch::Resend, now + self.round_trip.rto(config.max_rto));
        }
        true
    }

    /// How many bytes go with our SYN, and the option that goes with it.
    pub(crate) fn plan_early(&self, now: Instant, resources: &Resources<'_>) -> u32 {
        let option = resources.servers.option(now, self.tuple.remote);
        if self.syns > 0 || option.is_none_or(|option| option.cookie.is_empty()) {
            return 0;
        }
        self.send.len().min(u32::from(self.mss).saturating_sub(MOST_OPTIONS))
    }

    /// The answer to our SYN, which acknowledges `acked` bytes of those that went with it.
    pub(crate) fn learn_early(
        &mut self,
        now: Instant,
        resources: &mut Resources<'_>,
        segment: &Segment<'_>,
        peer: &SynOptions,
    ) {
        let remote = self.tuple.remote;
        if let Some(answer) = FastOpen::find(segment.options)
            && !answer.cookie.is_empty()
        {
            let mss = peer.mss.unwrap_or(resources.config.default_mss);
            resources.servers.remember(now, remote, answer, mss);
        }
        if self.syn_data > 0 && self.syns > 1 {
            resources.servers.suspect(now, remote);
        }
        self.early = Early::No;
    }
}

/// IANA.
const KIND: u8 = 34;
const EXPERIMENT: u8 = 254;
const MAGIC_HIGH: u8 = 0xf9;
const MAGIC_LOW: u8 = 0x89;
/// What else the key is for hashes something else.
const PURPOSE: u64 = 0x6661_7374;
/// What all options of a SYN take at most.
const MOST_OPTIONS: u32 = 40;
/// How long SYNs go without data after one was lost.
const DISTRUST: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_read_as_it_is_written() {
        for form in [Form::Standard, Form::Experimental] {
            for cookie in [&[][..], &[1, 2, 3, 4], &[7; 8], &[9; 16]] {
                let option = FastOpen { form, cookie: Cookie::new(cookie).unwrap() };
                let (bytes, len) = option.emit();
                assert_eq!(len % 4, 0);
                assert_eq!(FastOpen::find(&bytes[..len]), Some(option));
            }
        }
    }

    #[test]
    fn cookies_of_odd_sizes_are_none() {
        for len in [1, 2, 3, 5, 17, 18] {
            assert_eq!(Cookie::new(&[0; 18][..len]), None, "{len}");
        }
    }

    #[test]
    fn few_servers_are_remembered_and_the_oldest_gives_way() {
        let mut servers = Servers::NONE;
        let cookie = FastOpen { form: Form::Standard, cookie: Cookie::new(&[7; 8]).unwrap() };
        let address = |host| IpAddr::V4(Ipv4Addr::new(10, 0, 0, host));
        for host in 1..=9 {
            servers.remember(Instant::from_secs(host.into()), address(host), cookie, 1460);
        }
        assert_eq!(servers.mss(address(1)), None);
        assert!((2..=9).all(|host| servers.mss(address(host)) == Some(1460)));
        servers.suspect(Instant::from_secs(20), address(9));
        assert_eq!(servers.option(Instant::from_secs(21), address(9)), None);
        assert_eq!(servers.option(Instant::from_secs(4000), address(9)), Some(cookie));
    }
}
