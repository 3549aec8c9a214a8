//! Peers that fall silent, and ends that come from both sides at once.

use core::net::{IpAddr, Ipv4Addr};

use lab::raw::{ACK, FIN, RST, SYN, Segment};
use lab::{Lab, ms, s};
use mirage_flow::testing::join;
use mirage_flow::{Direction, Read, Shutdown, Write};
use mirage_net::Link;
use mirage_stack::{ErrorKind, Keepalive, TcpListener as _, TcpStream as _};

const IMPATIENT: Keepalive = Keepalive { after: s(1), interval: s(1), probes: 3 };

#[test]
fn a_reader_hears_of_a_cut_network_after_the_last_probe() {
    let lab = Lab::new("a_reader_hears_of_a_cut_network_after_the_last_probe", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], s(60), async {
        let (mut here, _there) = client.pair(&server, 80).await;
        here.set_keepalive(Some(IMPATIENT));
        lab.sleep(ms(1)).await;
        lab.set_link(server.id, Link::Down);
        let (took, result) = lab.timed(here.read(&mut [0])).await;
        assert_eq!(result, Err(ErrorKind::TimedOut));
        assert!(took > ms(3990) && took <= s(4), "told after {took:?}");
    });
    client.assert_empty();
}

#[test]
fn an_idle_connection_lives_on_probes() {
    let lab = Lab::new("an_idle_connection_lives_on_probes", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], s(4000), async {
        let (mut here, mut there) = client.pair(&server, 80).await;
        here.set_keepalive(Some(IMPATIENT));
        lab.sleep(s(3600)).await;
        there.write_all(b"still here").await.expect("the connection holds");
        let mut word = [0; 10];
        here.read_exact(&mut word).await.expect("the connection holds");
    });
    let probes = client.tcp().segments_out;
    assert!((3590..3620).contains(&probes), "{probes} probes in an hour");
}

#[test]
fn ends_that_cross_leave_no_connection() {
    let lab = Lab::new("ends_that_cross_leave_no_connection", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], s(10), async {
        let (mut here, mut there) = client.pair(&server, 80).await;
        lab.sleep(s(1)).await;
        let ended = join(here.shutdown(Direction::Write), there.shutdown(Direction::Write)).await;
        assert_eq!(ended, (Ok(()), Ok(())));
        assert_eq!(join(here.read(&mut [0]), there.read(&mut [0])).await, (Ok(0), Ok(0)));
        drop((here, there));
        lab.sleep(s(4)).await;
    });
    client.assert_empty();
    server.assert_empty();
}

#[test]
fn ends_that_cross_unread_leave_no_connection() {
    let lab = Lab::new("ends_that_cross_unread_leave_no_connection", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], s(10), async {
        drop(client.pair(&server, 80).await);
        lab.sleep(s(4)).await;
    });
    client.assert_empty();
    server.assert_empty();
}

/// A peer whose end crosses ours and that answers with a reset instead of an acknowledgement: first with a sequence
/// number that only lies in the window, which must be challenged (RFC 5961 §3.2), then with the right one.
#[test]
fn a_reset_after_crossing_ends_leaves_no_connection() {
    let lab = Lab::new("a_reset_after_crossing_ends_leaves_no_connection", 1);
    let (server, raw) = (lab.host(1), lab.raw());
    let IpAddr::V4(address) = server.address else { panic!("the laboratory speaks IPv4") };
    let here = Ipv4Addr::new(10, 0, 0, 200);
    lab.run(&[&server], s(20), async {
        let mut listener = server.listen(80);
        let say = |seq, ack, flags| {
            let segment = Segment { from: 4000, to: 80, seq, ack, flags, payload: Vec::new() };
            raw.send_tcp(server.mac, here, address, &segment);
        };
        say(1000, 0, SYN);
        let (_, answer) = raw.segment().await;
        assert_eq!((answer.flags, answer.ack), (SYN | ACK, 1001));
        say(1001, answer.end(), ACK);
        drop(listener.accept().await.expect("a connection comes"));

        let (_, fin) = raw.segment().await;
        assert_eq!((fin.flags & FIN, fin.ack), (FIN, 1001));
        say(1001, fin.seq, FIN | ACK);
        let (_, ack) = raw.segment().await;
        assert_eq!((ack.ack, ack.payload.len()), (1002, 0), "our end is acknowledged");

        say(1012, 0, RST);
        let (_, challenge) = raw.segment().await;
        assert_eq!((challenge.flags & ACK, challenge.ack), (ACK, 1002), "a reset that may be forged is challenged");
        assert_eq!(server.tcp().connections, 1);
        say(challenge.ack, 0, RST);
        lab.sleep(s(4)).await;
    });
    server.assert_empty();
}
