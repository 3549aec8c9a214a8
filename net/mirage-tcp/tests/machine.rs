//! Two machines, and a wire between them that loses, delays and repeats what it likes.

extern crate alloc;

mod support;

use alloc::collections::BTreeMap;
use core::task::Poll;

use mirage_protocols::Received;
use mirage_tcp::{Config, Error, State};
use support::*;

/// A wire with a delay, a rate of loss and a memory for bad luck: the same seed gives the same fate.
struct Link {
    a: Host,
    b: Host,
    delay: Duration,
    /// Of a thousand packets so many are lost, come twice, or come late.
    lost: u64,
    repeated: u64,
    late: u64,
    seed: u64,
    /// Under way: when they come, in which order they left, whether to `b`, and what they are.
    under_way: BTreeMap<(Instant, u64), (bool, Vec<u8>)>,
    count: u64,
    cut: bool,
}

impl Link {
    fn new(delay: Duration) -> Self {
        Self::between(Host::default(), Host::at([10, 0, 0, 2], Config::default(), Sizes::default()), delay)
    }

    fn between(a: Host, b: Host, delay: Duration) -> Self {
        let under_way = BTreeMap::new();
        Self { a, b, delay, lost: 0, repeated: 0, late: 0, seed: 1, under_way, count: 0, cut: false }
    }

    fn random(&mut self) -> u64 {
        // SplitMix64.
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Collects what both want to send.
    fn collect(&mut self) {
        for to_b in [true, false] {
            let now = self.a.now;
            let host = if to_b { &mut self.a } else { &mut self.b };
            let mut rounds = 0;
            while host.tcp.poll_transmit(now, &mut host.ip, 7).unwrap() {
                rounds += 1;
                assert!(rounds < 10_000, "sends without end");
            }
            let sent: Vec<_> = host.ip.sent.drain(..).collect();
            for packet in sent {
                if self.cut || self.random() % 1000 < self.lost {
                    continue;
                }
                let copies = if self.random() % 1000 < self.repeated { 2 } else { 1 };
                for _ in 0..copies {
                    let late = if self.random() % 1000 < self.late { self.delay * 3 } else { Duration::ZERO };
                    self.count += 1;
                    self.under_way.insert((now + self.delay + late, self.count), (to_b, packet.bytes.clone()));
                }
            }
        }
    }

    /// Lets time pass up to the next event; `false` when there is none before `end`.
    fn step(&mut self, end: Instant) -> bool {
        self.collect();
        let arrival = self.under_way.keys().next().map(|(at, _)| *at);
        let timers = [self.a.tcp.poll_timeout(), self.b.tcp.poll_timeout()];
        let Some(next) = timers.into_iter().flatten().chain(arrival).min() else { return false };
        let next = next.max(self.a.now);
        if next > end {
            return false;
        }
        (self.a.now, self.b.now) = (next, next);
        while let Some(entry) = self.under_way.first_entry() {
            if entry.key().0 > next {
                break;
            }
            let (to_b, bytes) = entry.remove();
            let (from, to) = if to_b { (HERE, THERE) } else { (THERE, HERE) };
            let host = if to_b { &mut self.b } else { &mut self.a };
            let _ = host.tcp.input(next, &Received::new(from, to, &bytes));
        }
        self.a.tcp.handle_timeout(next);
        self.b.tcp.handle_timeout(next);
        true
    }

    /// Runs until `done`, at most for `span`; gives how long it took.
    #[track_caller]
    fn until(&mut self, span: Duration, mut done: impl FnMut(&mut Self) -> bool) -> Duration {
        let start = self.a.now;
        for _ in 0..5_000_000 {
            if done(self) {
                return self.a.now - start;
            }
            if !self.step(start + span) {
                // Once more: what the last step brought may be enough.
                assert!(done(self), "not done within {span}");
                return self.a.now - start;
            }
        }
        panic!("events without end");
    }

    fn pass(&mut self, span: Duration) {
        let end = self.a.now + span;
        while self.step(end) {}
        (self.a.now, self.b.now) = (end, end);
    }

    /// A connection from `a` to `b`, accepted.
    #[track_caller]
    fn connect(&mut self) -> (ConnectionId, ConnectionId) {
        let listener = self.b.listen(80);
        let ours = self.a.connect(core::net::SocketAddr::new(THERE, 80)).unwrap();
        let mut theirs = None;
        self.until(s(100), |link| {
            theirs = theirs.or_else(|| link.b.accept(listener));
            theirs.is_some() && link.a.connected(ours) == Poll::Ready(Ok(()))
        });
        (ours, theirs.unwrap())
    }

    /// Moves `bytes` both ways at once and closes; checks that everything arrives.
    #[track_caller]
    fn exchange(&mut self, len: usize, span: Duration) -> Duration {
        let (x, y) = self.connect();
        let sent = pattern(len);
        let (mut written, mut read) = ([0; 2], [Vec::new(), Vec::new()]);
        let mut shut = [false; 2];
        let taken = self.until(span, |link| {
            for (i, (host, id)) in [(&mut link.a, x), (&mut link.b, y)].into_iter().enumerate() {
                written[i] += host.write_if_open(id, &sent[written[i]..], shut[i]);
                read[i].extend(host.read(id));
                if written[i] == len && !shut[i] {
                    host.tcp.shutdown(id, Direction::Write).unwrap();
                    shut[i] = true;
                }
            }
            shut == [true; 2] && link.a.at_end(x) && link.b.at_end(y)
        });
        assert!(read[0] == sent && read[1] == sent, "what was read is what was written");
        self.a.tcp.close(x);
        self.b.tcp.close(y);
        self.pass(s(400));
        self.assert_empty();
        taken
    }

    #[track_caller]
    fn assert_empty(&self) {
        for host in [&self.a, &self.b] {
            let stats = host.tcp.stats();
            let held = (stats.connections, stats.half_open, stats.time_wait, stats.blocks_in_use);
            assert_eq!(held, (0, 0, 0, 0), "connections, handshakes, memories and blocks");
            assert!(!host.tcp.wants_transmit());
            assert_eq!(host.tcp.poll_timeout(), None);
        }
    }
}

impl Host {
    fn write_if_open(&mut self, id: ConnectionId, bytes: &[u8], shut: bool) -> usize {
        if shut { 0 } else { self.write(id, bytes) }
    }
}

#[test]
fn a_megabyte_goes_both_ways_over_a_clean_link() {
    let taken = Link::new(ms(5)).exchange(1 << 20, s(60));
    assert!(taken < s(2), "{taken}");
}

#[test]
fn a_megabyte_goes_both_ways_in_spite_of_loss() {
    for seed in 1..4 {
        let mut link = Link::new(ms(5));
        (link.lost, link.seed) = (20, seed);
        link.exchange(1 << 20, s(600));
    }
}

#[test]
fn heavy_loss_repetition_and_disorder_change_nothing_that_is_read() {
    for seed in 1..9 {
        let mut link = Link::new(ms(3));
        (link.lost, link.repeated, link.late, link.seed) = (100, 50, 100, seed);
        link.exchange(100_000, s(3000));
    }
}

#[test]
fn small_pools_and_windows_only_slow_things_down() {
    for seed in 1..4 {
        let config = Config { receive_window: 8000, send_buffer: 5000, ..Config::default() };
        let sizes = Sizes { blocks: 12, ..Sizes::default() };
        let mut link = Link::between(Host::new(config, sizes), Host::at([10, 0, 0, 2], config, sizes), ms(2));
        (link.lost, link.late, link.seed) = (10, 20, seed);
        link.exchange(200_000, s(3000));
    }
}

#[test]
fn a_pool_that_is_exhausted_by_others_recovers() {
    let sizes = Sizes { blocks: 8, ..Sizes::default() };
    let mut link = Link::between(Host::default(), Host::at([10, 0, 0, 2], Config::default(), sizes), ms(2));
    let listener = link.b.listen(81);
    let ours: Vec<_> = (0..6).map(|_| link.a.connect(core::net::SocketAddr::new(THERE, 81)).unwrap()).collect();
    let mut theirs = Vec::new();
    link.until(s(10), |link| {
        while let Some(id) = link.b.accept(listener) {
            theirs.push(id);
        }
        theirs.len() == ours.len()
    });
    // Nobody reads: everybody fills what there is.
    let sent = pattern(30_000);
    let mut written: Vec<_> = ours.iter().map(|id| link.a.write(*id, &sent)).collect();
    link.pass(s(30));
    assert!(link.b.tcp.stats().blocks_in_use >= 6, "{:?}", link.b.tcp.stats());
    let mut read = vec![Vec::new(); ours.len()];
    link.until(s(3000), |link| {
        for i in 0..ours.len() {
            written[i] += link.a.write(ours[i], &sent[written[i]..]);
        }
        // Which of theirs belongs to which of ours does not matter: all carry the same.
        for (id, read) in theirs.iter().zip(&mut read) {
            read.extend(link.b.read(*id));
        }
        read.iter().all(|read| read.len() == sent.len())
    });
    assert!(read.iter().all(|read| *read == sent));
}

#[test]
fn an_echo_comes_back_in_one_round_trip() {
    let mut link = Link::new(ms(10));
    let (x, y) = link.connect();
    link.pass(s(1));
    for round in 0..5 {
        let question = [round; 100];
        assert_eq!(link.a.write(x, &question), 100);
        let mut answered = Vec::new();
        let taken = link.until(s(5), |link| {
            let asked = link.b.read(y);
            link.b.write(y, &asked);
            answered.extend(link.a.read(x));
            answered.len() == 100
        });
        assert_eq!(taken, ms(20));
        assert_eq!(answered, question);
    }
}

#[test]
fn both_may_open_at_the_same_time() {
    let mut link = Link::new(ms(10));
    let (here, there) = (core::net::SocketAddr::new(HERE, 5000), core::net::SocketAddr::new(THERE, 6000));
    let now = link.a.now;
    let x = link.a.tcp.connect(now, HERE, here.port().try_into().ok(), there, TcpOptions::default()).unwrap();
    let y = link.b.tcp.connect(now, THERE, there.port().try_into().ok(), here, TcpOptions::default()).unwrap();
    let taken = link
        .until(s(5), |link| link.a.connected(x) == Poll::Ready(Ok(())) && link.b.connected(y) == Poll::Ready(Ok(())));
    assert_eq!(taken, ms(20));
    link.a.write(x, b"from a");
    link.b.write(y, b"from b");
    link.pass(s(1));
    assert_eq!((link.a.read(x), link.b.read(y)), (b"from b".to_vec(), b"from a".to_vec()));
}

#[test]
fn both_may_close_at_the_same_time() {
    let mut link = Link::new(ms(10));
    let (x, y) = link.connect();
    link.a.tcp.close(x);
    link.b.tcp.close(y);
    link.pass(s(1));
    assert_eq!((link.a.tcp.stats().connections, link.b.tcp.stats().connections), (0, 0));
    assert_eq!((link.a.tcp.stats().time_wait, link.b.tcp.stats().time_wait), (1, 1));
    link.pass(s(61));
    link.assert_empty();
}

#[test]
fn whoever_closes_first_remembers() {
    let mut link = Link::new(ms(10));
    let (x, y) = link.connect();
    link.a.tcp.close(x);
    link.pass(s(1));
    assert!(link.b.at_end(y));
    assert_eq!(link.b.tcp.state(y), Some(State::CloseWait));
    link.b.tcp.close(y);
    link.pass(s(1));
    assert_eq!((link.a.tcp.stats().time_wait, link.b.tcp.stats().time_wait), (1, 0));
    link.pass(s(60));
    link.assert_empty();
}

#[test]
fn one_direction_may_end_long_before_the_other() {
    let mut link = Link::new(ms(10));
    let (x, y) = link.connect();
    link.a.tcp.shutdown(x, Direction::Write).unwrap();
    link.pass(s(1));
    assert!(link.b.at_end(y));
    assert_eq!(link.a.tcp.state(x), Some(State::FinWait2));
    link.pass(s(3600));
    assert_eq!(link.b.write(y, b"late but welcome"), 16);
    link.pass(s(1));
    assert_eq!(link.a.read(x), b"late but welcome");
    link.b.tcp.close(y);
    link.pass(s(1));
    assert!(link.a.at_end(x));
    link.a.tcp.close(x);
    link.pass(s(61));
    link.assert_empty();
}

#[test]
fn what_was_written_before_close_is_delivered() {
    let mut link = Link::new(ms(10));
    let (x, y) = link.connect();
    let sent = pattern(200_000);
    assert_eq!(link.a.write(x, &sent), sent.len());
    link.a.tcp.close(x);
    let mut read = Vec::new();
    link.until(s(30), |link| {
        read.extend(link.b.read(y));
        read.len() == sent.len()
    });
    assert_eq!(read, sent);
    link.pass(s(1));
    assert!(link.b.at_end(y));
}

#[test]
fn a_reader_that_sleeps_closes_the_window_and_opens_it_again() {
    let mut link = Link::new(ms(1));
    let (x, y) = link.connect();
    let sent = pattern(2_000_000);
    let mut written = link.a.write(x, &sent);
    link.until(s(3600), |link| {
        written += link.a.write(x, &sent[written..]);
        link.a.tcp.info(x).unwrap().send_window == 0
    });
    link.pass(s(1000));
    assert_eq!(link.a.tcp.state(x), Some(State::Established), "answered probes keep it alive");
    let mut read = Vec::new();
    link.until(s(200), |link| {
        written += link.a.write(x, &sent[written..]);
        read.extend(link.b.read(y));
        read.len() == sent.len()
    });
    assert_eq!(read, sent);
}

#[test]
fn a_cut_link_is_noticed_by_keepalive_after_exactly_four_seconds() {
    let mut link = Link::new(ms(1));
    let (x, _) = link.connect();
    link.pass(s(10));
    let now = link.a.now;
    link.a.write(x, b"heard");
    link.until(s(1), |link| link.a.tcp.info(x).unwrap().in_flight == 0 && link.a.now > now);
    let heard = link.a.now;
    link.cut = true;
    let keepalive = Keepalive { after: s(1), interval: s(1), probes: 3 };
    link.a.tcp.set_keepalive(x, Some(keepalive));
    link.until(s(20), |link| link.a.read_some(x, 1) == Poll::Ready(Err(Error::TimedOut)));
    assert_eq!(link.a.now - heard, s(4));
    assert_eq!(link.a.try_write(x, b"x"), Poll::Ready(Err(Error::TimedOut)));
}

#[test]
fn ten_thousand_connections_leave_nothing_behind() {
    let mut link = Link::new(ms(1));
    let listener = link.b.listen(80);
    for round in 0..10_000u32 {
        let x = link.a.connect(core::net::SocketAddr::new(THERE, 80)).unwrap();
        let mut y = None;
        link.until(s(10), |link| {
            y = y.or_else(|| link.b.accept(listener));
            y.is_some()
        });
        let y = y.unwrap();
        if round % 3 == 0 {
            link.a.write(x, b"hello");
            link.until(s(1), |link| link.b.tcp.can_read(y));
        }
        match round % 5 {
            0 => link.a.tcp.abort(x),
            1 => link.b.tcp.abort(y),
            _ => {}
        }
        link.a.tcp.close(x);
        link.b.tcp.close(y);
        link.until(s(10), |link| link.a.tcp.stats().connections + link.b.tcp.stats().connections == 0);
    }
    link.pass(s(400));
    link.assert_empty();
    assert_eq!(link.a.tcp.stats().opened, 10_000);
    assert_eq!(link.b.tcp.stats().accepted, 10_000);
}

#[test]
fn a_silent_peer_is_given_up_after_the_user_timeout() {
    let mut link = Link::new(ms(1));
    let (x, _) = link.connect();
    link.a.tcp.set_user_timeout(x, Some(s(20)));
    link.cut = true;
    link.a.write(x, b"anybody there?");
    let taken = link.until(s(100), |link| link.a.tcp.state(x) == Some(State::Closed));
    assert_eq!(taken, s(20));
    assert_eq!(link.a.read_some(x, 1), Poll::Ready(Err(Error::TimedOut)));
}

#[test]
fn a_blackout_delays_and_loses_nothing() {
    let mut link = Link::new(ms(5));
    let (x, y) = link.connect();
    let sent = pattern(2_000_000);
    let (mut written, mut read) = (0, Vec::new());
    let mut go = |link: &mut Link, goal: usize| {
        link.until(s(120), |link| {
            written += link.a.write(x, &sent[written..]);
            read.extend(link.b.read(y));
            read.len() >= goal
        })
    };
    go(&mut link, 1_000_000);
    link.cut = true;
    link.pass(s(1));
    link.cut = false;
    let taken = go(&mut link, 2_000_000);
    assert!(taken < s(5), "{taken}");
    assert_eq!(read, sent);
}

#[test]
fn a_full_backlog_lets_peers_wait_until_there_is_room() {
    let mut link = Link::new(ms(5));
    let options = ListenOptions { backlog: 2, ..ListenOptions::default() };
    let listener = link.b.listen_with(None, Some(80), options).unwrap();
    let ours: Vec<_> = (0..5).map(|_| link.a.connect(core::net::SocketAddr::new(THERE, 80)).unwrap()).collect();
    link.pass(ms(500));
    assert_eq!(link.b.tcp.stats().connections, 2);
    let mut accepted = 0;
    link.until(s(120), |link| {
        accepted += usize::from(link.b.accept(listener).is_some());
        accepted == 5 && ours.iter().all(|id| link.a.connected(*id) == Poll::Ready(Ok(())))
    });
}

#[test]
fn a_flood_of_syns_leaves_the_door_open_for_those_who_answer() {
    let sizes = Sizes { half_open: 4, ..Sizes::default() };
    let mut link = Link::between(Host::default(), Host::at([10, 0, 0, 2], Config::default(), sizes), ms(5));
    let listener = link.b.listen(80);
    for flood in 0..10_000u32 {
        let from = core::net::SocketAddr::new([192, 0, (flood >> 8) as u8, flood as u8].into(), 1234);
        let syn = Segment::new(from, core::net::SocketAddr::new(THERE, 80), SYN).seq(flood * 7919);
        let _ = link.b.input(&syn);
        link.b.output();
    }
    let stats = link.b.tcp.stats();
    assert_eq!((stats.half_open, stats.connections, stats.blocks_in_use), (4, 0, 0));
    assert!(stats.cookies_sent > 9_000);
    let x = link.a.connect(core::net::SocketAddr::new(THERE, 80)).unwrap();
    let mut y = None;
    let taken = link.until(s(10), |link| {
        y = y.or_else(|| link.b.accept(listener));
        y.is_some() && link.a.connected(x) == Poll::Ready(Ok(()))
    });
    assert_eq!(taken, ms(15));
    assert_eq!(link.b.tcp.stats().cookies_accepted, 1);
    link.a.write(x, &pattern(100_000));
    let mut read = 0;
    link.until(s(10), |link| {
        read += link.b.read(y.unwrap()).len();
        read == 100_000
    });
}

#[test]
fn a_device_that_cuts_and_sums_is_given_large_segments() {
    use mirage_net::{Capabilities, ChecksumOffload, SegmentationOffload};
    let mut host = Host::default();
    host.ip.capabilities = Capabilities {
        checksum: ChecksumOffload::TCP_V4,
        segmentation: SegmentationOffload::TCP_V4,
        max_large_frame: 65_535,
    };
    let (peer, id) = accepted(&mut host, Handshake { scale: Some(7), ..Handshake::default() });
    host.write(id, &pattern(60_000));
    let mut una = 1;
    let mut largest = 0;
    for _ in 0..20 {
        let packets: Vec<_> = {
            while host.tcp.poll_transmit(host.now, &mut host.ip, 16).unwrap() {}
            host.ip.sent.drain(..).collect()
        };
        for sent in packets {
            assert!(sent.packet.checksum.is_some());
            let payload = sent.bytes.len() - 20;
            assert_eq!(sent.packet.segment_size.is_some(), payload > 1460, "{payload}");
            assert!(sent.packet.segment_size.is_none_or(|size| size.get() == 1460));
            largest = largest.max(payload);
            una += payload as u32;
        }
        let _ = host.input(&peer.segment(ACK, 1, una));
    }
    assert_eq!(una, 60_001);
    assert!(largest >= 14_600, "the first window in one piece: {largest}");
}

#[test]
fn a_full_device_loses_nothing() {
    let mut link = Link::new(ms(5));
    let (x, y) = link.connect();
    let sent = pattern(300_000);
    let (mut written, mut read) = (0, Vec::new());
    let start = link.a.now;
    while read.len() < sent.len() {
        assert!(link.a.now - start < s(60));
        written += link.a.write(x, &sent[written..]);
        // Room for three packets in each millisecond.
        link.a.ip.capacity = 3;
        let _ = link.a.tcp.poll_transmit(link.a.now, &mut link.a.ip, 100);
        link.a.ip.capacity = usize::MAX;
        for packet in link.a.ip.sent.drain(..) {
            let _ = link.b.tcp.input(link.b.now, &Received::new(HERE, THERE, &packet.bytes));
        }
        for segment in link.b.output() {
            let _ = link.a.input(&segment);
        }
        (link.a.now, link.b.now) = (link.a.now + ms(1), link.b.now + ms(1));
        link.a.tcp.handle_timeout(link.a.now);
        link.b.tcp.handle_timeout(link.b.now);
        read.extend(link.b.read(y));
    }
    assert_eq!(read, sent);
    assert_eq!(link.a.tcp.stats().retransmits, 0);
}

#[test]
fn a_path_that_takes_less_is_learnt_of() {
    let mut link = Link::new(ms(5));
    let (x, y) = link.connect();
    // The route changes under the connection: shorter packets only.
    link.a.ip.mtu = 1000;
    let sent = pattern(100_000);
    assert_eq!(link.a.write(x, &sent), sent.len());
    let mut read = Vec::new();
    link.until(s(10), |link| {
        read.extend(link.b.read(y));
        read.len() == sent.len()
    });
    assert_eq!(read, sent);
    assert_eq!(link.a.tcp.info(x).unwrap().send_mss, 980 - 12, "the timestamps take their part");
}

#[test]
fn an_application_that_is_gone_is_not_waited_for() {
    let mut link = Link::new(ms(5));
    let (x, y) = link.connect();
    link.a.tcp.close(x);
    link.pass(s(1));
    // The peer goes on talking: nobody listens, and it is told so.
    link.b.write(y, b"hello?");
    link.pass(s(1));
    assert_eq!(link.b.read_some(y, 1), Poll::Ready(Err(Error::ConnectionReset)));
    assert_eq!(link.b.try_write(y, b"?"), Poll::Ready(Err(Error::ConnectionReset)));
    assert_eq!(link.a.tcp.stats().connections, 0);
}

#[test]
fn a_peer_that_never_ends_its_direction_is_forgotten() {
    let mut link = Link::new(ms(5));
    let (x, _y) = link.connect();
    link.a.tcp.close(x);
    link.pass(s(59));
    assert_eq!(link.a.tcp.stats().connections, 1);
    link.pass(s(3));
    assert_eq!(link.a.tcp.stats().connections, 0);
}

#[test]
fn an_acknowledgement_just_behind_the_window_counts() {
    // A peer that has used our window up, though not all of it arrived, has no other number.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.write(id, b"question");
    host.output();
    let end = 1 + host.tcp.info(id).unwrap().receive_window;
    assert!(host.input(&peer.segment(ACK, end + 1, 9)).is_err(), "but no further");
    assert_eq!(host.tcp.info(id).unwrap().in_flight, 8);
    assert_eq!(host.input(&peer.segment(ACK, end, 9)), Ok(()));
    assert_eq!(host.tcp.info(id).unwrap().in_flight, 0);
}

#[test]
fn an_acknowledgement_with_an_old_number_counts() {
    // A peer that probed our window does not know whether we took the byte.
    let mut host = Host::default();
    let (peer, id) = accepted(&mut host, Handshake::default());
    host.answer(&peer.data(1, 1, b"x"));
    host.write(id, b"answer");
    host.output();
    let _ = host.input(&peer.segment(ACK, 1, 8));
    assert_eq!(host.tcp.info(id).unwrap().in_flight, 6, "what was never sent is not acknowledged");
    let _ = host.input(&peer.segment(ACK, 1, 7));
    assert_eq!(host.tcp.info(id).unwrap().in_flight, 0);
}
