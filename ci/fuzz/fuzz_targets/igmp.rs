//! Messages at IGMP while groups are joined and left.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mirage_clock::{Duration, Instant};
use mirage_protocols::testing::FakeIp;
use mirage_protocols::{Cast, Received};
use mirage_udp::igmp::{GroupSlot, Igmp};

fuzz_target!(|input: &[u8]| {
    let mut groups = [GroupSlot::EMPTY; 3];
    let mut igmp = Igmp::new(&mut groups[..], [7; 16]);
    let mut ip = FakeIp::new([10, 0, 0, 1]);
    let mut now = Instant::ZERO;
    let mut rest = input;
    while let Some(([verb, len], tail)) = rest.split_first_chunk::<2>() {
        let (message, tail) = tail.split_at(usize::from(*len).min(tail.len()));
        rest = tail;
        now += Duration::from_millis(u64::from(*verb) * 10);
        let group = [224, 0, verb % 4, verb % 8].into();
        match verb % 3 {
            0 => drop(igmp.join(group)),
            1 => drop(igmp.leave(group)),
            _ => {
                let received = Received::new([10, 0, 0, 2].into(), [224, 0, 0, 1].into(), message);
                let _counted = igmp.input(now, &Received { cast: Cast::Multicast, ttl: 1, ..received });
            }
        }
        igmp.handle_timeout(now);
        igmp.poll_transmit(now, &mut ip).unwrap();
        ip.sent.clear();
    }
});
