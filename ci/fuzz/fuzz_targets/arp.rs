//! Packets at ARP between sends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mirage_arp::{Arp, Claim, Config, Entry, Storage};
use mirage_clock::{Duration, Instant};
use mirage_net::MacAddress;
use mirage_protocols::testing::FakeEthernet;
use mirage_protocols::{EtherType, HopPacket, NextHop};

fuzz_target!(|input: &[u8]| {
    let mut entries = [Entry::EMPTY; 8];
    let mut addresses = [None; 2];
    let mut pending: [_; 4] = std::array::from_fn(|_| None);
    let mut bytes = [0; 2048];
    let mut messages = [None; 4];
    let mut events = [None; 2];
    let storage = Storage {
        entries: (&mut entries[..]).into(),
        addresses: (&mut addresses[..]).into(),
        pending: (&mut pending[..]).into(),
        bytes: (&mut bytes[..]).into(),
        messages: (&mut messages[..]).into(),
        events: (&mut events[..]).into(),
    };
    let mac = MacAddress([2, 0, 0, 0, 0, 1]);
    let mut arp = Arp::new(Config::new(mac), storage, [7; 16]);
    let mut now = Instant::ZERO;
    arp.add_address(now, [10, 0, 0, 1].into(), Claim::Probe).unwrap();
    let mut link = FakeEthernet::new(mac);
    let mut rest = input;
    while let Some((verb, tail)) = rest.split_first() {
        rest = tail;
        now += Duration::from_millis(u64::from(*verb) * 40);
        if verb % 2 == 0 {
            let Some((packet, tail)) = rest.split_at_checked(28) else { break };
            rest = tail;
            let mut packet = packet.to_vec();
            if verb % 4 == 0 {
                packet[..6].copy_from_slice(&[0, 1, 8, 0, 6, 4]);
            }
            let source = MacAddress(packet[8..14].try_into().unwrap());
            let _counted = arp.input(now, &packet, source);
        } else {
            let to = NextHop::Neighbour([10, 0, 0, verb % 32].into());
            let packet = HopPacket { to, len: usize::from(*verb), checksum: None, segment_size: None };
            let _refused = arp.send(now, packet, EtherType::IPV4, &mut link, |out| out.put_zeroes(usize::from(*verb)));
        }
        arp.handle_timeout(now);
        let _full = arp.poll_transmit(now, &mut link);
        while arp.next_event().is_some() {}
        link.sent.clear();
    }
});
