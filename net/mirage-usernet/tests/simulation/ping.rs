//! The guest pings the gateway, frame by frame.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use mirage_net::{Net, Outgoing, Receive, Transmit};
use mirage_usernet::{Config, Gateway};
use mirage_vnetif::CableEnd;

use crate::common::Dice;
use crate::lab::Lab;

#[test]
fn the_gateway_answers_a_ping() {
    let lab = Lab::new();
    let (mut guest, far) = mirage_vnetif::cable(1_500, 64);
    let gateway = Gateway::new(far, &lab.host, Config::default(), &mut Dice(1)).expect("the configuration is sound");
    let mut run = pin!(gateway.run(&lab.alarm, &lab.alarm));
    let mut turn = || {
        let mut cx = Context::from_waker(Waker::noop());
        // Between what came in and what leaves the gateway lets others run.
        for _ in 0..3 {
            assert!(run.as_mut().poll(&mut cx).is_pending());
        }
    };
    turn();
    let own = guest.split().1.mac().0;

    // RFC 826: who has 10.0.2.2? Tell 10.0.2.15.
    let mut who_has = [&[0xff; 6][..], &own, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &own, &[10, 0, 2, 15]].concat();
    who_has.extend([0, 0, 0, 0, 0, 0, 10, 0, 2, 2]);
    send(&mut guest, &who_has);
    turn();
    let reply = receive(&mut guest, |frame| frame[12..14] == [8, 6] && frame[21] == 2);
    let gateways: [u8; 6] = reply[22..28].try_into().expect("six bytes");

    let header = |to: [u8; 4]| {
        let mut header = [&[0x45, 0, 0, 36, 0, 1, 0, 0, 64, 1, 0, 0, 10, 0, 2, 15][..], &to].concat();
        let sum = checksum(&header);
        header[10..12].copy_from_slice(&sum);
        header
    };
    let mut echo = [8, 0, 0, 0, 0x12, 0x34, 0, 1, b'm', b'i', b'r', b'a', b'g', b'e', b'!', b'!'];
    let sum = checksum(&echo);
    echo[2..4].copy_from_slice(&sum);
    // A ping to the outside is not answered in the name of somebody who may not be there.
    send(&mut guest, &[&gateways[..], &own, &[8, 0], &header([192, 0, 2, 1]), &echo].concat());
    turn();
    send(&mut guest, &[&gateways[..], &own, &[8, 0], &header([10, 0, 2, 2]), &echo].concat());
    turn();
    // The gateway asks where the guest is, too.
    let request = receive(&mut guest, |frame| frame[12..14] == [8, 6] && frame[38..42] == [10, 0, 2, 15]);
    let (asker, is_at) = (&request[22..32], &[8, 6, 0, 1, 8, 0, 6, 4, 0, 2]);
    send(&mut guest, &[&gateways[..], &own, is_at, &own, &[10, 0, 2, 15], asker].concat());
    turn();
    let reply = receive(&mut guest, |frame| frame[12..14] == [8, 0] && frame[23] == 1);
    assert_eq!((reply[34], &reply[38..50]), (0, &echo[4..]), "an echo reply with what was sent");
    assert_eq!(reply[26..34], [10, 0, 2, 2, 10, 0, 2, 15]);
}

fn send(guest: &mut CableEnd, frame: &[u8]) {
    let (_, transmit) = guest.split();
    transmit.send(Outgoing::new(frame.len()), |writer| writer.put(frame)).expect("there is room");
    transmit.flush();
}

/// The next frame that `is_it`.
fn receive(guest: &mut CableEnd, is_it: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match guest.split().0.poll_frame(&mut cx, |frame| frame.bytes.to_vec()) {
            Poll::Ready(Ok(frame)) if is_it(&frame) => return frame,
            Poll::Ready(Ok(_)) => {}
            other => panic!("no such frame: {other:?}"),
        }
    }
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let sum = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum::<u32>();
    let folded = (sum & 0xffff) + (sum >> 16);
    (!(((folded & 0xffff) + (folded >> 16)) as u16)).to_be_bytes()
}
