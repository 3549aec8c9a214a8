//! Packets at IPv4, with reassembly, in order and in time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mirage_clock::{Duration, Instant};
use mirage_ipv4::{Block, Config, Ipv4, Storage};
use mirage_net::ReceivedChecksum;
use mirage_protocols::{Cast, InterfaceId};

fuzz_target!(|input: &[u8]| {
    let mut addresses = [None; 2];
    let (mut routes, mut groups) = ([None; 2], [None; 2]);
    let mut blocks = [Block::EMPTY; 64];
    let (mut assembly, mut out) = ([0; 8192], [0; 64]);
    let storage = Storage {
        addresses: (&mut addresses[..]).into(),
        routes: (&mut routes[..]).into(),
        groups: (&mut groups[..]).into(),
        reassembly: (&mut blocks[..]).into(),
        assembly: (&mut assembly[..]).into(),
        fragments_out: (&mut out[..]).into(),
    };
    let mut ipv4 = Ipv4::new(Config { accept_any: true, ..Config::default() }, storage, [7; 16]);
    ipv4.add_address(InterfaceId(0), "10.0.0.1/24".parse().unwrap()).unwrap();
    let mut now = Instant::ZERO;
    let mut rest = input;
    // Two bytes of length and one of time, then a packet whose checksum is made right, or not.
    while let Some(([high, low, time], tail)) = rest.split_first_chunk::<3>() {
        let len = (usize::from(*high) << 8 | usize::from(*low)).min(tail.len());
        let (packet, tail) = tail.split_at(len);
        rest = tail;
        now += Duration::from_millis(u64::from(*time) * 10);
        let mut packet = packet.to_vec();
        mend(&mut packet);
        if let Ok(Some(whole)) =
            ipv4.input(now, InterfaceId(0), Cast::Unicast, &packet, ReceivedChecksum::Unchecked, None)
        {
            assert!(whole.received.payload.len() <= 65_515);
        }
        while ipv4.poll_expired(now).is_some() {}
    }
    ipv4.handle_timeout(now + Duration::from_secs(3600));
    assert_eq!(ipv4.blocks_in_use(), 0, "everything is forgotten in time");
});

/// Most random headers would fail at their checksum alone: make it right unless the packet's last bit is set.
fn mend(packet: &mut [u8]) {
    if packet.len() < 20 || packet.last().is_some_and(|last| last & 1 == 1) {
        return;
    }
    packet[0] = 0x40 | (packet[0] & 15).max(5);
    let len = (usize::from(packet[0] & 15) * 4).min(packet.len());
    packet[10..12].fill(0);
    let mut sum: u32 =
        packet[..len].chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    packet[10..12].copy_from_slice(&(!(sum as u16)).to_be_bytes());
}
