//! Which sockets there can be.

extern crate alloc;

mod common;

use alloc::collections::VecDeque;
use core::net::SocketAddr;
use core::num::NonZeroU16;
use core::task::Poll;
use std::collections::{HashMap, HashSet};

use common::*;
use mirage_udp::{BindError, Config, EphemeralPorts, Local, PortChoice, SocketId, Storage, Udp};
use proptest::prelude::*;

fn port(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

#[test]
fn an_address_and_port_are_given_once() {
    let mut udp = udp();
    let on = |address, port| Local { address, ..exactly(port) };
    let wildcard = udp.bind(on(None, 53)).unwrap();
    assert_eq!(udp.bind(on(None, 53)), Err(BindError::InUse));
    udp.bind(on(Some(US), 53)).unwrap();
    assert_eq!(udp.bind(on(Some(US), 53)), Err(BindError::InUse));
    udp.bind(on(Some(OTHER), 53)).unwrap();
    udp.close(wildcard).unwrap();
    udp.bind(on(None, 53)).unwrap();
    let any = Local { address: None, port: PortChoice::Any };
    let gateway = udp.bind(any).unwrap();
    assert_eq!(udp.bind(any), Err(BindError::InUse));
    udp.close(gateway).unwrap();
    udp.bind(any).unwrap();
}

#[test]
fn a_full_table_is_an_error() {
    let mut udp = udp_of(Sizes { sockets: 3, ..Sizes::default() });
    let ids: Vec<_> = (0..3).map(|_| udp.bind(ephemeral()).unwrap()).collect();
    assert_eq!(udp.bind(ephemeral()), Err(BindError::TableFull));
    udp.close(ids[1]).unwrap();
    assert!(udp.bind(ephemeral()).is_ok());
}

#[test]
fn ephemeral_ports_are_in_their_range_and_hard_to_guess() {
    let mut udp = udp_of(Sizes { sockets: 200, ..Sizes::default() });
    let ports: Vec<_> = (0..200)
        .map(|_| {
            let id = udp.bind(ephemeral()).unwrap();
            udp.local(id).unwrap().port()
        })
        .collect();
    assert!(ports.iter().all(|port| *port >= 32_768));
    assert_eq!(ports.iter().collect::<HashSet<_>>().len(), 200);
    let near = ports.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) < 64).count();
    assert!(near < 10, "the next port must not follow from the last: {near}");
}

#[test]
fn no_port_left_is_an_error_and_no_endless_search() {
    for count in [1, 2, 7] {
        let ephemeral_ports = EphemeralPorts { first: port(40_000), last: port(40_000 + count - 1) };
        let config = Config { ephemeral: ephemeral_ports, ..Config::default() };
        let mut udp = udp_of(Sizes { sockets: 10, config, ..Sizes::default() });
        let ids: Vec<_> = (0..count).map(|_| udp.bind(ephemeral()).expect("every port is found")).collect();
        assert_eq!(udp.bind(ephemeral()), Err(BindError::NoPort));
        udp.close(ids[0]).unwrap();
        assert!(udp.bind(ephemeral()).is_ok());
    }
}

#[test]
fn the_last_free_port_is_always_found() {
    let range = EphemeralPorts { first: port(40_000), last: port(40_030) };
    let config = Config { ephemeral: range, ..Config::default() };
    let mut udp = udp_of(Sizes { sockets: 40, config, ..Sizes::default() });
    let mut ids: Vec<_> = (0..31).map(|_| udp.bind(ephemeral()).unwrap()).collect();
    for round in 0..200 {
        let place = round % ids.len();
        udp.close(ids[place]).unwrap();
        ids[place] = udp.bind(ephemeral()).expect("one is free");
    }
}

#[test]
fn a_machine_without_storage_says_no() {
    let nothing = Storage {
        sockets: (&mut [][..]).into(),
        buckets: (&mut [][..]).into(),
        blocks: (&mut [][..]).into(),
        wakers: (&mut [][..]).into(),
    };
    let mut udp = Udp::new(Config::default(), nothing, [0; 16]);
    assert_eq!(udp.bind(ephemeral()), Err(BindError::TableFull));
    assert!(arrive(&mut udp, at(PEER, 1), at(US, 1), b"x").is_err());
    assert_eq!(udp.poll_transmit(NOW, &mut ip(), 10), Ok(false));
}

/// What may be done to a machine.
#[derive(Clone, Debug)]
enum Operation {
    Bind(u16),
    BindEphemeral,
    Close(usize),
    Arrive(u16, usize),
    Read(usize),
    Write(usize, usize),
    Transmit(usize),
    Block(bool),
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        (1..6_u16).prop_map(Operation::Bind),
        Just(Operation::BindEphemeral),
        (0..8_usize).prop_map(Operation::Close),
        (1..6_u16, 0..2000_usize).prop_map(|(port, len)| Operation::Arrive(port, len)),
        (0..8_usize).prop_map(Operation::Read),
        (0..8_usize, 0..2000_usize).prop_map(|(socket, len)| Operation::Write(socket, len)),
        (0..5_usize).prop_map(Operation::Transmit),
        any::<bool>().prop_map(Operation::Block),
    ]
}

proptest! {
    /// Whatever is done: each socket gets exactly what was queued for it, in order; what was written leaves once; and in the
    /// end everything lent is free again.
    #[test]
    fn nothing_is_lost_mixed_up_or_leaked(operations in prop::collection::vec(operation(), 0..200)) {
        let mut udp = udp_of(Sizes { sockets: 6, blocks: 48, ..Sizes::default() });
        let mut ip = ip();
        let mut open: Vec<SocketId> = Vec::new();
        let mut unread: HashMap<SocketId, VecDeque<Vec<u8>>> = HashMap::new();
        let (mut serial, mut written, mut left) = (0_u64, 0_u64, 0_u64);
        let mut payload = |len: usize| {
            serial += 1;
            let mut payload = vec![serial as u8; len];
            payload.iter_mut().zip(serial.to_be_bytes()).for_each(|(to, from)| *to = from);
            payload
        };
        let remote: SocketAddr = at(PEER, 9);
        for operation in operations {
            match operation {
                Operation::Bind(port) => open.extend(udp.bind(exactly(port)).ok()),
                Operation::BindEphemeral => open.extend(udp.bind(ephemeral()).ok()),
                Operation::Close(n) if n < open.len() => {
                    let id = open.swap_remove(n);
                    unread.remove(&id);
                    udp.close(id).unwrap();
                }
                Operation::Arrive(port, len) => {
                    let payload = payload(len);
                    let to = open.iter().find(|id| udp.local(**id).unwrap().port() == port).copied();
                    match arrive(&mut udp, remote, at(US, port), &payload) {
                        Ok(()) => unread.entry(to.expect("a socket")).or_default().push_back(payload),
                        Err(reason) => prop_assert_eq!(reason == mirage_udp::Discard::NoSocket, to.is_none()),
                    }
                }
                Operation::Read(n) if n < open.len() => {
                    let expected = unread.entry(open[n]).or_default().pop_front();
                    match read(&mut udp, open[n]) {
                        Poll::Ready(Ok((_, bytes))) => prop_assert_eq!(Some(bytes), expected),
                        Poll::Ready(Err(error)) => panic!("{error}"),
                        Poll::Pending => prop_assert_eq!(None, expected),
                    }
                }
                Operation::Write(n, len) if n < open.len() => {
                    written += u64::from(write(&mut udp, open[n], &payload(len), remote) == Poll::Ready(Ok(())));
                }
                Operation::Transmit(budget) => {
                    let _ = udp.poll_transmit(NOW, &mut ip, budget);
                    left += ip.sent.drain(..).count() as u64;
                }
                Operation::Block(block) => ip.capacity = if block { 0 } else { usize::MAX },
                _ => {}
            }
        }
        ip.capacity = usize::MAX;
        prop_assert_eq!(udp.poll_transmit(NOW, &mut ip, 1000), Ok(false));
        left += ip.sent.len() as u64;
        prop_assert_eq!(left, written);
        for id in open {
            for expected in unread.remove(&id).unwrap_or_default() {
                prop_assert!(matches!(read(&mut udp, id), Poll::Ready(Ok((_, bytes))) if bytes == expected));
            }
            udp.close(id).unwrap();
        }
        let stats = udp.stats();
        prop_assert_eq!((stats.sockets, stats.datagrams, stats.blocks), (0, 0, 0));
    }
}
