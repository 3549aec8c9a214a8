//! Frames at the small host, with a listener, connections, one that it opens, and a socket.
#![no_main]

use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use mirage_clock::{Duration, Instant};
use mirage_net::testing::FakeNet;
use mirage_net::{Frame, MacAddress, Net as _, ReceivedChecksum, Transmit as _};
use mirage_tiny::{Host, Keepalive, ListenOptions, Sizes, Storage, TcpOptions};

const SIZES: Sizes = Sizes { connections: 4, buffer: 700, listeners: 1, neighbours: 2, sockets: 1, datagrams: 300 };

fuzz_target!(|input: &[u8]| {
    let mac = MacAddress([2, 0, 0, 0, 0, 1]);
    let mut device = FakeNet::new(mac);
    let mut host = Host::new(mac.octets(), 1500, Storage::allocate(SIZES), [7; 16]);
    host.set_address("10.0.0.1/24".parse().unwrap());
    host.set_gateway([10, 0, 0, 2].into());
    let keepalive = Keepalive { after: Duration::from_secs(1), interval: Duration::from_secs(1), probes: 2 };
    let tcp = TcpOptions { keepalive: Some(keepalive), ..TcpOptions::default() };
    let door = host.listen(80, ListenOptions { backlog: 2, tcp }).unwrap();
    let socket = host.bind(7).unwrap();
    let cx = Context::from_waker(Waker::noop());
    let mut now = Instant::ZERO;
    let mut buffer = [0; 256];
    let mut open = Vec::new();
    // What the host said last: an answer that makes sense of it goes far.
    let (mut expected, mut said) = ([0; 4], [0; 4]);
    let mut rest = input;
    while let Some(([verb, len], tail)) = rest.split_first_chunk::<2>() {
        let (bytes, tail) = tail.split_at(usize::from(*len).min(tail.len()));
        rest = tail;
        now += Duration::from_millis(u64::from(*verb) * u64::from(*verb));
        let frame = frame(*verb, bytes, mac.octets(), (expected, said));
        let lent = Frame { checksum: ReceivedChecksum::Verified, ..Frame::new(&frame) };
        host.handle_timeout(now);
        host.input(now, &lent, device.split().1);
        if let Poll::Ready(Ok(id)) = host.poll_accept(door, &cx) {
            open.push(id);
        }
        if *verb == 255
            && let Ok(id) = host.connect("10.0.0.2:5".parse().unwrap(), &tcp)
        {
            open.push(id);
        }
        for id in &open {
            let _read = host.poll_read(*id, &cx, &mut buffer[..usize::from(*verb)]);
            let _written = host.poll_write(*id, &cx, &buffer);
        }
        if verb % 16 == 1
            && let Some(id) = open.pop()
        {
            if verb % 32 == 1 { host.close(id) } else { host.abort(id) }
        }
        if let Poll::Ready(Ok(datagram)) = host.poll_recv(socket, &cx, &mut buffer) {
            let _sent =
                host.poll_send(socket, &cx, device.split().1, &buffer[..datagram.len.min(256)], datagram.remote);
        }
        let mut turns = 0;
        while host.poll_transmit(now, device.split().1, 16) == Ok(true) {
            turns += 1;
            assert!(turns < 1_000, "it never stops sending");
        }
        device.split().1.flush();
        while let Some(sent) = device.take_sent() {
            (said, expected) = segment(&sent.bytes).unwrap_or((said, expected));
        }
        assert!(host.connections() <= SIZES.connections);
    }
});

/// The numbers of a segment: behind it, and what it acknowledges.
fn segment(frame: &[u8]) -> Option<([u8; 4], [u8; 4])> {
    let (sequence, acknowledgment) = (frame.get(38..42)?, frame.get(42..46)?);
    let syn = u32::from(frame.get(47)? & 3 != 0);
    let behind = u32::from_be_bytes(sequence.try_into().ok()?).wrapping_add(syn + (frame.len() - 54) as u32);
    Some((behind.to_be_bytes(), acknowledgment.try_into().ok()?))
}

/// A frame that begins well: for ARP, IPv4, or TCP in a conversation, as `verb` says.
fn frame(verb: u8, bytes: &[u8], mac: [u8; 6], (expected, said): ([u8; 4], [u8; 4])) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend_from_slice(&mac);
    frame.extend_from_slice(&[2, 0, 0, 0, 0, 2]);
    frame.extend_from_slice(if verb.is_multiple_of(16) { &[8, 6] } else { &[8, 0] });
    if verb.is_multiple_of(16) || bytes.len() < 2 {
        frame.extend_from_slice(bytes);
        return frame;
    }
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1];
    if verb % 4 == 1 {
        packet[9] = [1, 6, 17][usize::from(bytes[0] % 3)];
        packet.extend_from_slice(&bytes[1..]);
    } else {
        let ports: [u8; 4] = if verb % 8 == 7 { [0, 5, 192, 0] } else { [0, bytes[0] % 4 + 1, 0, 80] };
        packet.extend_from_slice(&ports);
        packet.extend_from_slice(&expected);
        packet.extend_from_slice(&said);
        packet.extend_from_slice(&[0x50, bytes[1], 16, 0, 0, 0, 0, 0]);
        packet.extend_from_slice(&bytes[2..]);
    }
    let len = packet.len() as u16;
    packet[2..4].copy_from_slice(&len.to_be_bytes());
    let sum = mirage_checksum::checksum(&packet[..20]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    frame.extend_from_slice(&packet);
    frame
}
