//! Segments on their way out.

mod bare;
mod first;
mod link;
mod plan;
mod reply;
mod run;
mod sent;
mod syn;
mod usual;

use core::num::NonZeroU16;

use mirage_clock::Instant;
use mirage_protocols::{Ecn, Ip, Packet, Protocol, SendError};

use crate::connection::{Slot, todo};
use crate::demux::Tuple;
use crate::identifier::NONE;
use crate::options::{Encoded, SynOptions};
use crate::pool::Pool;
use crate::ready::{Ends, Place};
use crate::resources::Resources;
use crate::sack::Blocks;
use crate::send_queue::{Cursor, SendQueue};
use crate::wire::{Checksum, Flags, HEADER_LEN, Header, Options, PARTIAL_CHECKSUM, Template};
use crate::{Error, Marking, Profile, State, Tcp};
pub(crate) use link::Link;
use plan::{Kind, Plan};
use run::Run;

impl<P: Profile> Tcp<'_, P> {
    /// Sends up to `budget` segments: first what answers strangers, then a few of each connection in turn. Says whether
    /// there are more to send now.
    ///
    /// # Errors
    /// [`SendError::Full`]: the device is full; nothing is lost; call again when it is ready. Other errors of the IP layer
    /// count as loss and are repaired as such.
    #[inline(always)]
    pub fn poll_transmit(&mut self, now: Instant, ip: &mut impl Ip, budget: usize) -> Result<bool, SendError> {
        let mut left = budget;
        let mut more = !self.replies.is_empty();
        if more {
            self.send_replies(now, ip, &mut left)?;
            more = !self.replies.is_empty();
        }
        while self.ready.head != NONE {
            if left == 0 {
                return Ok(true);
            }
            let index = self.ready.head;
            let turn = self.take_turn(now, index, ip, &mut left);
            if turn == Turn::Over {
                self.check(index);
                break;
            }
            if turn != Turn::More || self.ready.tail != index {
                match P::STRAIGHT {
                    true => self.make_unready(index),
                    false => self.make_unready_elsewhere(index),
                }
            }
            if turn != Turn::Done
                && let Some(slot) = self.connections.get_mut(index as usize)
            {
                slot.todo |= todo::OUTPUT;
            }
            self.settle(index);
            if turn == Turn::Full {
                return Err(SendError::Full);
            }
        }
        Ok(more)
    }

    /// Sends what one connection has to send, up to a few segments.
    #[inline(always)]
    fn take_turn(&mut self, now: Instant, index: u32, ip: &mut impl Ip, left: &mut usize) -> Turn {
        if P::STRAIGHT
            && let Some(slot) = self.connections.get(index as usize)
            && slot.una == slot.nxt
        {
            let turn = match slot.send.len() {
                0 => self.take_bare_turn(now, index, ip),
                _ => self.take_first_turn(now, index, ip),
            };
            if turn != Turn::Untaken {
                *left -= 1;
                return turn;
            }
        }
        self.take_usual_turn(now, index, ip, left)
    }

    /// The same where nothing is under way, if all there is is one segment; else nothing was done.
    #[inline(never)]
    fn take_first_turn(&mut self, now: Instant, index: u32, ip: &mut impl Ip) -> Turn {
        let Tcp { connections, resources, ready, .. } = self;
        let Some(slot) = connections.get_mut(index as usize) else { return Turn::Untaken };
        if !slot.sent_at.is_now(now) {
            slot.restart_after_pause(now, resources);
        }
        if slot.send_first(now, resources, ip) {
            if ready.tail != index || slot.todo != 0 {
                return Turn::Done;
            }
            // Nobody else waits, and nothing else is left to do.
            (*ready, slot.ready) = (Ends::default(), Place::default());
            resources.again.len = 0;
            return Turn::Over;
        }
        Turn::Untaken
    }

    /// The same where there is no data to be sent either.
    #[inline(never)]
    fn take_bare_turn(&mut self, now: Instant, index: u32, ip: &mut impl Ip) -> Turn {
        let Tcp { connections, resources, ready, .. } = self;
        let Some(slot) = connections.get_mut(index as usize) else { return Turn::Done };
        let opens = P::OPENS && slot.state == State::SynSent;
        if opens && slot.mss == 0 {
            slot.ask_path(now, ip, resources);
        }
        if !slot.sent_at.is_now(now) {
            slot.restart_after_pause(now, resources);
        }
        let sent = match opens {
            true => slot.send_syn(now, resources, ip),
            false => slot.send_bare(now, resources, ip).then_some(Ok(())),
        };
        match sent {
            Some(Ok(())) => {}
            Some(Err(_)) => return Turn::Full,
            None => return Turn::Untaken,
        }
        if ready.tail != index || slot.todo & !todo::REARM != 0 {
            return Turn::Done;
        }
        // Nobody else waits, and nothing else is left to do.
        (*ready, slot.ready) = (Ends::default(), Place::default());
        resources.again.len = 0;
        if core::mem::take(&mut slot.todo) != 0 {
            resources.timers.set(index, slot.armed);
        }
        Turn::Over
    }

    /// The same when it is not the first segment of an exchange.
    // By itself, so that the compiler has registers for it.
    #[inline(never)]
    fn take_usual_turn(&mut self, now: Instant, index: u32, ip: &mut impl Ip, left: &mut usize) -> Turn {
        let Tcp { connections, resources, .. } = self;
        let Some(slot) = connections.get_mut(index as usize) else { return Turn::Done };
        if slot.mss == 0 {
            slot.ask_path(now, ip, resources);
        }
        slot.set_paced(false);
        if slot.state == State::FinWait2 && !slot.held() {
            slot.linger(now, resources);
        }
        slot.restart_if_idle(now, resources);
        if P::STRAIGHT
            && let Some(result) = slot.send_usual(now, resources, ip)
        {
            *left = left.saturating_sub(1);
            return if result.is_ok() { Turn::Done } else { Turn::Full };
        }
        self.take_long_turn(now, index, ip, left)
    }

    /// The same, whatever it is.
    #[inline(never)]
    fn take_long_turn(&mut self, now: Instant, index: u32, ip: &mut impl Ip, left: &mut usize) -> Turn {
        let Tcp { connections, resources, .. } = self;
        let Some(slot) = connections.get_mut(index as usize) else { return Turn::Done };
        let mut turn = SEGMENTS_PER_TURN;
        while turn > 0 {
            let Some(plan) = slot.plan(now, resources) else {
                slot.keep_watch(now, resources);
                return Turn::Done;
            };
            if *left == 0 {
                return Turn::More;
            }
            let (sent, segments, result) = slot.send_segments(now, &plan, resources, ip, *left);
            if P::BURSTS && sent < plan.len && sent > 0 {
                // The first of several are out.
                let part = Plan { len: sent, flags: Flags::ACK, ..plan };
                resources.stats.segments_out += segments as u64;
                slot.on_sent(&part, now, resources);
            }
            match result {
                Ok(()) => {}
                Err(SendError::Full) => return Turn::Full,
                Err(SendError::WouldFragment { mtu }) if slot.shrink_path(mtu, &resources.config) => continue,
                Err(SendError::NoRoute) if slot.state == State::SynSent => {
                    slot.end(resources, Some(Error::HostUnreachable));
                    return Turn::Done;
                }
                // It is as good as lost, and repaired like that.
                Err(_) => {}
            }
            if P::BURSTS && sent < plan.len && sent > 0 {
                *left = left.saturating_sub(segments);
                continue;
            }
            let counted = if slot.device_cuts() { 1 } else { segments.max(1) };
            *left = left.saturating_sub(counted);
            turn = turn.saturating_sub(counted);
            resources.stats.segments_out += segments.max(1) as u64;
            slot.on_sent(&plan, now, resources);
            if P::BURSTS && slot.is_done() {
                slot.keep_watch(now, resources);
                return Turn::Done;
            }
        }
        Turn::More
    }
}

/// What came of a connection's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It has nothing to send now.
    Done,
    /// Another turn than this is for it.
    Untaken,
    /// The same as `Done`, and nothing else is left to do; it was alone.
    Over,
    /// It may have more.
    More,
    /// It has, but the device is full.
    Full,
}

impl<P: Profile> Slot<P> {
    /// Asks what the path takes and what the device takes over.
    #[inline(never)]
    fn ask_path(&mut self, now: Instant, ip: &impl Ip, resources: &Resources<'_>) {
        let link = match P::STRAIGHT {
            true => Link::ask_here(ip, self.tuple.remote),
            false => Link::ask(ip, self.tuple.remote),
        };
        self.learn_path(now, &link, resources);
    }

    /// Learns what the path takes and what the device takes over.
    pub(crate) fn learn_path(&mut self, now: Instant, link: &Link, resources: &Resources<'_>) {
        self.set_partial_checksum(link.partial_checksum);
        self.set_device_cuts(link.large > 0);
        self.large = link.large;
        self.begin_path(now, link.mss, resources);
    }

    /// What the timestamps take of a segment; RFC 6691 §2: it is not in the MSS that the peer announced.
    pub(crate) fn stamps_len(&self) -> u16 {
        if self.stamps.is_on() { STAMPS_LEN } else { 0 }
    }

    /// Sends what was planned, in as many segments as it takes but no more than `limit`; gives how many bytes left, and how
    /// many segments. An error means that not all did.
    #[inline]
    fn send_segments(
        &mut self,
        now: Instant,
        plan: &Plan,
        resources: &mut Resources<'_>,
        ip: &mut impl Ip,
        limit: usize,
    ) -> (u32, usize, Result<(), SendError>) {
        let selective = P::SELECTIVE && self.selective() && (self.has_twice() || self.receive.has_holes());
        let encoded;
        let options = match P::TIMESTAMPS && self.stamps.is_on() {
            _ if selective || self.tells_bytes() || plan.flags.contains(Flags::SYN) => {
                encoded = self.options(now, plan, resources);
                Options::Bytes(encoded.as_slice())
            }
            true => Options::Stamps(self.stamps.value(now), self.stamps.recent),
            false => Options::Bytes(&[]),
        };
        let window = self.offer_window(resources);
        let mut flags = plan.flags;
        // RFC 3168 §6.1.4, §6.1.5: neither acknowledgements nor what is sent again may be marked.
        let mut ecn = Ecn::NotCapable;
        // A SYN that asks for marks asks for the best we know.
        let mut accurate = P::MARKS
            && plan.flags.contains(Flags::SYN | Flags::ECE | Flags::CWR)
            && resources.config.ecn == Marking::Accurate;
        if P::MARKS && self.marks.is_on() {
            let fresh = matches!(plan.kind, Kind::Next | Kind::Longer) && plan.len > 0;
            match self.marks.is_accurate() {
                true => {
                    let (counter, bit) = self.next_field();
                    flags |= counter;
                    accurate = bit;
                }
                false => flags |= self.marks.flags(fresh),
            }
            ecn = if fresh { Ecn::Capable0 } else { ecn };
        }
        let header = Header {
            source_port: self.tuple.local_port,
            destination_port: self.tuple.remote_port,
            seq: plan.seq,
            ack: if plan.flags.contains(Flags::ACK) { self.rcv_nxt } else { Default::default() },
            flags,
            accurate,
            window: if plan.flags.contains(Flags::SYN) { self.receive_window().min(0xffff) as u16 } else { window },
        };
        let checksum = Checksum::by(self.partial_checksum());
        let template = Template::new(self.tuple.pseudo_header(), &header, options, checksum);
        let headers = HEADER_LEN + options.len();
        // The device cuts, or we do; it repeats the options in each piece.
        let full = plan.full;
        let longer = P::PROBING && plan.kind == Kind::Longer;
        let most = if self.device_cuts() || longer || !P::BURSTS { plan.len } else { full };
        let mut packet = Packet::new(self.tuple.local, self.tuple.remote, Protocol::TCP, headers);
        packet.dont_fragment = true;
        packet.ecn = ecn;
        if most > full && !longer {
            packet.segment_size = NonZeroU16::new(full as u16);
        }
        let partial = self.partial_checksum();
        if partial {
            packet.checksum = Some(PARTIAL_CHECKSUM);
        }
        let send = &self.send;
        let mut cursor = if P::BURSTS { resources.pool.under_way(send.head()).cursor } else { Cursor::NEW };
        let (mut sent, mut segments) = (0, 0);
        // More than one, or one that the device makes more of.
        let mut straight = P::STRAIGHT && P::BURSTS && plan.len > full && !longer && !(P::MARKS && self.marks.is_on());
        let result = loop {
            if straight && plan.len - sent > full {
                packet.len = headers + most as usize;
                let run =
                    Run { plan, sent, flags, queue: send, pool: &resources.pool, full: most, limit: limit - segments };
                match run.send(&template, &packet, &mut cursor, ip) {
                    Some((done, result)) => {
                        (sent, segments) = (sent + done as u32 * most, segments + done);
                        match result {
                            Err(SendError::Full | SendError::WouldFragment { .. }) => break result,
                            Err(_) => (sent, segments) = (sent + most, segments + 1),
                            Ok(()) => {}
                        }
                        if sent >= plan.len || segments >= limit {
                            break Ok(());
                        }
                    }
                    None => straight = false,
                }
            }
            let len = (plan.len - sent).min(most);
            packet.len = headers + len as usize;
            let last = sent + len == plan.len;
            let piece_flags = if last { flags } else { flags - Flags::PSH - Flags::FIN };
            let (seq, offset) = (plan.seq + sent, plan.offset + sent);
            let template = &template;
            let result = if P::BURSTS {
                ip.send(packet, |writer| {
                    let pieces = send.slices(&resources.pool, offset, len, &mut cursor);
                    template.write(writer, seq, piece_flags, pieces);
                })
            } else {
                let payload = (send, &resources.pool, offset, len);
                send_from(payload, ip, packet, &self.tuple, &header, options, checksum)
            };
            if P::MARKS && self.marks.has_news() && flags.contains(Flags::CWR) && result != Err(SendError::Full) {
                // Told once (RFC 3168 §6.1.2).
                flags.remove(Flags::CWR);
                self.marks.on_told();
            }
            match result {
                // Other errors are as good as loss.
                Err(SendError::Full | SendError::WouldFragment { .. }) => break result,
                Err(_) if plan.len == 0 => break result,
                _ => (sent, segments) = (sent + len, segments + 1),
            }
            if !P::BURSTS || last || segments >= limit {
                break Ok(());
            }
        };
        if P::BURSTS && plan.len > 0 {
            resources.pool.under_way_mut(send.head()).cursor = cursor;
        }
        (sent, segments, result)
    }

    /// The options that go with a segment that has others than timestamps.
    #[inline(never)]
    fn options(&self, now: Instant, plan: &Plan, resources: &Resources<'_>) -> Encoded {
        if Self::OPENING && plan.flags.contains(Flags::SYN) {
            return self.syn_options(now, plan.flags, resources);
        }
        let stamps = (P::TIMESTAMPS && self.stamps.is_on()).then(|| (self.stamps.value(now), self.stamps.recent));
        let mut options = Encoded::default();
        match P::SELECTIVE && self.selective() {
            true => options.put_heard(stamps, &self.selective_blocks(&resources.pool)),
            false => options.put_heard(stamps, &Blocks::NONE),
        }
        if self.tells_bytes() {
            options.put_marked(&self.counters.bytes);
        }
        options
    }

    #[inline(never)]
    fn syn_options(&self, now: Instant, flags: Flags, resources: &Resources<'_>) -> Encoded {
        let config = &resources.config;
        // Our answer to a SYN says only what the peer's said, too.
        let answers = flags.contains(Flags::ACK);
        let selective = P::SELECTIVE && config.selective && (!answers || self.selective());
        let stamps = P::TIMESTAMPS && config.timestamps && (!answers || self.stamps.is_on());
        let options = SynOptions {
            mss: Some(self.path.advmss),
            window_scale: self.scaling().then(|| config.window_scale()),
            sack_permitted: selective,
            timestamps: stamps.then(|| (self.stamps.value(now), self.stamps.recent)),
            marks: false,
            accurate: None,
        };
        let mut encoded = options.emit();
        if P::FAST_OPEN && !answers && self.syns == 0 && self.asks_cookie() {
            encoded.put_cookie(&resources.servers.cookie(&self.tuple));
        }
        encoded
    }
}

/// Sends one segment, with `len` bytes of a queue from `offset` on: the only way out of a profile for size.
#[inline(never)]
fn send_from(
    (queue, pool, offset, len): (&SendQueue, &Pool<'_>, u32, u32),
    ip: &mut impl Ip,
    packet: Packet,
    tuple: &Tuple,
    header: &Header,
    options: Options<'_>,
    checksum: Checksum,
) -> Result<(), SendError> {
    let template = Template::new(tuple.pseudo_header(), header, options, checksum);
    ip.send(packet, |writer| {
        let mut cursor = Cursor::NEW;
        template.write(writer, header.seq, header.flags, queue.slices(pool, offset, len, &mut cursor));
    })
}

/// The largest payload we take in a segment from there.
fn our_mss(ip: &impl Ip, remote: core::net::IpAddr) -> u16 {
    ip.mtu(remote).saturating_sub(HEADER_LEN).min(usize::from(u16::MAX)) as u16
}

/// Two no-operations and the timestamps option (RFC 7323, appendix A).
const STAMPS_LEN: u16 = 12;
/// What fits behind an IP header.
const MAX_IP_PAYLOAD: usize = 65_495;
/// How many segments a connection sends before the next one has its turn: with an MTU of 1,500 bytes as much as 64 KiB.
pub(crate) const SEGMENTS_PER_TURN: usize = 48;
