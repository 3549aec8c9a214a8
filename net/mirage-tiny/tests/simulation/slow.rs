//! Readers that are slow, or never read.

use lab::{HostConfig, Lab, Small, both_ways, lan, ms, s};
use mirage_flow::testing::join;
use mirage_flow::{Direction, Read as _, Shutdown as _, Write as _};
use mirage_net::Net;
use mirage_stack::{Stack, TcpListener as _, TcpOptions};
use mirage_tiny::{Count, Sizes};
use mirage_vnetif::Loss;

/// `client` writes 5,000 bytes, of which the server reads seven every ten milliseconds, and they come in order.
async fn sip<C: Stack, S: Stack>(lab: &Lab, client: C, server: S, door: core::net::SocketAddr) {
    let mut listener = server.listen(door, Default::default()).expect("the port is free");
    let (here, there) = join(client.connect(door, TcpOptions::default()), listener.accept()).await;
    let (mut here, mut there) = (here.expect("the server listens"), there.expect("the listener works"));
    let bytes: Vec<u8> = (0..5_000_u32).map(|at| (at % 251) as u8).collect();
    let writes = async {
        here.write_all(&bytes).await.expect("the connection holds");
        here.shutdown(Direction::Write).await.expect("the connection holds");
    };
    let reads = async {
        let mut came = Vec::new();
        let mut buffer = [0; 7];
        loop {
            let len = there.read(&mut buffer).await.expect("the connection holds");
            if len == 0 {
                return came;
            }
            came.extend_from_slice(&buffer[..len]);
            lab.sleep(ms(10)).await;
        }
    };
    assert!(join(writes, reads).await.1 == bytes);
}

#[test]
fn a_reader_that_sips_gets_all() {
    for buffer in [1, 10, 100, 1_461] {
        for loss in [0.0, 0.05] {
            let link = lan().with_loss(Loss::random(loss));
            let sizes = Sizes { buffer, ..Sizes::default() };
            let small = |lab: &Lab, number| lab.small_with(number, both_ways(&link), sizes);
            let lab = Lab::new("a_reader_that_sips_gets_all", 1);
            let (client, server) = (small(&lab, 1), small(&lab, 2));
            lab.run(&[&client, &server], s(20_000), sip(&lab, &client.stack, &server.stack, server.at(80)));
            let lab = Lab::new("a_reader_that_sips_gets_all", 2);
            let (client, server) = (lab.host_with(1, HostConfig::default().with_link(&link)), small(&lab, 2));
            lab.run(&[&client, &server], s(20_000), sip(&lab, &client.stack, &server.stack, server.at(80)));
            let lab = Lab::new("a_reader_that_sips_gets_all", 3);
            let (client, server) = (small(&lab, 1), lab.host_with(2, HostConfig::default().with_link(&link)));
            lab.run(&[&client, &server], s(20_000), sip(&lab, &client.stack, &server.stack, server.at(80)));
        }
    }
}

/// An hour of probes: the peer is there, it does not want anything.
async fn wait_and_read<C: Net, S: Stack>(lab: &Lab, client: &Small<C>, server: S, door: core::net::SocketAddr) {
    let mut listener = server.listen(door, Default::default()).expect("the port is free");
    let (here, there) = join(client.connect(door), listener.accept()).await;
    let (mut here, mut there) = (here.expect("the server listens"), there.expect("the listener works"));
    let writes = here.write_all(&[7; 1_000_000]);
    let reads = async {
        lab.sleep(s(3_600)).await;
        let mut buffer = vec![0; 100_000];
        let mut count = 0;
        while count < 1_000_000 {
            count += there.read(&mut buffer).await.expect("the connection holds");
        }
    };
    join(writes, reads).await.0.expect("the connection holds");
}

#[test]
fn a_reader_that_sleeps_for_an_hour_is_waited_for() {
    let lab = Lab::new("a_reader_that_sleeps_for_an_hour_is_waited_for", 1);
    let (client, server) = (lab.small(1), lab.small(2));
    lab.run(&[&client, &server], s(3_700), wait_and_read(&lab, &client, &server.stack, server.at(80)));
    assert!((50..100).contains(&client.count(Count::Resent)), "a probe a minute");
    let lab = Lab::new("a_reader_that_sleeps_for_an_hour_is_waited_for", 1);
    let (client, server) = (lab.small(1), lab.host(2));
    lab.run(&[&client, &server], s(3_700), wait_and_read(&lab, &client, &server.stack, server.at(80)));
}
