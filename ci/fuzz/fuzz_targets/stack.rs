//! Frames at the assembled stack, with a listener and a socket.
#![no_main]

use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use mirage_clock::{Duration, Instant};
use mirage_net::testing::FakeNet;
use mirage_net::{Capabilities, ChecksumOffload, Net as _, Outgoing, PartialChecksum, Transmit as _};
use mirage_random::Generator;
use mirage_random::testing::FixedEntropy;
use mirage_stack::{ListenOptions, Stack as _};
use mirage_tcpip::{Config, Sizes, Stack, Storage};

const SIZES: Sizes = Sizes {
    connections: 8,
    half_open: 4,
    time_wait: 4,
    listeners: 2,
    blocks: 16,
    udp_sockets: 4,
    udp_blocks: 16,
    neighbours: 8,
    addresses: 2,
    groups: 2,
    fragments: 32,
};

fuzz_target!(|input: &[u8]| {
    let (mut device, mut peer) = FakeNet::pair();
    peer.set_capabilities(Capabilities { checksum: ChecksumOffload::all(), ..Capabilities::default() });
    let mac = device.split().1.mac();
    let mut generator = Generator::unseeded();
    generator.seed(&mut FixedEntropy::new(7)).unwrap();
    let stack = Stack::new(device, Config::default(), Storage::allocate(SIZES), generator.seeded().unwrap());
    stack.add_address("10.0.0.1/24".parse().unwrap()).unwrap();
    let mut listener = (&stack).listen("0.0.0.0:80".parse().unwrap(), ListenOptions::default()).unwrap();
    let socket = (&stack).bind("0.0.0.0:7".parse().unwrap()).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let mut now = Instant::ZERO;
    let mut buffer = [0; 256];
    let mut streams = Vec::new();
    let mut rest = input;
    while let Some(([verb, len], tail)) = rest.split_first_chunk::<2>() {
        let (bytes, tail) = tail.split_at((usize::from(*len) * 2).min(tail.len()));
        rest = tail;
        now += Duration::from_millis(u64::from(*verb));
        // Most random frames would fail at the first header: give them the right beginning.
        let mut frame = Vec::with_capacity(14 + bytes.len());
        frame.extend_from_slice(&mac.octets());
        frame.extend_from_slice(&[2, 0, 0, 0, 0, 2]);
        frame.extend_from_slice(if verb % 8 == 0 { &[8, 6] } else { &[8, 0] });
        frame.extend_from_slice(bytes);
        mend(&mut frame[14..]);
        // Half of them arrive as from a peer that left the transport checksum to its device.
        let checksum = (verb % 2 == 0).then_some(PartialChecksum { start: 34, offset: 16 });
        let outgoing = Outgoing { checksum, ..Outgoing::new(frame.len()) };
        let (_, transmit) = peer.split();
        let _full = transmit.send(outgoing, |out| out.put(&frame));
        transmit.flush();
        while peer.take_sent().is_some() {}
        let _progress = stack.poll(now, &mut cx).unwrap();
        if let Poll::Ready(Ok(stream)) = listener.poll_accept(&mut cx) {
            streams.push(stream);
        }
        for stream in &mut streams {
            let _read = stream.poll_read(&mut cx, &mut buffer);
            let _written = stream.poll_write(&mut cx, b"fuzz");
        }
        if verb % 16 == 1 {
            streams.pop();
        }
        let _received = socket.poll_recv(&mut cx, &mut buffer);
    }
    drop(streams);
});

/// Makes the length and checksum of an IPv4 header right.
fn mend(packet: &mut [u8]) {
    if packet.len() < 20 || packet[0] >> 4 == 0 {
        return;
    }
    packet[0] = 0x45;
    let len = packet.len() as u16;
    packet[2..4].copy_from_slice(&len.to_be_bytes());
    packet[16..20].copy_from_slice(&[10, 0, 0, 1]);
    packet[10..12].fill(0);
    let mut sum: u32 = packet[..20].chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1])).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    packet[10..12].copy_from_slice(&(!(sum as u16)).to_be_bytes());
}
