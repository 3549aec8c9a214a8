//! What a link and its ends are like.

use mirage_clock::Duration;
use mirage_tcp::{Config, Marking, Probing, Profile};

use super::random::Random;

#[derive(Clone, Debug)]
pub struct Case {
    pub seed: u64,
    pub ends: [End; 2],
    /// There and back.
    pub paths: [Path; 2],
    /// Whether everything has to arrive: nothing on this link is so bad that it may not be repaired in time.
    pub hopeful: bool,
}

/// One machine and its application.
#[derive(Clone, Debug)]
pub struct End {
    pub address: [u8; 4],
    pub config: Config,
    /// Blocks in its pool.
    pub blocks: usize,
    /// Records of what is under way.
    pub runs: usize,
    /// Whether its device cuts large segments and completes checksums.
    pub offload: bool,
    pub nodelay: bool,
    /// How much the application writes in all, and how much of it at once.
    pub total: usize,
    pub piece: usize,
    /// How long it sleeps between its turns.
    pub sleep: Duration,
}

/// One direction. Shares are of a thousand.
#[derive(Clone, Debug)]
pub struct Path {
    pub lost: u64,
    pub doubled: u64,
    pub damaged: u64,
    /// How many come late, and by how much at most.
    pub late: u64,
    /// How many of those that may be marked are.
    pub marked: u64,
    pub lateness: Duration,
    pub delay: Duration,
    /// Packets that may be under way.
    pub queue: usize,
    /// Longest IP packet that passes, and whether a router says so.
    pub mtu: usize,
    pub silent: bool,
    /// When nothing passes: from, for how long.
    pub outage: (Duration, Duration),
}

impl Case {
    pub fn new<P: Profile>(seed: u64) -> Self {
        let mut random = Random(seed);
        // One in four is hopeless in one way or another.
        let hopeful = random.below(4) != 0;
        let offload = random.below(8) == 0;
        let mut end = |last| End::new(&mut random, last, offload);
        let ends = [end(1), end(2)];
        let mut paths = [Path::new(&mut random, hopeful), Path::new(&mut random, hopeful)];
        for (end, path) in ends.iter().zip(&mut paths) {
            // Who does not look for black holes falls into them.
            path.silent &= !hopeful || (P::PROBING && end.config.probing != Probing::Never);
        }
        Self { seed, ends, paths, hopeful }
    }
}

impl End {
    fn new(random: &mut Random, last: u8, offload: bool) -> Self {
        let ms = Duration::from_millis;
        let config = Config {
            receive_window: random.pick(&[2048, 3000, 8192, 20_000, 65_535, 262_144]),
            send_buffer: random.pick(&[1, 700, 4096, 20_000, 65_536, 262_144]),
            delayed_ack: ms(random.pick(&[0, 10, 40, 200, 500])),
            min_rto: ms(random.pick(&[1, 50, 200, 1000])),
            out_of_order_bytes: random.pick(&[0, 2000, 20_000, 262_144]),
            out_of_order_ranges: random.pick(&[0, 1, 2, 8, 32]),
            selective: random.below(4) != 0,
            timestamps: random.below(2) == 0,
            ecn: random.pick(&[Marking::Never, Marking::Accept, Marking::Ask]),
            probing: random.pick(&[Probing::Never, Probing::BlackHole, Probing::BlackHole, Probing::Always]),
            initial_window: random.pick(&[1, 2, 10]),
            ..Config::default()
        };
        let sleep = if random.below(2) == 0 { Duration::ZERO } else { ms(20 + random.small(500)) };
        Self {
            address: [10, 0, 0, last],
            config,
            blocks: 4 + random.small(60) as usize,
            runs: 2 + random.small(78) as usize,
            offload,
            nodelay: random.below(2) == 0,
            // A round trip for each buffer: nobody waits for more than sixty.
            total: random.small((60 * u64::from(config.send_buffer)).min(40_000)) as usize,
            piece: if sleep.is_zero() { 1 } else { 200 } + random.small(4000) as usize,
            sleep,
        }
    }
}

impl Path {
    fn new(random: &mut Random, hopeful: bool) -> Self {
        let ms = Duration::from_millis;
        let mut share = |most: u64| if random.below(2) == 0 { 0 } else { random.small(most) };
        let (lost, doubled, damaged, late) = if hopeful {
            (share(200), share(300), share(50), share(300))
        } else {
            (share(900), share(900), share(500), share(900))
        };
        let outage = match (hopeful, random.below(4)) {
            (false, 0) => (ms(random.below(2000)), Duration::from_secs(random.below(2000))),
            (_, 1) => (ms(random.below(2000)), ms(random.below(5000))),
            _ => (Duration::ZERO, Duration::ZERO),
        };
        Self {
            lost,
            doubled,
            damaged,
            late,
            marked: random.below(3) * 100,
            lateness: ms(1 + random.small(400)),
            delay: Duration::from_micros(1 + random.small(300_000)),
            queue: 2 + random.small(100) as usize,
            mtu: if random.below(4) == 0 { 600 + random.below(900) as usize } else { 1500 },
            silent: random.below(if hopeful { 8 } else { 4 }) == 0,
            outage,
        }
    }
}
