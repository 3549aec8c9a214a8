//! A segment for a listener (RFC 9293 §3.10.7.2): a SYN, or the acknowledgement of a cookie.

use mirage_clock::{Duration, Instant};

use super::fast_open::Verdict;
use super::has_bad_flags;
use crate::beginning::Beginning;
use crate::connection::{Slot, todo};
use crate::cookies::Told;
use crate::demux::{Found, Tuple};
use crate::half_open::HalfOpenSlot;
use crate::identifier::NONE;
use crate::marks::Marks;
use crate::options::{Heard, SynOptions};
use crate::replies::Reply;
use crate::resources::Resources;
use crate::wire::{Flags, Segment};
use mirage_congestion::Congestion as _;
use mirage_stack::TcpOptions;

use crate::{Config, Discard, Profile, Tcp, cookies};

impl<P: Profile> Tcp<'_, P> {
    #[inline(never)]
    pub(super) fn input_listener(
        &mut self,
        now: Instant,
        listener: u32,
        tuple: &Tuple,
        segment: &Segment<'_>,
    ) -> Result<Option<u32>, Discard> {
        let flags = segment.flags;
        if flags.contains(Flags::RST) {
            return Err(Discard::NoListener);
        }
        if has_bad_flags(flags) {
            return Err(Discard::BadFlags);
        }
        if flags.contains(Flags::ACK) {
            if !flags.contains(Flags::SYN)
                && let Some(handshake) = self.redeem_cookie(now, listener, tuple, segment)
            {
                return match self.may_accept(listener) && self.may_hold_more(tuple) {
                    true => {
                        self.resources.stats.cookies_accepted += 1;
                        Ok(self.admit(now, &handshake, segment.seq, None))
                    }
                    false => Err(Discard::AcceptQueueFull),
                };
            }
            if self.are_cookies_out(now) {
                // It may be a later segment of a peer with a cookie, whose first is missing or found no room. A reset would
                // end what is to be completed.
                return Err(Discard::BadAck);
            }
            self.refuse(now, *tuple, segment);
            return Err(Discard::NoListener);
        }
        if !flags.contains(Flags::SYN) {
            return Err(Discard::NoAck);
        }
        self.input_syn(now, listener, tuple, segment, None).map(|()| None)
    }

    /// A SYN that may open a connection. Its payload, if any, comes again.
    pub(super) fn input_syn(
        &mut self,
        now: Instant,
        listener: u32,
        tuple: &Tuple,
        segment: &Segment<'_>,
        after: Option<mirage_checksum::SequenceNumber>,
    ) -> Result<(), Discard> {
        if !self.may_accept(listener) || !self.may_hold_more(tuple) {
            // As Linux: no promise that cannot be kept. The peer tries again.
            return Err(Discard::Overloaded);
        }
        let peer = SynOptions::of(segment);
        let first = self.first(now);
        let mut iss = first.number;
        if let Some(after) = after.filter(|after| !iss.after(*after)) {
            // RFC 9293 §3.10.7.4: larger than what the old connection used.
            iss = after + 0x1_0000;
        }
        let mut handshake = HalfOpenSlot {
            tuple: *tuple,
            listener: self.listener_id(listener),
            iss,
            irs: segment.seq,
            peer,
            stamp_offset: first.stamp_offset,
            window: self.resources.first_window(),
            since: now,
            next: NONE,
            granted: None,
            resent: 0,
        };
        if P::FAST_OPEN && self.takes_data(listener) {
            match self.judge_syn(listener, &handshake, segment) {
                Verdict::Ordinary => {}
                Verdict::Grant(cookie) => handshake.granted = Some(cookie.experimental),
                Verdict::Open => return self.open_at_once(now, &handshake, segment),
            }
        }
        match self.begin_handshake(now, &handshake) {
            true => Ok(()),
            false => self.answer_with_cookie(now, &handshake),
        }
    }

    /// There is no room for a handshake: all that must be known of it goes with our answer.
    #[inline(never)]
    fn answer_with_cookie(&mut self, now: Instant, handshake: &HalfOpenSlot) -> Result<(), Discard> {
        if !P::COOKIES {
            return Err(Discard::Overloaded);
        }
        self.half_open.overflowed_at = Some(now);
        let HalfOpenSlot { tuple, peer, irs, .. } = *handshake;
        let mss = peer.mss.unwrap_or(self.resources.config.default_mss);
        let cookie = cookies::encode(&self.secrets.cookies, now, tuple.local(), tuple.remote(), irs, mss);
        // Without timestamps of the peer nothing but its segment size comes back, so nothing else is agreed on.
        let config = &self.resources.config;
        let stamps = handshake.stamps::<P>(config);
        let marks = stamps.is_on() && peer.marks && config.accepts_marks::<P>();
        let mut flags = Flags::SYN | Flags::ACK;
        flags.set(Flags::ECE, marks);
        let reply = Reply {
            flags,
            window_scale: peer.window_scale.filter(|_| stamps.is_on()).map(|_| config.window_scale()),
            selective: stamps.is_on() && P::SELECTIVE && config.selective && peer.sack_permitted,
            told: Some(Told::new(&SynOptions { marks, ..peer })),
            ..Reply::stamped::<P>(tuple, cookie, irs + 1, self.resources.first_window(), &stamps)
        };
        self.replies.push(reply);
        self.resources.stats.cookies_sent += 1;
        Ok(())
    }

    /// The handshake whose cookie a segment gives back. Cookies are believed only while they may have been sent.
    pub(super) fn redeem_cookie(
        &self,
        now: Instant,
        listener: u32,
        tuple: &Tuple,
        segment: &Segment<'_>,
    ) -> Option<HalfOpenSlot> {
        if !P::COOKIES || !self.are_cookies_out(now) {
            return None;
        }
        let (irs, iss) = (segment.seq - 1, segment.ack - 1);
        let mss = cookies::decode(&self.secrets.cookies, now, tuple.local(), tuple.remote(), irs, iss)?;
        let stamps = match segment.options {
            [] => None,
            options => Heard::parse(options, P::TIMESTAMPS && self.resources.config.timestamps, false).stamps,
        };
        let peer = stamps.map_or(SynOptions::default(), |(_, echo)| Told::read(echo));
        Some(HalfOpenSlot {
            tuple: *tuple,
            listener: self.listener_id(listener),
            iss,
            irs,
            peer: SynOptions { mss: Some(mss), timestamps: stamps, ..peer },
            stamp_offset: self.first(now).stamp_offset,
            window: self.resources.first_window(),
            // There is no measurement.
            resent: 1,
            since: now,
            ..HalfOpenSlot::default()
        })
    }

    /// Whether peers may have cookies that are still good.
    pub(super) fn are_cookies_out(&self, now: Instant) -> bool {
        self.half_open.overflowed_at.is_some_and(|at| now.since(at) <= COOKIE_LIFETIME)
    }

    /// Whether the peer holds fewer connections than it may.
    fn may_hold_more(&self, tuple: &Tuple) -> bool {
        let most = self.resources.config.per_peer;
        !P::PEERS || most == 0 || self.peers.of(tuple.remote) < most
    }

    /// Whether there are a slot and a place in the accept queue for one more connection.
    pub(super) fn may_accept(&self, listener: u32) -> bool {
        self.connections.get(self.free_connection as usize).is_some()
            && self.listeners.get(listener as usize).is_some_and(|door| !door.is_full())
    }

    /// The handshake is complete: it becomes a connection and waits to be accepted. Gives the connection, for the rest of
    /// the segment. `half_open` is the record of another handshake between the same ends, if there is one: it is forgotten.
    #[inline(never)]
    pub(super) fn admit(
        &mut self,
        now: Instant,
        handshake: &HalfOpenSlot,
        seq: mirage_checksum::SequenceNumber,
        half_open: Option<u32>,
    ) -> Option<u32> {
        let index = self.take_slot()?;
        let Self { connections, listeners, resources, beginning, .. } = self;
        let options = &listeners.get(handshake.listener.index as usize)?.options;
        connections.get_mut(index as usize)?.admit(now, handshake, seq, (options, beginning), resources);
        self.admitted(index, handshake.listener.index, half_open);
        Some(index)
    }

    /// A connection is established through a listener: lets segments find it in the place of its handshake, and lets it wait.
    #[inline]
    fn admitted(&mut self, index: u32, listener: u32, half_open: Option<u32>) {
        self.resources.stats.accepted += 1;
        self.count_peer(index);
        match half_open {
            Some(half_open) => {
                self.take_place(half_open, index);
                self.forget_handshake(half_open);
            }
            None => self.link_latest(Found::Connection(index)),
        }
        self.enqueue_accepted(index, listener);
    }

    /// Its peer holds one connection more, if that is counted.
    #[inline]
    pub(super) fn count_peer(&mut self, index: u32) {
        if P::PEERS
            && self.resources.config.per_peer > 0
            && let Some(slot) = self.connections.get_mut(index as usize)
        {
            slot.set_counted(true);
            self.peers.enter(slot.tuple.remote);
        }
    }
}

impl<P: Profile> Slot<P> {
    /// Becomes the connection of a handshake that is complete with the segment `seq`.
    #[inline]
    fn admit(
        &mut self,
        now: Instant,
        handshake: &HalfOpenSlot,
        seq: mirage_checksum::SequenceNumber,
        options: (&TcpOptions, &Beginning<P>),
        resources: &mut Resources<'_>,
    ) {
        self.accept(now, handshake, options, resources);
        let config = &resources.config;
        self.window_seq = seq - 1;
        if config.accurate_answer::<P>(handshake.peer.accurate).is_some() {
            self.accept_accurate();
        }
        self.measure_handshake(now, handshake, config);
        let link = resources.link;
        // Profiles for size ask in one place only: when the connection has its first turn.
        if P::BURSTS && link.is_to(handshake.tuple.remote) {
            // Nothing else is left to do in that turn.
            self.learn_path(now, &link, resources);
            self.todo &= !todo::OUTPUT;
        }
    }

    /// How long it took the peer to answer our SYN-ACK, unless it was sent more than once.
    #[inline(never)]
    pub(super) fn measure_handshake(&mut self, now: Instant, handshake: &HalfOpenSlot, config: &Config) {
        if handshake.resent == 0 {
            let rtt = now.since(handshake.since);
            self.round_trip.sample_seldom(rtt, config.min_rto);
            if P::SELECTIVE {
                self.recovery.reordering.on_rtt(now, rtt);
            }
        } else {
            self.round_trip.restart_after_lost_syn();
            self.congestion.on_syn_lost();
        }
    }

    /// Becomes the connection of a handshake, established but not to be found yet.
    #[inline]
    pub(super) fn accept(
        &mut self,
        now: Instant,
        handshake: &HalfOpenSlot,
        (options, beginning): (&TcpOptions, &Beginning<P>),
        resources: &mut Resources<'_>,
    ) {
        let config = &resources.config;
        let rcv_nxt = handshake.irs + 1;
        self.begin(now, &handshake.tuple, (handshake.iss + 1, rcv_nxt), options, (config, beginning));
        self.learn_peer(&handshake.peer, config);
        self.stamps = handshake.stamps::<P>(config);
        self.marks = Marks::agreed(handshake.peer.marks && config.accepts_marks::<P>());
        (self.iss, self.irs) = (handshake.iss, handshake.irs);
        self.rcv_end = rcv_nxt + u32::from(handshake.window);
        self.establish(resources, now);
    }
}

/// What `cookies` keeps them good for: two periods of 64 s.
const COOKIE_LIFETIME: Duration = Duration::from_secs(128);
