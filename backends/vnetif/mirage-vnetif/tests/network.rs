//! The switch and its links, seen through the verbs of a network device and the clock.

#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a test program has std")]

mod common;

use std::sync::Arc;
use std::task::{Context, Poll};

use common::{Counter, frame, receive_all, receive_now, send};
use mirage_clock::{Duration, Instant};
use mirage_net::{Disconnected, Link, MacAddress, Net, Outgoing, PartialChecksum, Receive, SendError, Transmit};
use mirage_vnetif::{Bounds, Impairments, Network, Node, NodeConfig};

fn three(network: &mut Network) -> [Node; 3] {
    [(); 3].map(|()| network.node(NodeConfig::default()))
}

fn mac(node: &mut Node) -> MacAddress {
    node.split().1.mac()
}

#[test]
fn a_frame_to_everybody_reaches_everybody_else() {
    let mut network = Network::new(1);
    let [mut a, mut b, mut c] = three(&mut network);
    let hello = frame(MacAddress::BROADCAST, mac(&mut a), 60);
    send(&mut a, &hello).unwrap();
    assert!(receive_all(&mut b).is_empty(), "time stands still");
    network.advance_to(Instant::ZERO);
    assert_eq!(receive_all(&mut b), core::slice::from_ref(&hello));
    assert_eq!(receive_all(&mut c), [hello]);
    assert!(receive_all(&mut a).is_empty(), "not its sender");
}

#[test]
fn the_switch_learns_where_a_station_is_and_forgets_it_after_a_while() {
    let mut network = Network::new(1);
    let [mut a, mut b, mut c] = three(&mut network);
    let (to_a, to_b) = (frame(mac(&mut a), mac(&mut b), 60), frame(mac(&mut b), mac(&mut a), 60));
    send(&mut a, &to_b).unwrap();
    network.advance_to(Instant::ZERO);
    assert_eq!(receive_all(&mut c).len(), 1, "nobody knew b: flooded");
    send(&mut b, &to_a).unwrap();
    network.advance_to(Instant::from_secs(300));
    send(&mut b, &to_a).unwrap();
    network.advance_to(Instant::from_secs(300));
    assert_eq!((receive_all(&mut a).len(), receive_all(&mut c).len()), (2, 0), "a was known");
    network.advance_to(Instant::from_secs(301));
    send(&mut b, &to_a).unwrap();
    network.advance_to(Instant::from_secs(301));
    assert_eq!((receive_all(&mut a).len(), receive_all(&mut c).len()), (1, 1), "a was silent for 301 s");
    assert_eq!((network.switch_counts().flooded, network.switch_counts().forwarded), (2, 2));
}

#[test]
fn a_frame_to_a_station_behind_the_same_port_is_not_sent_on() {
    let mut network = Network::new(1);
    let [mut a, mut b, _c] = three(&mut network);
    let own = mac(&mut a);
    send(&mut a, &frame(own, own, 60)).unwrap();
    network.advance_to(Instant::ZERO);
    assert!(receive_all(&mut a).is_empty() && receive_all(&mut b).is_empty());
    assert_eq!(network.switch_counts().filtered, 1);
}

#[test]
fn a_full_table_of_stations_floods_instead_of_growing() {
    let mut network = Network::with_bounds(1, Bounds { stations: 1, ..Bounds::default() });
    let [mut a, mut b, mut c] = three(&mut network);
    let (to_a, to_b) = (frame(mac(&mut a), mac(&mut b), 60), frame(mac(&mut b), mac(&mut a), 60));
    send(&mut a, &to_b).unwrap();
    send(&mut b, &to_a).unwrap();
    send(&mut a, &to_b).unwrap();
    network.advance_to(Instant::ZERO);
    assert_eq!(receive_all(&mut c).len(), 2, "b was not learned");
    assert_eq!(network.switch_counts().table_full, 1);
    // The old entry goes when it has aged, and makes room.
    send(&mut b, &to_a).unwrap();
    network.advance_to(Instant::from_secs(1000));
    send(&mut b, &to_a).unwrap();
    network.advance_to(Instant::from_secs(1000));
    receive_all(&mut c);
    send(&mut a, &to_b).unwrap();
    network.advance_to(Instant::from_secs(1000));
    assert!(receive_all(&mut c).is_empty(), "b is known now");
}

#[test]
fn a_runt_is_not_sent_on() {
    let mut network = Network::new(1);
    let [mut a, mut b, _c] = three(&mut network);
    send(&mut a, &[0xff; 13]).unwrap();
    send(&mut a, &[]).unwrap();
    network.advance_to(Instant::ZERO);
    assert!(receive_all(&mut b).is_empty());
    assert_eq!(network.switch_counts().runt, 2);
}

#[test]
fn a_station_that_moves_to_another_port_is_found_there() {
    let mut network = Network::new(1);
    let [mut a, mut b, mut c] = three(&mut network);
    let roaming = MacAddress([2, 9, 9, 9, 9, 9]);
    send(&mut a, &frame(MacAddress::BROADCAST, roaming, 60)).unwrap();
    send(&mut b, &frame(MacAddress::BROADCAST, roaming, 60)).unwrap();
    network.advance_to(Instant::ZERO);
    for node in [&mut a, &mut b] {
        receive_all(node);
    }
    let source = mac(&mut c);
    send(&mut c, &frame(roaming, source, 60)).unwrap();
    network.advance_to(Instant::ZERO);
    assert_eq!((receive_all(&mut a).len(), receive_all(&mut b).len()), (0, 1));
}

#[test]
fn a_pulled_plug_loses_frames_wakes_the_node_and_is_forgotten_by_the_switch() {
    let mut network = Network::new(1);
    let [mut a, mut b, mut c] = three(&mut network);
    let (to_a, to_b) = (frame(mac(&mut a), mac(&mut b), 60), frame(mac(&mut b), mac(&mut a), 60));
    send(&mut b, &to_a).unwrap();
    network.advance_to(Instant::ZERO);
    for node in [&mut a, &mut c] {
        receive_all(node);
    }
    let counter = Arc::new(Counter::default());
    let waker = counter.clone().into();
    assert!(b.split().0.poll_frame(&mut Context::from_waker(&waker), |_| ()).is_pending());
    send(&mut a, &to_b).unwrap();
    network.set_link(b.id(), Link::Down);
    assert_eq!((counter.count(), b.split().1.link()), (1, Link::Down));
    network.advance_to(Instant::ZERO);
    send(&mut b, &to_a).unwrap();
    network.advance_to(Instant::ZERO);
    assert!(receive_all(&mut a).is_empty() && receive_all(&mut b).is_empty());
    assert_eq!(receive_all(&mut c).len(), 1, "the switch forgot where b was");
    network.set_link(b.id(), Link::Up);
    send(&mut a, &to_b).unwrap();
    network.advance_to(Instant::ZERO);
    assert_eq!(receive_all(&mut b).len(), 1);
}

#[test]
fn a_frame_wakes_the_node_that_waits_for_it() {
    let mut network = Network::new(1);
    let [mut a, mut b, _c] = three(&mut network);
    let counter = Arc::new(Counter::default());
    let waker = counter.clone().into();
    assert!(b.split().0.poll_frame(&mut Context::from_waker(&waker), |_| ()).is_pending());
    let source = mac(&mut a);
    send(&mut a, &frame(MacAddress::BROADCAST, source, 60)).unwrap();
    assert_eq!(counter.count(), 0);
    network.advance_to(Instant::ZERO);
    assert_eq!(counter.count(), 1);
}

#[test]
fn a_full_ring_drops_frames_and_counts_them() {
    let mut network = Network::new(1);
    let mut a = network.node(NodeConfig::default());
    let mut b = network.node(NodeConfig { slots: 2, ..NodeConfig::default() });
    let source = mac(&mut a);
    for _ in 0..5 {
        send(&mut a, &frame(MacAddress::BROADCAST, source, 60)).unwrap();
    }
    network.advance_to(Instant::ZERO);
    assert_eq!(receive_all(&mut b).len(), 2);
    assert_eq!((b.stats().rx_frames, b.stats().rx_dropped), (2, 3));
    assert_eq!((a.stats().tx_frames, a.stats().tx_bytes), (5, 300));
}

#[test]
fn frames_under_way_are_bounded() {
    let mut network = Network::with_bounds(1, Bounds { frames: 10, ..Bounds::default() });
    let mut a = network.node(NodeConfig::default());
    let source = mac(&mut a);
    for _ in 0..30 {
        send(&mut a, &frame(MacAddress::BROADCAST, source, 60)).unwrap();
    }
    assert_eq!(network.counts(a.id(), mirage_vnetif::Way::Outbound).overload, 20);
}

#[test]
fn a_frame_longer_than_the_nodes_mtu_is_refused() {
    let mut network = Network::new(1);
    let mut a = network.node(NodeConfig { mtu: 100, ..NodeConfig::default() });
    assert_eq!(send(&mut a, &[0; 114]), Ok(()));
    assert_eq!(send(&mut a, &[0; 115]), Err(SendError::TooLong));
    assert_eq!(a.split().1.send(Outgoing::new(3), |out| out.put(&[0; 4])), Err(SendError::TooLong));
    assert_eq!((a.stats().tx_frames, a.stats().tx_dropped), (1, 2));
}

#[test]
fn a_reused_buffer_does_not_leak_into_the_next_frame() {
    let mut network = Network::new(1);
    let [mut a, mut b, _c] = three(&mut network);
    let source = mac(&mut a);
    for _ in 0..3 {
        let mut secret = frame(MacAddress::BROADCAST, source, 200);
        secret[14..].fill(0x5e);
        send(&mut a, &secret).unwrap();
        network.advance_to(Instant::ZERO);
        receive_all(&mut b);
    }
    let short = frame(MacAddress::BROADCAST, source, 14);
    a.split().1.send(Outgoing::new(300), |out| out.put(&short)).unwrap();
    network.advance_to(Instant::ZERO);
    assert_eq!(receive_all(&mut b), [short]);
}

#[test]
fn a_node_completes_the_checksums_it_offered_to() {
    let mut network = Network::new(1);
    let config = NodeConfig { checksum: mirage_net::ChecksumOffload::UDP_V4, ..NodeConfig::default() };
    let mut a = network.node(config);
    let mut b = network.node(NodeConfig::default());
    // RFC 1071 §3: the sum of 0001 f203 f4f5 f6f7 is ddf2. The last byte is odd here and the field was 1 before.
    let mut bytes = frame(MacAddress::BROADCAST, mac(&mut a), 14);
    bytes.extend([0x00, 0x01, 0xf2, 0x03, 0x00, 0x01, 0xf4, 0xf5, 0xf6]);
    let outgoing = Outgoing { checksum: Some(PartialChecksum { start: 14, offset: 4 }), ..Outgoing::new(bytes.len()) };
    a.split().1.send(outgoing, |out| out.put(&bytes)).unwrap();
    network.advance_to(Instant::ZERO);
    let sum: u32 = 0x0001 + 0xf203 + 0x0001 + 0xf4f5 + 0xf600;
    let folded = !((sum & 0xffff) + (sum >> 16)) as u16;
    bytes[18..20].copy_from_slice(&folded.to_be_bytes());
    assert_eq!(receive_all(&mut b), [bytes]);
}

#[test]
fn nodes_of_a_dropped_network_are_disconnected() {
    let mut network = Network::new(1);
    let [mut a, mut b, _c] = three(&mut network);
    let counter = Arc::new(Counter::default());
    let waker = counter.clone().into();
    let mut cx = Context::from_waker(&waker);
    assert!(b.split().0.poll_frame(&mut cx, |_| ()).is_pending());
    drop(network);
    assert_eq!(counter.count(), 1);
    assert_eq!(b.split().0.poll_frame(&mut cx, |_| ()), Poll::Ready(Err(Disconnected)));
    assert_eq!(send(&mut a, &[0; 60]), Err(SendError::Disconnected));
    assert_eq!(a.split().1.poll_ready(&mut cx), Poll::Ready(Err(Disconnected)));
}

#[test]
fn a_dropped_node_gets_nothing_more_and_harms_nobody() {
    let mut network = Network::new(1);
    let [mut a, b, mut c] = three(&mut network);
    let source = mac(&mut a);
    send(&mut a, &frame(MacAddress::BROADCAST, source, 60)).unwrap();
    drop(b);
    network.advance_to(Instant::ZERO);
    assert_eq!(receive_all(&mut c).len(), 1);
}

#[test]
fn a_received_frame_can_be_answered_while_it_is_lent() {
    let mut network = Network::new(1);
    let [mut a, mut b, _c] = three(&mut network);
    let source = mac(&mut a);
    send(&mut a, &frame(MacAddress::BROADCAST, source, 60)).unwrap();
    network.advance_to(Instant::ZERO);
    let (rx, tx) = b.split();
    let mut cx = Context::from_waker(std::task::Waker::noop());
    let sent = rx.poll_frame(&mut cx, |frame| tx.send(Outgoing::new(60), |out| out.put(frame.bytes)));
    assert_eq!(sent, Poll::Ready(Ok(Ok(()))));
}

#[test]
fn time_moves_only_forward_and_events_happen_at_their_time() {
    let mut network = Network::new(1);
    let slow = Impairments::default().with_delay(Duration::from_millis(5));
    let mut a = network.node(NodeConfig { outbound: slow, ..NodeConfig::default() });
    let mut b = network.node(NodeConfig {
        inbound: Impairments::default().with_delay(Duration::from_millis(7)),
        ..NodeConfig::default()
    });
    network.advance_to(Instant::from_millis(100));
    network.advance_to(Instant::from_millis(50));
    assert_eq!((network.now(), network.next_event()), (Instant::from_millis(100), None));
    let source = mac(&mut a);
    send(&mut a, &frame(MacAddress::BROADCAST, source, 60)).unwrap();
    assert_eq!(network.next_event(), Some(Instant::from_millis(105)));
    network.advance_to(Instant::from_millis(111));
    assert_eq!(network.next_event(), Some(Instant::from_millis(112)));
    assert!(receive_now(&mut b).is_none());
    network.advance_to(Instant::from_millis(112));
    assert!(receive_now(&mut b).is_some());
}
