//! Real tap devices, in a network namespace of their own. They need root: without it each test says so and passes.

#![cfg(target_os = "linux")]
#![allow(clippy::std_instead_of_core, reason = "std is there")]

use std::net::UdpSocket;
use std::num::NonZeroU16;
use std::process::Command;
use std::task::{Context, Poll, Waker};

use mirage_clock::{Duration, Monotonic};
use mirage_net::testing::{examine_disconnected, examine_keeping, examine_pair};
use mirage_net::{
    Capabilities, ChecksumOffload, Frame, FrameId, FrameSet, Link, Net, Outgoing, PartialChecksum, Receive,
    ReceivedChecksum, Transmit,
};
use mirage_net_unix::{Options, Tap};
use mirage_unix::{MonotonicClock, Reactor};

/// Runs `test` in a process with a network namespace of its own; returns where it cannot.
fn in_namespace(name: &str, test: fn()) {
    if std::env::var_os("MIRAGE_TAP_TEST").is_some() {
        return test();
    }
    if !rustix_is_root() || !std::path::Path::new("/dev/net/tun").exists() {
        eprintln!("skipped: needs root and /dev/net/tun");
        return;
    }
    let this = std::env::current_exe().expect("the test knows its file");
    let output = Command::new("unshare")
        .arg("--net")
        .arg(this)
        .args(["--exact", name, "--nocapture"])
        .env("MIRAGE_TAP_TEST", "1")
        .output()
        .expect("there is an unshare");
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn rustix_is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().expect("there is an ip");
    assert!(status.success(), "ip {arguments}");
}

fn open(reactor: &Reactor, name: &str, offloads: bool) -> Tap {
    Tap::open(reactor, name, Options { offloads, ..Options::default() }).expect("root may")
}

/// Two devices on one bridge.
fn bridged(reactor: &Reactor, offloads: [bool; 2]) -> [Tap; 2] {
    ip("link add bridge0 type bridge mcast_snooping 0");
    ip("link set bridge0 up");
    let mut number = 0;
    offloads.map(|offloads| {
        let name = format!("tap{number}");
        number += 1;
        let tap = open(reactor, &name, offloads);
        ip(&format!("link set {name} master bridge0"));
        ip(&format!("link set {name} up"));
        tap
    })
}

fn settle(reactor: &Reactor) {
    reactor.wait(Some(MonotonicClock.now() + Duration::from_millis(2))).expect("waited");
}

/// The first frame that `wanted` takes something from.
fn receive<R>(reactor: &Reactor, tap: &mut Tap, mut wanted: impl FnMut(Frame<'_>) -> Option<R>) -> Option<R> {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..500 {
        match tap.split().0.poll_frame(&mut cx, &mut wanted) {
            Poll::Ready(Ok(Some(found))) => return Some(found),
            Poll::Ready(Ok(None)) => {}
            Poll::Ready(Err(error)) => panic!("{error}"),
            Poll::Pending => settle(reactor),
        }
    }
    None
}

/// Keeps the first UDP datagram to port 5000: its number, and what was lent.
fn keep_datagram(reactor: &Reactor, tap: &mut Tap) -> Option<(Option<FrameId>, Vec<u8>)> {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..500 {
        let came = tap.split().0.poll_frame_to_keep(&mut cx, |frame, number| {
            let ours = frame.bytes.get(12..14) == Some(&[8, 0]) && frame.bytes.get(36..38) == Some(&[0x13, 0x88]);
            (ours.then(|| (number, frame.bytes.to_vec())), ours)
        });
        match came {
            Poll::Ready(Ok(Some(found))) => return Some(found),
            Poll::Ready(Ok(None)) => {}
            Poll::Ready(Err(error)) => panic!("{error}"),
            Poll::Pending => settle(reactor),
        }
    }
    None
}

/// As [`receive`], but soon.
fn receive_now<R>(reactor: &Reactor, tap: &mut Tap, mut wanted: impl FnMut(Frame<'_>) -> Option<R>) -> Option<R> {
    let mut cx = Context::from_waker(Waker::noop());
    settle(reactor);
    while let Poll::Ready(Ok(found)) = tap.split().0.poll_frame(&mut cx, &mut wanted) {
        if found.is_some() {
            return found;
        }
    }
    None
}

#[test]
fn two_devices_with_offloads_pass_the_exam() {
    in_namespace("two_devices_with_offloads_pass_the_exam", || {
        let reactor = Reactor::new().expect("a reactor");
        let [mut a, mut b] = bridged(&reactor, [true, true]);
        examine_pair(&mut a, &mut b, || settle(&reactor));
    });
}

#[test]
fn two_plain_devices_pass_the_exam() {
    in_namespace("two_plain_devices_pass_the_exam", || {
        let reactor = Reactor::new().expect("a reactor");
        let [mut a, mut b] = bridged(&reactor, [false, false]);
        assert_eq!(a.split().1.capabilities(), Capabilities::default());
        examine_pair(&mut a, &mut b, || settle(&reactor));
    });
}

#[test]
fn devices_keep_frames_with_and_without_offloads() {
    in_namespace("devices_keep_frames_with_and_without_offloads", || {
        for offloads in [[true, true], [true, false], [false, false]] {
            let reactor = Reactor::new().expect("a reactor");
            let [mut a, mut b] = bridged(&reactor, offloads);
            assert_eq!(examine_keeping(&mut a, &mut b, || settle(&reactor)), [FrameId::COUNT; 2], "{offloads:?}");
            ip("link delete bridge0");
        }
    });
}

#[test]
fn what_the_kernel_sends_is_kept_until_the_interface_is_gone_and_longer() {
    in_namespace("what_the_kernel_sends_is_kept_until_the_interface_is_gone_and_longer", || {
        for offloads in [true, false] {
            let reactor = Reactor::new().expect("a reactor");
            let mut tap = open(&reactor, "tap0", offloads);
            ip("address add 10.9.0.1/24 dev tap0");
            ip("link set tap0 up");
            // The kernel need not ask who that is.
            ip("neighbour add 10.9.0.2 lladdr 02:00:00:00:00:09 dev tap0");
            let socket = UdpSocket::bind("10.9.0.1:4000").expect("the kernel's address");
            let payload = |number: usize| vec![number as u8; 100 * number];
            let mut kept = Vec::new();
            for number in 1..=14 {
                socket.send_to(&payload(number), "10.9.0.2:5000").expect("sent");
                let (frame, lent) = keep_datagram(&reactor, &mut tap).expect("it arrives");
                assert_eq!(lent[42..], payload(number), "what was sent");
                kept.push((frame.expect("a number"), lent));
            }
            ip("link delete tap0");
            examine_disconnected(&mut tap);
            let (receive, _) = tap.split();
            for (frame, lent) in &kept {
                assert_eq!(receive.kept(*frame), lent);
            }
            receive.release(FrameSet::ALL);
            assert!(kept.iter().all(|(frame, _)| receive.kept(*frame).is_empty()));
        }
    });
}

#[test]
fn a_device_can_be_opened_again_as_soon_as_it_was_dropped() {
    in_namespace("a_device_can_be_opened_again_as_soon_as_it_was_dropped", || {
        let reactor = Reactor::new().expect("a reactor");
        ip("tuntap add dev tap0 mode tap vnet_hdr");
        ip("link set tap0 up");
        for _ in 0..20 {
            let mut tap = open(&reactor, "tap0", true);
            let transmit = tap.split().1;
            for _ in 0..5 {
                transmit.send(Outgoing::new(60), |frame| frame.put(&[0xff; 60])).expect("room");
            }
            transmit.flush();
            assert_eq!(tap.stats().tx_frames, 5);
        }
    });
}

#[test]
fn a_hundred_frames_arrive_in_order() {
    in_namespace("a_hundred_frames_arrive_in_order", || {
        let reactor = Reactor::new().expect("a reactor");
        let [mut a, mut b] = bridged(&reactor, [true, false]);
        let frame = |number: u8| {
            let mut bytes = [number; 100];
            bytes[..14].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5]);
            bytes
        };
        let numbered = |frame: Frame<'_>| (frame.bytes.get(12..14)? == [0x88, 0xb5]).then(|| frame.bytes[99]);
        // Until the bridge forwards.
        while receive_now(&reactor, &mut b, numbered).is_none() {
            let transmit = a.split().1;
            transmit.send(Outgoing::new(100), |writer| writer.put(&frame(0))).expect("room");
            transmit.flush();
        }
        let transmit = a.split().1;
        for number in 1..=100 {
            transmit.send(Outgoing::new(100), |writer| writer.put(&frame(number))).expect("room");
        }
        transmit.flush();
        for number in 1..=100 {
            let came = receive(&reactor, &mut b, |frame| numbered(frame).filter(|&number| number != 0));
            assert_eq!(came, Some(number));
        }
    });
}

#[test]
fn a_deleted_interface_is_gone_for_good() {
    in_namespace("a_deleted_interface_is_gone_for_good", || {
        let reactor = Reactor::new().expect("a reactor");
        let mut tap = open(&reactor, "tap0", true);
        ip("link set tap0 up");
        assert_eq!(tap.split().1.link(), Link::Up);
        let mut cx = Context::from_waker(Waker::noop());
        while tap.split().0.poll_frame(&mut cx, |_| ()).is_ready() {}
        ip("link delete tap0");
        assert!(
            reactor.wait(Some(MonotonicClock.now() + Duration::from_secs(5))).expect("waited") > 0,
            "who waits is woken"
        );
        examine_disconnected(&mut tap);
    });
}

#[test]
fn a_device_that_is_down_loses_frames_and_says_so() {
    in_namespace("a_device_that_is_down_loses_frames_and_says_so", || {
        let reactor = Reactor::new().expect("a reactor");
        let mut tap = open(&reactor, "tap0", true);
        let (_, transmit) = tap.split();
        assert_eq!(transmit.link(), Link::Down);
        transmit.send(Outgoing::new(60), |frame| frame.put_zeroes(60)).expect("queued");
        transmit.flush();
        assert_eq!((tap.stats().tx_dropped, tap.stats().tx_frames), (1, 0));
        ip("link set tap0 mtu 9000 up");
        drop(tap);
        ip("tuntap add tap1 mode tap");
        ip("link set tap1 mtu 9000");
        assert_eq!(open(&reactor, "tap1", true).split().1.mtu(), 9000);
    });
}

#[test]
fn the_kernel_asks_for_our_address_and_is_answered() {
    in_namespace("the_kernel_asks_for_our_address_and_is_answered", || {
        let reactor = Reactor::new().expect("a reactor");
        let mut tap = open(&reactor, "tap0", true);
        ip("address add 10.9.0.1/24 dev tap0");
        ip("link set tap0 up");
        let mut ping = Command::new("ping").args(["-c", "1", "-W", "3", "10.9.0.2"]).spawn().expect("there is a ping");
        // RFC 826: who has 10.9.0.2?
        let asker = receive(&reactor, &mut tap, |frame| {
            let ours = frame.bytes.get(12..14) == Some(&[8, 6]) && frame.bytes.get(38..42) == Some(&[10, 9, 0, 2]);
            ours.then(|| frame.bytes[6..12].to_vec())
        })
        .expect("an ARP request");
        let (_, transmit) = tap.split();
        let mac = transmit.mac();
        transmit
            .send(Outgoing::new(42), |frame| {
                frame.put(&asker);
                frame.put_mac(mac);
                frame.put(&[8, 6, 0, 1, 8, 0, 6, 4, 0, 2]);
                frame.put_mac(mac);
                frame.put(&[10, 9, 0, 2]);
                frame.put(&asker);
                frame.put(&[10, 9, 0, 1]);
            })
            .expect("queued");
        transmit.flush();
        // Now it believes us: the echo request comes to our address.
        let echo = receive(&reactor, &mut tap, |frame| {
            let icmp = frame.bytes.get(12..14) == Some(&[8, 0]) && frame.bytes.get(23) == Some(&1);
            icmp.then(|| frame.bytes[..6] == mac.octets())
        });
        ping.kill().expect("killed");
        ping.wait().expect("waited");
        assert_eq!(echo, Some(true));
    });
}

/// A UDP datagram in a frame, with the checksum left for the device.
fn partial_datagram(to: [u8; 6], from: [u8; 6], payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    let total = (28 + payload.len()) as u16;
    let (source, destination) = ([10, 9, 0, 2], [10, 9, 0, 1]);
    let mut ip = [&[0x45, 0][..], &total.to_be_bytes(), &[0, 0, 0x40, 0, 64, 17, 0, 0], &source, &destination].concat();
    let sum = fold(&ip);
    ip[10..12].copy_from_slice(&(!sum).to_be_bytes());
    // RFC 768: the pseudo-header.
    let pseudo = fold(&[&source[..], &destination, &[0, 17], &length.to_be_bytes()].concat());
    let udp = [&4000_u16.to_be_bytes()[..], &5000_u16.to_be_bytes(), &length.to_be_bytes(), &pseudo.to_be_bytes()];
    [&to[..], &from, &[8, 0], &ip, &udp.concat(), payload].concat()
}

fn fold(bytes: &[u8]) -> u16 {
    let mut sum: u32 =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[test]
fn the_kernel_completes_checksums_and_cuts_datagrams() {
    in_namespace("the_kernel_completes_checksums_and_cuts_datagrams", || {
        let reactor = Reactor::new().expect("a reactor");
        // Plain on the other side: what arrives there is as it would be on a wire.
        let [mut sender, mut wire] = bridged(&reactor, [true, false]);
        let capabilities = sender.split().1.capabilities();
        assert!(capabilities.checksum.contains(ChecksumOffload::UDP_V4), "{capabilities:?}");
        assert_eq!(capabilities.max_large_frame, 65_535);
        let pieces = if capabilities.segmentation.contains(mirage_net::SegmentationOffload::UDP) { 5 } else { 1 };
        let payload: Vec<u8> = (0..1000 * pieces).map(|i| (i % 251) as u8).collect();
        let bytes = partial_datagram([0xff; 6], sender.split().1.mac().octets(), &payload);
        let checksum = Some(PartialChecksum { start: 34, offset: 6 });
        let segment_size = if pieces > 1 { NonZeroU16::new(1000) } else { None };
        let (_, transmit) = sender.split();
        transmit
            .send(Outgoing { len: bytes.len(), checksum, segment_size }, |frame| frame.put(&bytes))
            .expect("queued");
        transmit.flush();
        for piece in 0..pieces {
            let found = receive(&reactor, &mut wire, |frame| {
                let ours = frame.bytes.get(12..14) == Some(&[8, 0]) && frame.bytes.get(36..38) == Some(&[0x13, 0x88]);
                ours.then(|| (frame.bytes.to_vec(), frame.checksum))
            });
            let (bytes, checksum) = found.expect("it arrives");
            assert_eq!(checksum, ReceivedChecksum::Unchecked);
            assert_eq!(bytes[42..1042], payload[piece * 1000..][..1000], "piece {piece}");
            let pseudo = [&bytes[26..34], &[0, 17], &bytes[38..40]].concat();
            assert_eq!(fold(&[&pseudo[..], &bytes[34..1042]].concat()), 0xffff, "the checksum is right");
        }
    });
}

#[test]
fn names_that_no_device_has_are_refused() {
    let reactor = Reactor::new().expect("a reactor");
    for name in ["", "a-name-of-sixteen", "nul\0"] {
        let error = Tap::open(&reactor, name, Options::default()).expect_err("no name");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{name:?}");
    }
}
