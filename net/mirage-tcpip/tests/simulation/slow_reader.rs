//! Readers that are slow or do not read at all, and those beside them.

use lab::{Dice, HostConfig, Lab, Tasks, ms, receive, s, send};
use mirage_clock::Duration;
use mirage_flow::testing::{join, poll_once};
use mirage_flow::{Direction, Read, Shutdown, Write};
use mirage_stack::TcpListener as _;
use mirage_tcpip::Sizes;
use rand_core::Rng as _;

const HUNDRED_MEGABYTES: usize = 100_000_000;

#[test]
fn a_fast_writer_and_a_slow_reader_never_wait_for_each_other() {
    let lab = Lab::new("a_fast_writer_and_a_slow_reader_never_wait_for_each_other", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], s(600), async {
        let (mut here, mut there) = client.pair(&server, 80).await;
        let writer = async {
            let block = vec![7; 64 * 1024];
            let (mut left, mut longest) = (HUNDRED_MEGABYTES, Duration::ZERO);
            while left > 0 {
                let (took, written) = lab.timed(here.write(&block[..left.min(block.len())])).await;
                left -= written.expect("the connection holds");
                longest = longest.max(took);
            }
            here.shutdown(Direction::Write).await.expect("the connection holds");
            longest
        };
        let reader = async {
            let (mut dice, mut buffer, mut received) = (Dice(1), vec![0; 4096], 0);
            loop {
                if dice.next_u32().is_multiple_of(100) {
                    lab.sleep(ms(10)).await;
                }
                match there.read(&mut buffer).await.expect("the connection holds") {
                    0 => return received,
                    len => received += len,
                }
            }
        };
        let (longest, received) = join(writer, reader).await;
        assert_eq!(received, HUNDRED_MEGABYTES);
        assert!(longest < ms(100), "a write took {longest:?}");
    });
}

#[test]
fn a_window_closed_for_minutes_opens_again() {
    let lab = Lab::new("a_window_closed_for_minutes_opens_again", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], s(1000), async {
        let (mut here, mut there) = client.pair(&server, 80).await;
        let writer = async {
            let hash = send(&mut here, 3_000_000, 1).await.expect("the connection holds");
            here.shutdown(Direction::Write).await.expect("the connection holds");
            hash
        };
        let reader = async {
            // Longer than the user timeout: whoever answers probes is alive.
            lab.sleep(s(600)).await;
            let (took, received) = lab.timed(receive(&mut there)).await;
            assert!(took < s(1), "the window opened, and it took {took:?}");
            received.expect("the connection holds")
        };
        let (sent, received) = join(writer, reader).await;
        assert_eq!(received, (3_000_000, sent));
    });
}

#[test]
fn a_lost_window_update_is_made_up_by_a_probe() {
    let lab = Lab::new("a_lost_window_update_is_made_up_by_a_probe", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], s(200), async {
        let (mut here, mut there) = client.pair(&server, 80).await;
        let writer = async {
            let hash = send(&mut here, 2_000_000, 1).await.expect("the connection holds");
            here.shutdown(Direction::Write).await.expect("the connection holds");
            hash
        };
        let reader = async {
            lab.sleep(s(5)).await;
            // What opens the window is lost.
            lab.set_link(server.id, mirage_net::Link::Down);
            let mut first = vec![0; 512 * 1024];
            while poll_once(there.read(&mut first)).await.is_some() {}
            lab.sleep(ms(10)).await;
            lab.set_link(server.id, mirage_net::Link::Up);
            let (took, received) = lab.timed(receive(&mut there)).await;
            assert!(took < s(30), "the probe took {took:?}");
            received.expect("the connection holds")
        };
        let (_, received) = join(writer, reader).await;
        assert!(received.0 > 1_000_000 && received.0 < 2_000_000, "the rest comes: {} bytes", received.0);
    });
}

/// A host whose blocks hold half a megabyte together.
fn small(number: u8, lab: &Lab) -> lab::Large {
    let sizes = Sizes { blocks: 256, ..HostConfig::default().sizes };
    lab.host_with(number, HostConfig { sizes, ..HostConfig::default() })
}

#[test]
fn many_connections_share_a_small_pool() {
    let lab = Lab::new("many_connections_share_a_small_pool", 1);
    let (client, server) = (small(1, &lab), small(2, &lab));
    let mut tasks = Tasks::default();
    let (client, server) = (&client, &server);
    let listeners: Vec<_> = (0..8).map(|number| server.listen(8000 + number)).collect();
    for (door, mut listener) in (8000..).zip(listeners) {
        for number in 0..8 {
            tasks.add(format!("client {number} at {door}"), async move {
                let mut stream = client.connect(server.at(door)).await.expect("the server listens");
                let sent = send(&mut stream, 100_000, number).await.expect("the connection holds");
                stream.shutdown(Direction::Write).await.expect("the connection holds");
                let mut hash = [0; 32];
                stream.read_exact(&mut hash).await.expect("the connection holds");
                assert_eq!(hash, sent);
            });
        }
        tasks.add(format!("server at {door}"), async move {
            for _ in 0..8 {
                let mut stream = listener.accept().await.expect("the listener works");
                let (_, hash) = receive(&mut stream).await.expect("the connection holds");
                stream.write_all(&hash).await.expect("the connection holds");
            }
        });
    }
    lab.run_all(&[client, server], s(300), tasks);
    lab.run(&[client, server], s(100), lab.sleep(s(70)));
    client.assert_empty();
    server.assert_empty();
}

#[test]
fn readers_that_never_read_starve_nobody() {
    let lab = Lab::new("readers_that_never_read_starve_nobody", 1);
    let (client, server) = (small(1, &lab), small(2, &lab));
    let mut tasks = Tasks::default();
    let (client, server, lab_) = (&client, &server, &lab);
    // Thirty connections whose writers write all they can and whose readers are asleep.
    let mut sleepy = server.listen(80);
    for number in 0..30 {
        tasks.serve(format!("writer {number}"), async move {
            let mut stream = client.connect(server.at(80)).await.expect("the server listens");
            send(&mut stream, usize::MAX, number).await.expect("the connection holds");
        });
    }
    tasks.serve("sleeper", async move {
        let mut held = Vec::new();
        loop {
            held.push(sleepy.accept().await.expect("the listener works"));
        }
    });
    tasks.add("honest", async move {
        lab_.sleep(s(10)).await;
        assert_eq!(server.tcp().accepted, 30);
        let (mut here, mut there) = client.pair(server, 81).await;
        let writer = async {
            let hash = send(&mut here, 200_000, 99).await.expect("the connection holds");
            here.shutdown(Direction::Write).await.expect("the connection holds");
            hash
        };
        let (took, (sent, received)) = lab_.timed(join(writer, receive(&mut there))).await;
        assert_eq!(received, Ok((200_000, sent)));
        assert!(took < s(30), "the honest one took {took:?}");
    });
    lab.run_all(&[client, server], s(60), tasks);
}
