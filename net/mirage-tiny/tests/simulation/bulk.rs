//! Streams over bad links, both ways at once, compared by their SHA-256.

use core::cell::RefCell;
use core::net::{Ipv4Addr, SocketAddr};

use lab::{Driven, Hash, HostConfig, Lab, Small, both_ways, lan, ms, receive, s, send};
use mirage_clock::Duration;
use mirage_flow::testing::join;
use mirage_flow::{Direction, Shutdown, Split};
use mirage_net::Net;
use mirage_stack::{Error, ErrorKind, Stack, TcpListener as _, TcpOptions};
use mirage_tiny::{Count, Sizes};
use mirage_vnetif::{Impairments, Loss};

/// So many connections each small host has room for.
const CONNECTIONS: usize = 4;

fn sizes(buffer: usize) -> Sizes {
    Sizes { connections: CONNECTIONS, buffer, ..Sizes::default() }
}

/// One end's part: `count` bytes out, which follow from `seed`, and as many in at once; the digests of both.
async fn half<T: Split + Shutdown>(mut stream: T, count: usize, seed: u64) -> Result<[Hash; 2], T::Error> {
    let (mut reads, mut writes) = stream.split();
    let out = async {
        let hash = send(&mut writes, count, seed).await?;
        writes.shutdown(Direction::Write).await?;
        Ok(hash)
    };
    let (out, back) = join(out, receive(&mut reads)).await;
    let (received, back) = back?;
    assert_eq!(received, count, "as many bytes arrive as were sent");
    Ok([out?, back])
}

/// Opens a connection from `client` to `server`, and sends `count` bytes each way at once. What each end says of it.
async fn carry<C: Stack, S: Stack>(
    client: C,
    server: S,
    door: SocketAddr,
    count: usize,
) -> (Option<ErrorKind>, Option<ErrorKind>) {
    let any = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), door.port());
    let mut listener = server.listen(any, Default::default()).expect("the port is free");
    let digests = RefCell::new([None; 2]);
    let here = async {
        let result = async { half(client.connect(door, TcpOptions::default()).await?, count, 1).await }.await;
        result.map(|digest| digests.borrow_mut()[0] = Some(digest)).map_err(|error| Error::kind(&error)).err()
    };
    let there = async {
        let stream = listener.accept().await.expect("the listener works");
        let result = half(stream, count, 2).await;
        result.map(|digest| digests.borrow_mut()[1] = Some(digest)).map_err(|error| Error::kind(&error)).err()
    };
    let ends = join(here, there).await;
    if let [Some([out, back]), Some([answered, came])] = digests.into_inner() {
        assert_eq!((out, back), (came, answered), "what arrives is what was sent");
    }
    ends
}

/// Nobody reports an error.
async fn whole(ends: impl Future<Output = (Option<ErrorKind>, Option<ErrorKind>)>) {
    assert_eq!(ends.await, (None, None), "the connection holds");
}

/// Asserts that nothing is left in `host` of any connection: no deadline, and every slot can be had.
fn assert_empty<N: Net>(lab: &Lab, host: &Small<N>) {
    let other = lab.host(99);
    lab.impair(host.id, &lan());
    lab.run(&[host, &other], s(200), lab.sleep(s(190)));
    assert_eq!(host.next(), None, "something is still due");
    lab.run(&[host, &other], s(60), async {
        let _door = other.listen(80);
        let mut held = Vec::new();
        for _ in 0..CONNECTIONS {
            held.push(host.connect(other.at(80)).await.expect("every slot is free"));
        }
    });
}

/// `count` bytes each way over `link`: between small hosts, and between a small and a large one at either end.
fn over(test: &str, seed: u64, link: &Impairments, buffer: usize, count: usize, limit: Duration) {
    let large = || HostConfig::default().with_link(link);
    let small = |lab: &Lab, number| lab.small_with(number, both_ways(link), sizes(buffer));
    let report = |who: &str, lab: &Lab, hosts: &[&Small]| {
        let resent: Vec<u64> = hosts.iter().map(|host| host.count(Count::Resent)).collect();
        eprintln!("{test}: seed {seed}, {who}: {count} bytes in {:?}, sent again: {resent:?}", lab.now());
    };
    {
        let lab = Lab::new(test, seed);
        let (client, server) = (small(&lab, 1), small(&lab, 2));
        lab.run(&[&client, &server], limit, whole(carry(&client.stack, &server.stack, server.at(5001), count)));
        report("both small", &lab, &[&client, &server]);
        assert_empty(&lab, &client);
        assert_empty(&lab, &server);
    }
    {
        let lab = Lab::new(test, seed);
        let (client, server) = (small(&lab, 1), lab.host_with(2, large()));
        lab.run(&[&client, &server], limit, whole(carry(&client.stack, &server.stack, server.at(5001), count)));
        report("small client", &lab, &[&client]);
        assert_empty(&lab, &client);
    }
    {
        let lab = Lab::new(test, seed);
        let (client, server) = (lab.host_with(1, large()), small(&lab, 2));
        lab.run(&[&client, &server], limit, whole(carry(&client.stack, &server.stack, server.at(5001), count)));
        report("small server", &lab, &[&server]);
        assert_empty(&lab, &server);
    }
}

#[test]
fn a_good_link() {
    over("a_good_link", 1, &lan(), 16_384, 10_000_000, s(20));
}

#[test]
fn buffers_of_odd_sizes() {
    for (buffer, count) in [(1, 300), (2, 300), (100, 20_000), (1_461, 200_000), (65_535, 5_000_000)] {
        over("buffers_of_odd_sizes", 1, &lan(), buffer, count, s(100));
        let bad = lan().with_loss(Loss::random(0.01)).with_reordering(0.02, ms(1));
        over("buffers_of_odd_sizes", 2, &bad, buffer, count / 4, s(600));
    }
}

#[test]
fn frames_are_lost() {
    for (loss, count, limit) in [(0.001, 3_000_000, 100), (0.01, 1_000_000, 200), (0.05, 300_000, 600)] {
        for seed in 0..8 {
            over("frames_are_lost", seed, &lan().with_loss(Loss::random(loss)), 16_384, count, s(limit));
        }
    }
}

/// Each frame goes through two links that lose a tenth each.
#[test]
fn a_fifth_of_all_frames_is_lost() {
    for seed in 0..8 {
        over("a_fifth_of_all_frames_is_lost", seed, &lan().with_loss(Loss::random(0.1)), 8_192, 50_000, s(3_600));
    }
}

#[test]
fn frames_come_twice_and_overtake_each_other() {
    for seed in 0..8 {
        let link = lan().with_duplication(0.1).with_reordering(0.1, ms(2));
        over("frames_come_twice_and_overtake_each_other", seed, &link, 16_384, 1_000_000, s(300));
    }
}

#[test]
fn a_long_way_with_jitter() {
    for seed in 0..3 {
        let link = Impairments::default().with_delay(ms(300)).with_jitter(ms(100));
        over("a_long_way_with_jitter", seed, &link, 65_535, 1_000_000, s(600));
    }
}

#[test]
fn everything_at_once() {
    for seed in 0..8 {
        let radio = Impairments::default()
            .with_loss(Loss::random(0.02))
            .with_bandwidth(20_000_000, 20_000)
            .with_trailing(3)
            .with_duplication(0.02)
            .with_delay(ms(5))
            .with_jitter(ms(2))
            .with_reordering(0.02, ms(3));
        over("everything_at_once", seed, &radio, 32_768, 500_000, s(600));
    }
}

#[test]
fn packets_are_damaged() {
    for seed in 0..4 {
        let lab = Lab::new("packets_are_damaged", seed);
        let [client, server] = [1, 2].map(|number| lab.damaged_small(number, 50, sizes(16_384)));
        lab.run(&[&client, &server], s(600), whole(carry(&client.stack, &server.stack, server.at(5001), 3_000_000)));
        let found = [client.count(Count::Ipv4) + server.count(Count::Ipv4), client.count(Count::Tcp)];
        assert!(found[0] > 0 && found[1] > 10, "found by IPv4 and TCP: {found:?}");
    }
}
