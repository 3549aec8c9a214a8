//! Messages at ICMP, and errors about anything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mirage_clock::Instant;
use mirage_icmp::{Config, ErrorToSend, Icmp};
use mirage_net::ReceivedChecksum;
use mirage_protocols::testing::FakeIp;
use mirage_protocols::{Cast, Received};

fuzz_target!(|input: &[u8]| {
    let mut icmp = Icmp::new(Config::default(), [7; 16]);
    let mut ip = FakeIp::new([10, 0, 0, 1]);
    let received = Received::new([10, 0, 0, 2].into(), [10, 0, 0, 1].into(), input);
    let _counted = icmp.input(Instant::ZERO, &Received { checksum: ReceivedChecksum::Verified, ..received }, &mut ip);
    let _counted = icmp.input(Instant::ZERO, &received, &mut ip);
    let (header, payload) = input.split_at(input.len().min(20));
    let error = ErrorToSend::PortUnreachable;
    let _counted = icmp.send_error(Instant::ZERO, error, header, payload, Cast::Unicast, &mut ip);
});
