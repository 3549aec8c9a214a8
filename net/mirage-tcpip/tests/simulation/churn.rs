//! Connections come and go; nothing may be left of them.

use lab::{Dice, Lab, Pair, Tasks, s};
use mirage_flow::{Read, Write};
use mirage_stack::{ErrorKind, Keepalive, ListenOptions, TcpListener as _, TcpOptions};
use mirage_tcpip::{Config, Sizes, Stack, Storage};
use mirage_vnetif::{CableEnd, cable};

/// Does `scenario` between two stacks on a cable, lets all memories pass and asserts that nothing is left.
fn on_a_cable(scenario: impl FnOnce(&Pair<&Stack<'static, CableEnd>>, &Stack<'static, CableEnd>)) {
    let (one, other) = cable(1500, 64);
    let sizes = Sizes { connections: 16, half_open: 16, time_wait: 8192, blocks: 64, ..Sizes::default() };
    let [client, server] = [(one, "10.0.0.1/24"), (other, "10.0.0.2/24")].map(|(device, address)| {
        let stack = Stack::new(device, Config::default(), Storage::allocate(sizes), &mut Dice(5));
        stack.add_address(address.parse().expect("an address")).expect("there is room");
        stack
    });
    let pair = Pair::new(&client, &server);
    scenario(&pair, &client);
    for _ in 0..40 {
        pair.pass(s(3));
    }
    for stack in [&client, &server] {
        let tcp = stack.counters().tcp;
        let left = (tcp.connections, tcp.half_open, tcp.time_wait, tcp.blocks_in_use);
        assert_eq!(left, (0, 0, 0, 0), "something is left: {tcp:?}");
        assert_eq!(tcp.retransmits, 0, "a cable loses nothing");
    }
}

/// Opens and closes `count` connections.
fn churn(count: u32, scenario: impl FnOnce(&Pair<&Stack<'static, CableEnd>>, u32)) {
    on_a_cable(|pair, client| {
        scenario(pair, count);
        let tcp = client.counters().tcp;
        assert_eq!(tcp.opened, u64::from(count));
        assert_eq!(tcp.time_wait_evicted, 0);
    });
}

#[test]
fn a_million_connections_come_and_go() {
    churn(1_000_000, |pair, count| pair.come_and_go(count));
}

#[test]
fn a_hundred_thousand_connections_are_broken_off() {
    churn(100_000, |pair, count| pair.break_off(count));
}

#[test]
fn a_hundred_thousand_connections_are_closed_by_both_at_once() {
    churn(100_000, |pair, count| pair.close_by_both(count));
}

#[test]
fn a_hundred_thousand_attempts_are_refused() {
    on_a_cable(|pair, _| pair.refuse(100_000));
}

/// Clients that are switched off in the middle: keepalive finds those whose connections are idle, the user timeout
/// those that are being sent to.
#[test]
fn clients_that_vanish_are_cleared_away() {
    let lab = Lab::new("clients_that_vanish_are_cleared_away", 1);
    let server = lab.host(1);
    let keepalive = Some(Keepalive { after: s(1), interval: s(1), probes: 3 });
    let options = |tcp| ListenOptions { tcp, ..ListenOptions::default() };
    let mut asking = server.listen_with(80, options(TcpOptions { keepalive, ..TcpOptions::default() }));
    let mut sending =
        server.listen_with(81, options(TcpOptions { user_timeout: Some(s(10)), ..TcpOptions::default() }));
    for round in 2..12 {
        let client = lab.host(round);
        let accepted = lab.run(&[&server, &client], s(10), async {
            let (mut held, mut accepted) = (Vec::new(), Vec::new());
            for _ in 0..50 {
                for listener in [&mut asking, &mut sending] {
                    let door = server.at(listener.local_addr().port());
                    held.push(client.connect(door).await.expect("the server listens"));
                    accepted.push(listener.accept().await.expect("the listener works"));
                }
            }
            accepted
        });
        drop(client);
        assert_eq!(server.tcp().connections, 100);
        let mut tasks = Tasks::default();
        for (number, mut stream) in accepted.into_iter().enumerate() {
            let (lab, asked) = (&lab, number % 2 == 0);
            tasks.add(format!("connection {number}"), async move {
                let end = async {
                    if !asked {
                        stream.write_all(&[0; 10_000]).await?;
                    }
                    stream.read(&mut [0]).await
                };
                let (took, end) = lab.timed(end).await;
                assert_eq!(end, Err(ErrorKind::TimedOut));
                let (least, most) = if asked { (s(3), s(4)) } else { (s(10), s(11)) };
                assert!((least..=most).contains(&took), "connection {number} ended after {took:?}");
            });
        }
        lab.run_all(&[&server], s(60), tasks);
        server.assert_empty();
    }
}
