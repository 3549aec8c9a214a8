//! How long the segments may be that the path takes: what routers say of it (RFC 1191, RFC 8201, RFC 5927 §7.2), and what is
//! found out where they say nothing (RFC 4821, RFC 8899).

use mirage_checksum::SequenceNumber;
use mirage_clock::Instant;
use mirage_congestion::Congestion as _;

use crate::connection::{Slot, todo};
use crate::identifier::NONE;
use crate::paths::LIFETIME;
use crate::recovery::Phase;
use crate::resources::Resources;
use crate::runs::fate;
use crate::transmit::SEGMENTS_PER_TURN;
use crate::wire::HEADER_LEN;
use crate::{Config, Profile, State};

/// Whether the path's MTU is found out where routers do not tell (RFC 4821): Linux's `tcp_mtu_probing`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Probing {
    /// It is not.
    Never,
    /// When full segments vanish, shorter ones are tried, and from there longer ones.
    #[default]
    BlackHole,
    /// And connections begin with segments of 1024 bytes.
    Always,
}

/// What a connection knows of its path. Sizes are payloads of segments with their options.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    /// What we told the peer we take, which is what our own link takes; 0 until it was asked.
    pub(crate) advmss: u16,
    /// The longest that the path takes as far as we know; 0 until it was asked.
    pub(crate) takes: u16,
    /// Longer ones up to this may be taken, too. Not above `takes`: nothing is looked for.
    ceiling: u16,
    /// What a router claims, or what is being tried; see [`Stage`].
    size: u16,
    at: SequenceNumber,
    /// When longer ones are tried again, in units of 2³⁰ ns from 2² on, [`NEVER`] for never; and below, the [`Stage`].
    raise_at: u32,
}

/// What `at` and `size` of a [`Path`] are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No full segment was sent yet.
    Untried,
    /// One was sent that ends at `at`.
    Tried,
    /// A router claims that only `size` is taken, which nothing confirms yet; SND.UNA was `at`.
    Claimed,
    /// A segment of `size` is under way that ends at `at`.
    Probing,
}

impl Path {
    pub(crate) const UNKNOWN: Self = Self {
        advmss: 0,
        takes: 0,
        ceiling: 0,
        size: 0,
        at: SequenceNumber(0),
        raise_at: NEVER | Stage::Untried as u32,
    };

    #[inline]
    pub(crate) fn stage(&self) -> Stage {
        match self.raise_at & STAGE {
            0 => Stage::Untried,
            1 => Stage::Tried,
            2 => Stage::Claimed,
            _ => Stage::Probing,
        }
    }

    fn set_stage(&mut self, stage: Stage) {
        self.raise_at = (self.raise_at & !STAGE) | stage as u32;
    }

    /// Whether longer segments are looked for.
    #[inline]
    pub(crate) fn is_searched(&self) -> bool {
        self.ceiling > self.takes
    }

    /// A full segment is sent for the first time, up to `end`.
    pub(crate) fn on_tried(&mut self, end: SequenceNumber) {
        self.set_stage(Stage::Tried);
        self.at = end;
    }

    /// A longer segment is sent, up to `end`.
    pub(crate) fn on_probe(&mut self, end: SequenceNumber) {
        self.set_stage(Stage::Probing);
        self.at = end;
    }

    /// It has to be sent again in shorter ones.
    pub(crate) fn on_probe_lost(&mut self) {
        if self.stage() == Stage::Probing {
            self.ceiling = self.size - 1;
            self.set_stage(Stage::Tried);
        }
    }

    /// When longer segments are tried again.
    pub(crate) fn raise_at(&self) -> Instant {
        match self.raise_at & !STAGE {
            NEVER => Instant::MAX,
            at => Instant::from_nanos(u64::from(at / UNIT) << 30),
        }
    }

    fn raise_after(&mut self, at: Instant) {
        // 36 years from the start of the clock on, it is never.
        let units = ((at.as_nanos() >> 30) + 1).min(u64::from(NEVER / UNIT)) as u32;
        self.raise_at = (self.raise_at & STAGE) | (units * UNIT);
    }

    fn raise_never(&mut self) {
        self.raise_at |= NEVER;
    }
}

/// The bits of `raise_at` that hold the [`Stage`].
const STAGE: u32 = 3;
const UNIT: u32 = STAGE + 1;
const NEVER: u32 = !STAGE;

impl<P: Profile> Slot<P> {
    /// The link takes segments with payloads of `link` bytes, options included.
    pub(crate) fn begin_path(&mut self, now: Instant, link: u16, resources: &Resources<'_>) {
        self.set_calm(false);
        self.path.advmss = link;
        let mut takes = link;
        if P::PROBING {
            if resources.config.probing == Probing::Always && self.selective() {
                self.set_calm(false);
                self.path.ceiling = self.path_limit();
                takes = takes.min(BASE);
            }
            if let Some((known, until)) = resources.paths.to(now, self.tuple.remote)
                && known < takes
            {
                takes = known;
                self.path.raise_after(until);
                self.arm(self.path.raise_at());
            }
        }
        self.set_path(takes);
    }

    /// Sends segments with payloads of up to `takes` bytes, options included, from now on.
    pub(crate) fn set_path(&mut self, takes: u16) {
        self.set_calm(false);
        self.path.takes = takes;
        self.mss = self.peer_mss.min(takes).saturating_sub(self.stamps_len()).max(1);
        self.large = match self.device_cuts() {
            true => self.large - self.large % self.mss,
            // What we cut ourselves is planned and watched over as one, too.
            false if P::BURSTS => self.mss * (u16::MAX / self.mss).min(SEGMENTS_PER_TURN as u16),
            false => 0,
        };
        self.congestion.set_mss(self.mss.into());
    }

    /// What a longer segment can be at most.
    fn path_limit(&self) -> u16 {
        self.path.advmss.min(self.peer_mss)
    }

    /// The path's MTU in bytes, IP header included, as far as we know; 0 until the path was asked.
    pub(crate) fn path_mtu(&self) -> u32 {
        match self.path.takes {
            0 => 0,
            takes => u32::from(takes) + u32::from(self.headers_len()),
        }
    }

    fn headers_len(&self) -> u16 {
        HEADER_LEN as u16 + if self.tuple.remote.is_ipv4() { 20 } else { 40 }
    }

    /// A packet of `mtu` bytes at most goes by our own link now; `false` when that is no news.
    pub(crate) fn shrink_path(&mut self, mtu: usize, config: &Config) -> bool {
        let payload = mtu.saturating_sub(self.headers_len().into()).min(u16::MAX.into()) as u16;
        let takes = payload.max(config.min_mss + self.stamps_len());
        let news = takes.min(self.peer_mss).saturating_sub(self.stamps_len()) < self.mss;
        if news {
            self.set_path(takes);
        }
        news
    }

    /// A router claims that the path takes packets of `mtu` bytes only (0: it does not say).
    pub(crate) fn on_too_big(&mut self, now: Instant, mtu: u16, resources: &mut Resources<'_>) {
        // RFC 5927 §7.2: nobody makes us send crumbs. RFC 8200 §5: every link of IPv6 takes 1280 bytes.
        let least = if self.tuple.remote.is_ipv4() { 552 } else { 1280 };
        let mtu = if mtu == 0 { self.next_plateau() } else { mtu }.max(least);
        let takes = mtu - self.headers_len();
        if !P::PROBING {
            if self.shrink_path(mtu.into(), &resources.config) {
                self.send_shorter(now, resources);
            }
            return;
        }
        if self.path.stage() == Stage::Probing && takes >= self.path.takes {
            // It is about the longer segment that is being tried.
            self.path.ceiling = self.path.ceiling.min(takes);
            return;
        }
        if takes.min(self.peer_mss) >= self.path.takes.min(self.peer_mss) {
            return;
        }
        let proved = match self.path.stage() {
            Stage::Untried => false,
            // What lies further behind than half of all numbers looks as if it lay before: then the claim counts at once.
            Stage::Tried => self.una.at_or_after(self.path.at),
            Stage::Claimed | Stage::Probing => true,
        };
        if proved {
            // RFC 5927 §7.2: segments of this length have arrived, so the claim is only remembered until a timeout confirms it.
            self.path.set_stage(Stage::Claimed);
            (self.path.size, self.path.at) = (takes, self.una);
        } else {
            self.believe(now, takes, resources);
            self.send_shorter(now, resources);
        }
    }

    /// The path takes no more than `takes`: so others need not find out.
    fn believe(&mut self, now: Instant, takes: u16, resources: &mut Resources<'_>) {
        let until = resources.paths.remember(now, self.tuple.remote, takes);
        self.path.set_stage(Stage::Untried);
        self.path.ceiling = 0;
        self.path.raise_after(until);
        self.arm(self.path.raise_at());
        self.set_path(takes);
    }

    /// What is under way does not fit: it goes again in shorter segments, and the network is not to blame.
    fn send_shorter(&mut self, now: Instant, resources: &mut Resources<'_>) {
        if P::FAST_OPEN && self.state == State::SynSent && self.syn_len > 0 && self.syns == 1 {
            // The SYN goes again without what made it too long (RFC 7413 §4.1.3.1).
            self.nxt = self.una;
        }
        if P::SELECTIVE {
            self.recovery.lose_all(&mut resources.runs);
        } else {
            self.lose_plainly();
        }
        self.start_resend_timer(now, resources);
        self.todo |= todo::OUTPUT;
    }

    /// RFC 1191 §7.1: where a router does not say what it takes, the next length below that links have.
    fn next_plateau(&self) -> u16 {
        let sent = self.path_mtu();
        PLATEAUS.into_iter().find(|plateau| u32::from(*plateau) < sent).unwrap_or(0)
    }

    /// The retransmission timer went off; `again` when it had for the same bytes before.
    pub(crate) fn on_path_timeout(&mut self, now: Instant, again: bool, resources: &mut Resources<'_>) {
        if self.path.stage() == Stage::Claimed {
            let confirmed = self.una == self.path.at;
            self.path.set_stage(Stage::Tried);
            self.path.at = self.una;
            if confirmed {
                return self.believe(now, self.path.size, resources);
            }
        }
        if !again || resources.config.probing == Probing::Never {
            return;
        }
        // RFC 4821 §7.7: "a full-stop timeout": long segments vanish, be they full or not, and nobody says why.
        let len = match P::SELECTIVE {
            true => resources.runs.get(self.recovery.chain.head).map_or(0, |run| run.len().min(self.mss.into())),
            false => self.in_flight().min(self.mss.into()),
        };
        let longest = len + u32::from(self.stamps_len());
        let Some(step) = STEPS.into_iter().find(|step| u32::from(*step) < longest) else { return };
        self.set_calm(false);
        self.path.ceiling = if self.selective() { self.path_limit() } else { 0 };
        self.path.raise_after(now + LIFETIME);
        self.arm(self.path.raise_at());
        self.set_path(step);
        resources.stats.black_holes += 1;
    }

    /// The payload, without options, of a longer segment that is worth a try now; `usable` bytes of the `unsent` ones may go.
    #[inline(never)]
    pub(crate) fn longer_segment(&mut self, now: Instant, usable: u32, unsent: u32) -> Option<u32> {
        let (takes, ceiling) = (self.path.takes, self.path.ceiling);
        let quiet = self.recovery.phase == Phase::Open && self.recovery.sacked == 0 && self.recovery.lost == 0;
        if matches!(self.path.stage(), Stage::Probing | Stage::Claimed) || !self.selective() || !quiet {
            return None;
        }
        if ceiling - takes < NEAR_ENOUGH {
            self.path.ceiling = takes;
            self.path.raise_after(now + LIFETIME);
            self.arm(self.path.raise_at());
            return None;
        }
        // What was taken before is likely to be again; from there halfway between.
        let size = if ceiling == self.path_limit() { ceiling } else { takes + (ceiling - takes).div_ceil(2) };
        let options = u32::from(self.stamps_len()) + self.sack_space();
        let len = u32::from(size).saturating_sub(options);
        // RFC 4821 §7.4: enough must follow to notice its loss without a timeout.
        if usable.min(unsent) < len + 4 * u32::from(self.mss) {
            return None;
        }
        self.path.size = size;
        Some(len)
    }

    /// Something was acknowledged while a longer segment is under way.
    #[inline(never)]
    pub(crate) fn on_probe_progress(&mut self) {
        if self.una.at_or_after(self.path.at) {
            self.path.set_stage(Stage::Tried);
            self.set_path(self.path.size);
            if !self.path.is_searched() && self.path.takes >= self.path_limit() {
                self.path.raise_never();
            }
        }
    }

    /// Whether all that is lost is a longer segment that was tried (RFC 4821 §7.6.2: no sign of congestion).
    pub(crate) fn is_only_probe_lost(&self, resources: &mut Resources<'_>) -> bool {
        let (mut lost, mut index) = (0, self.recovery.chain.head);
        while index != NONE {
            resources.runs.steps += 1;
            let run = resources.runs.of(index);
            if run.is(fate::LOST) && run.is(fate::LONGER) && !run.is(fate::RESENT) {
                lost += run.len();
            }
            index = run.next;
        }
        lost == self.recovery.lost
    }

    /// What was found out is old: perhaps the path takes more now.
    pub(crate) fn raise_path(&mut self, config: &Config) {
        self.path.raise_never();
        if config.probing != Probing::Never && self.selective() {
            self.set_calm(false);
            self.path.ceiling = self.path_limit();
        } else {
            self.path.set_stage(Stage::Untried);
            self.set_path(self.path.advmss);
        }
    }
}

/// RFC 4821 §7.2: a length that nearly every path takes.
const BASE: u16 = 1024;
/// What is tried in turn when full segments vanish.
const STEPS: [u16; 2] = [BASE, 536];
/// Bytes that are not worth another try.
const NEAR_ENOUGH: u16 = 8;
/// RFC 1191 §7.1, as far as we believe in them; and Ethernet.
const PLATEAUS: [u16; 10] = [32_000, 17_914, 8166, 4352, 2002, 1500, 1492, 1006, 552, 0];

#[cfg(test)]
mod tests {
    use super::*;
    use mirage_clock::Duration;

    #[test]
    fn what_is_tried_and_when_longer_ones_are_lie_side_by_side() {
        let mut path = Path::UNKNOWN;
        assert_eq!((path.stage(), path.raise_at()), (Stage::Untried, Instant::MAX));
        for stage in [Stage::Probing, Stage::Claimed, Stage::Tried, Stage::Untried] {
            path.set_stage(stage);
            assert_eq!((path.stage(), path.raise_at()), (stage, Instant::MAX));
            let at = Instant::from_secs(1000);
            path.raise_after(at);
            assert!(path.raise_at() > at && path.raise_at() < at + Duration::from_secs(2));
            assert_eq!(path.stage(), stage);
            path.raise_never();
        }
        path.raise_after(Instant::MAX);
        assert_eq!((path.stage(), path.raise_at()), (Stage::Untried, Instant::MAX));
    }
}
