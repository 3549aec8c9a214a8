//! Datagrams at UDP with sockets of every kind.
#![no_main]

use std::num::NonZeroU16;
use std::task::{Context, Waker};

use libfuzzer_sys::fuzz_target;
use mirage_clock::Instant;
use mirage_net::ReceivedChecksum;
use mirage_protocols::testing::FakeIp;
use mirage_protocols::{IcmpError, IcmpErrorKind, Protocol, Received};
use mirage_udp::{Config, Local, PortChoice, Storage, Udp};

fuzz_target!(|input: &[u8]| {
    let storage = Storage {
        sockets: (0..4).map(|_| mirage_udp::SocketSlot::EMPTY).collect::<Vec<_>>().into(),
        buckets: vec![mirage_udp::Bucket::EMPTY; 4].into(),
        blocks: vec![mirage_udp::Block::EMPTY; 16].into(),
        wakers: (0..4).map(|_| mirage_udp::WakerSlot::EMPTY).collect::<Vec<_>>().into(),
    };
    let mut udp: Udp<'_> = Udp::new(Config::default(), storage, [7; 16]);
    let mut ip = FakeIp::new([10, 0, 0, 1]);
    let port = PortChoice::Exactly(NonZeroU16::new(7).unwrap());
    let exact = udp.bind(Local { address: Some([10, 0, 0, 1].into()), port }).unwrap();
    let any = udp.bind(Local { address: None, port: PortChoice::Any }).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let mut buffer = [0; 512];
    for (at, datagram) in input.split(|byte| *byte == 0xff).enumerate() {
        let received = Received::new([10, 0, 0, 2].into(), [10, 0, 0, 1].into(), datagram);
        let checksum = if at % 2 == 0 { ReceivedChecksum::Verified } else { ReceivedChecksum::Unchecked };
        let _counted = udp.input(Instant::ZERO, &Received { checksum, ..received });
        for id in [exact, any] {
            let _taken = udp.poll_recv(id, &mut cx, &mut buffer);
        }
        let _counted = udp.on_icmp_error(&IcmpError {
            kind: IcmpErrorKind::PortUnreachable,
            reporter: [10, 0, 0, 2].into(),
            source: [10, 0, 0, 1].into(),
            destination: [10, 0, 0, 2].into(),
            protocol: Protocol::UDP,
            quoted: datagram,
        });
        let _full = udp.poll_transmit(Instant::ZERO, &mut ip, 4);
        ip.sent.clear();
    }
});
