//! The ports of the host: how they open and close.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use mirage_stack::{ErrorKind, ListenOptions, UdpSocket as _};
use mirage_tcpip::TcpOptions;
use mirage_usernet::Transport::{Tcp, Udp};
use mirage_usernet::{Config, Error, Gateway};

use crate::common::{Background, Dice, s};
use crate::lab::{HOST, Lab, SERVER, at, bind, connect, forwarding, listen, pair};

#[test]
fn port_0_is_a_free_port_that_the_gateway_tells() {
    let lab = Lab::new();
    let gateway = lab.gateway(forwarding(&[(Tcp, 0, 80), (Tcp, 0, 443), (Udp, 0, 53)]));
    let ports: Vec<_> = gateway.forwards().iter().map(|forward| forward.host.port()).collect();
    assert!(ports.iter().all(|port| *port != 0), "{ports:?}");
    assert_ne!(ports[0], ports[1]);
    assert_eq!(gateway.forwards()[0].host.ip(), at(HOST, 0).ip(), "the address stays as it was");
    lab.run(&gateway, async {
        pair(&lab.server, at(HOST, ports[1]), &lab.guest, 443).await;
        let (guest, stranger) = (bind(&lab.guest, 53), bind(&lab.server, 0));
        stranger.send_to(b"hello", at(HOST, ports[2])).await.unwrap();
        guest.recv_from(&mut [0; 8]).await.unwrap();
    });
}

#[test]
fn a_taken_port_is_told_before_anything_runs() {
    let lab = Lab::new();
    let _other = mirage_stack::Stack::listen(&&lab.host, at(HOST, 8080), ListenOptions::default()).unwrap();
    let config = forwarding(&[(Udp, 5_353, 53), (Tcp, 8080, 80)]);
    let forward = config.forwards[1];
    let Err(error) = lab.try_gateway(config) else { panic!("the port is taken") };
    assert_eq!(error, Error::Listen { forward, reason: ErrorKind::AddressInUse });
    assert_eq!(lab.host.counters().udp.sockets, 0, "the other port is free again");
}

#[test]
fn when_the_gateway_ends_nothing_of_it_stays_on_the_host() {
    let lab = Lab::new();
    let gateway = lab.gateway(forwarding(&[(Tcp, 8080, 80), (Udp, 5_353, 53)]));
    let mut running = Some(Box::pin(gateway.run(&lab.alarm, &lab.alarm)));
    let stop = std::cell::Cell::new(false);
    let gateway_until_stopped = std::future::poll_fn(|cx| {
        if stop.get() {
            running = None;
        }
        match &mut running {
            Some(gateway) => gateway.as_mut().poll(cx).map(drop),
            None => Poll::Ready(()),
        }
    });
    lab.run_beside(Background::default().with(gateway_until_stopped), async {
        let _inwards = pair(&lab.server, at(HOST, 8080), &lab.guest, 80).await;
        let _outwards = pair(&lab.guest, at(SERVER, 80), &lab.server, 80).await;
        let (guest, server) = (bind(&lab.guest, 1), bind(&lab.server, 7));
        guest.send_to(b"hello", at(SERVER, 7)).await.unwrap();
        server.recv_from(&mut [0; 8]).await.unwrap();
        let before = gateway.counters();
        assert_eq!((before.connections, before.conversations), (2, 1));
        stop.set(true);
        // Something arrives, so that the gateway's task is polled and sees it.
        guest.send_to(b"hello", at(SERVER, 7)).await.unwrap();
        lab.sleep(s(1)).await;
        let after = gateway.counters();
        assert_eq!((after.connections, after.conversations), (0, 0));
        assert_eq!(lab.host.counters().udp.sockets, 0);
        assert_eq!(connect(&lab.server, at(HOST, 8080)).await.err(), Some(ErrorKind::ConnectionRefused));
    });
}

#[test]
fn a_guest_that_is_gone_ends_the_gateway() {
    let lab = Lab::new();
    let (near, far) = mirage_vnetif::cable(1_500, 64);
    let gateway = Gateway::new(far, &lab.host, Config::default(), &mut Dice(1)).expect("the configuration is sound");
    let mut run = pin!(gateway.run(&lab.alarm, &lab.alarm));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(run.as_mut().poll(&mut cx).is_pending());
    drop(near);
    assert!(matches!(run.as_mut().poll(&mut cx), Poll::Ready(Err(Error::Disconnected))));
}

#[test]
fn the_hosts_own_connections_are_none_of_the_gateways() {
    let lab = Lab::new();
    let gateway = lab.gateway(Config::default());
    lab.run(&gateway, async {
        let _listener = listen(&lab.server, 80);
        let _own = mirage_stack::Stack::connect(&&lab.host, at(SERVER, 80), TcpOptions::default()).await.unwrap();
        assert_eq!(gateway.counters(), mirage_usernet::Counters::default());
    });
}
