//! The exam for IP layers.

use core::net::IpAddr;

use mirage_net::SendError;

use crate::{Ip, Packet, Protocol};

/// Examines an IP layer that has a route to `to` and room for a few packets.
///
/// What is asked: it has an address of `to`'s version and an MTU of at least 548 bytes behind the header (RFC 791); a
/// packet of the MTU passes, with a `fill` that starts at its own place, is called at most once and finds room for what
/// was announced; a longer packet that must not be cut is refused with the MTU that would pass; a `fill` that overflows
/// is refused and is not in the way of the next packet.
///
/// ```
/// use mirage_protocols::testing::{FakeIp, examine_ip};
///
/// examine_ip(&mut FakeIp::new([10, 0, 0, 1]), [10, 0, 0, 2].into());
/// ```
///
/// # Panics
/// When the layer fails; the message says at what.
pub fn examine_ip(ip: &mut impl Ip, to: IpAddr) {
    let source = ip.source(to).expect("the exam needs a route");
    assert_eq!(source.is_ipv4(), to.is_ipv4(), "a source address must be of the destination's version");
    assert!(!source.is_unspecified() && !source.is_multicast(), "{source} is no source address");
    let mtu = ip.mtu(to);
    assert!(mtu >= 548, "an MTU of {mtu} bytes behind the header is too little");

    for len in [0, 8, mtu] {
        let mut calls = 0;
        let packet = Packet { dont_fragment: true, ..Packet::new(source, to, EXPERIMENT, len) };
        let sent = ip.send(packet, |out| {
            calls += 1;
            let before = out.len();
            assert!(out.remaining() >= len, "the layer must lend as much as was announced");
            out.put_zeroes(len);
            assert_eq!(out.len(), before + len, "`len` counts what was written");
        });
        assert_eq!(sent, Ok(()), "a packet of {len} bytes must pass an MTU of {mtu}");
        assert!(calls <= 1, "`fill` was called {calls} times");
    }

    let packet = Packet { dont_fragment: true, ..Packet::new(source, to, EXPERIMENT, mtu + 1) };
    let sent = ip.send(packet, |_| panic!("`fill` of a packet that cannot go"));
    let header = if to.is_ipv4() { 20 } else { 40 };
    assert_eq!(sent, Err(SendError::WouldFragment { mtu: mtu + header }), "one byte more than the MTU");

    let sent = ip.send(Packet::new(source, to, EXPERIMENT, 8), |out| {
        let room = out.remaining();
        out.put_zeroes(room + 1);
        out.put_zeroes(8.min(room));
    });
    assert_eq!(sent, Err(SendError::TooLong), "a packet that overflowed its buffer must be refused");
    let sent = ip.send(Packet::new(source, to, EXPERIMENT, 8), |out| out.put_zeroes(8));
    assert_eq!(sent, Ok(()), "a refused packet must not be in the way of the next");
}

/// RFC 3692: for experiments.
const EXPERIMENT: Protocol = Protocol(253);
