//! The header that is known beforehand is the one a packet would have got, for as long as nothing else would have been done:
//! a station that uses it and one that never does say the same at the same times.

mod station;

use core::net::Ipv4Addr;

use mirage_arp::Config;
use mirage_clock::{Duration, Instant};
use mirage_net::{FrameWriter, MacAddress, Outgoing, SendError};
use mirage_protocols::testing::SentFrame;
use mirage_protocols::{InterfaceId, LinkHeader, Neighbours};
use proptest::prelude::*;
use station::*;

const LINK: InterfaceId = InterfaceId(0);

/// What happens to a station.
#[derive(Clone, Debug)]
enum Step {
    /// So many packets to a neighbour.
    Send(usize, usize),
    /// A neighbour says who it is, in an answer or a question.
    Hear(u16, usize, MacAddress),
    Pass(u64),
    /// What is to be sent is sent.
    Transmit,
    SetStatic(usize, MacAddress),
    RemoveStatic(usize),
    /// How many frames the link takes.
    Room(usize),
    Claim(usize),
}

const NEIGHBOURS: [Ipv4Addr; 3] = [PEER_IP, Ipv4Addr::new(10, 0, 0, 3), Ipv4Addr::new(10, 0, 0, 4)];

fn step() -> impl Strategy<Value = Step> {
    let who = prop_oneof![4 => Just(0_usize), 1 => 0_usize..3];
    let mac = prop_oneof![Just(PEER), Just(OTHER)];
    let time = prop_oneof![0_u64..500, 500_u64..3_000, 50_000_u64..70_000, 1_000_000_u64..1_300_000];
    prop_oneof![
        8 => (who.clone(), 1_usize..4).prop_map(|(who, count)| Step::Send(who, count)),
        3 => (1_u16..3, who.clone(), mac.clone()).prop_map(|(operation, who, mac)| Step::Hear(operation, who, mac)),
        3 => time.prop_map(Step::Pass),
        3 => Just(Step::Transmit),
        1 => (who.clone(), mac).prop_map(|(who, mac)| Step::SetStatic(who, mac)),
        1 => who.clone().prop_map(Step::RemoveStatic),
        1 => prop_oneof![Just(0_usize), Just(usize::MAX)].prop_map(Step::Room),
        1 => who.prop_map(Step::Claim),
    ]
}

/// What sends came to, what was said, what is due when, whether there is more to say, and how many packets wait.
type Seen = (Vec<Result<(), SendError>>, Vec<SentFrame>, Option<Instant>, bool, usize);

struct Subject {
    station: Station,
    straight: bool,
    /// How many packets went with a header that was known.
    known: usize,
    count: u8,
}

impl Subject {
    fn new(straight: bool) -> Self {
        // Refreshing begins early enough to be seen.
        let config = Config { lifetime: Duration::from_secs(60), ..Config::new(OURS) };
        Self { station: Station::settled_with(config, Sizes::default()), straight, known: 0, count: 0 }
    }

    fn send(&mut self, to: Ipv4Addr) -> Result<(), SendError> {
        self.count = self.count.wrapping_add(1);
        let bytes = [self.count; 40];
        let Station { arp, link, now } = &mut self.station;
        let mut over = arp.over(*now, link);
        if self.straight
            && let Some(LinkHeader(header)) = over.header(LINK, to)
        {
            self.known += 1;
            return over.send_frame(LINK, Outgoing::new(header.len() + bytes.len()), |frame: &mut FrameWriter<'_>| {
                frame.put(&header);
                frame.put(&bytes);
            });
        }
        self.station.send(to, &bytes)
    }

    /// Does it, and gives all that can be seen of it.
    fn take(&mut self, step: &Step) -> Seen {
        let mut results = Vec::new();
        match *step {
            Step::Send(who, count) => results = (0..count).map(|_| self.send(NEIGHBOURS[who])).collect(),
            Step::Hear(operation, who, mac) => _ = self.station.input(operation, (mac, NEIGHBOURS[who]), OUR_IP),
            Step::Pass(millis) => {
                self.station.now += Duration::from_millis(millis);
                self.station.arp.handle_timeout(self.station.now);
            }
            Step::Transmit => {
                let Station { arp, link, now } = &mut self.station;
                results.push(arp.poll_transmit(*now, link));
            }
            Step::SetStatic(who, mac) => _ = self.station.arp.set_static(NEIGHBOURS[who], mac),
            Step::RemoveStatic(who) => {
                self.station.arp.remove_static(NEIGHBOURS[who]);
            }
            Step::Room(room) => self.station.link.capacity = room,
            Step::Claim(who) => {
                let now = self.station.now;
                _ = self.station.arp.add_address(now, NEIGHBOURS[who], mirage_arp::Claim::AtOnce);
            }
        }
        let arp = &self.station.arp;
        let (timeout, wants, pending) = (arp.poll_timeout(), arp.wants_transmit(), arp.pending());
        (results, self.station.link.sent.drain(..).collect(), timeout, wants, pending)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_same_is_said_with_and_without_it(steps in prop::collection::vec(step(), 1..60)) {
        let (mut straight, mut winding) = (Subject::new(true), Subject::new(false));
        for step in steps {
            prop_assert_eq!(straight.take(&step), winding.take(&step), "{:?}", step);
        }
    }
}

#[test]
fn it_is_known_for_a_second_after_a_packet_and_no_longer_when_anything_changes() {
    let mut subject = Subject::new(true);
    subject.station.meet(PEER, PEER_IP);
    let mut known = |change: &dyn Fn(&mut Station)| {
        change(&mut subject.station);
        let before = subject.known;
        (0..3).for_each(|_| subject.send(PEER_IP).unwrap());
        subject.known - before
    };
    assert_eq!(known(&|_| {}), 2, "the first had to look for it");
    assert_eq!(known(&|station| station.now += Duration::from_millis(999)), 3);
    assert_eq!(known(&|station| station.now += Duration::from_millis(2)), 2, "its use is noted once a second");
    assert_eq!(known(&|station| station.reply((OTHER, PEER_IP)).unwrap()), 2, "it has another address");
    assert_eq!(known(&|station| station.arp.set_static(PEER_IP, PEER).unwrap()), 2);
    assert_eq!(known(&|station| station.now += Duration::from_secs(100_000)), 3, "what was set by hand stays");
    let gone = known(&|station| assert!(station.arp.remove_static(PEER_IP)));
    assert_eq!(gone, 0, "it is asked for again");
}
