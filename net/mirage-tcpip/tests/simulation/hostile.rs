//! A hundred megabytes over every kind of bad link, compared by their SHA-256. The limits of virtual time are a few
//! times what the links allow: what crawls fails too.

use lab::{HostConfig, Lab, Large, Tasks, lan, ms, receive, s, send};
use mirage_clock::{Duration, Instant};
use mirage_flow::testing::join;
use mirage_flow::{Direction, Shutdown, Split};
use mirage_net::{Link, Net};
use mirage_tcpip::TcpStream;
use mirage_vnetif::{Impairments, Loss};
use sha2::{Digest, Sha256};

const MEGABYTE: usize = 1_000_000;
const HUNDRED_MEGABYTES: usize = 100 * MEGABYTE;

/// Sends `count` bytes from one end to the other and says what happened.
async fn carry(from: &mut TcpStream<'_, '_>, to: &mut TcpStream<'_, '_>, count: usize) {
    let sender = async {
        let hash = send(from, count, 7).await.expect("the connection holds");
        from.shutdown(Direction::Write).await.expect("the connection holds");
        hash
    };
    let (sent, received) = join(sender, receive(to)).await;
    assert_eq!(received.expect("the connection holds"), (count, sent), "what arrives is what was sent");
}

/// A hundred megabytes from `client` to `server`.
fn transfer<A: Net, B: Net>(lab: &Lab, client: &Large<A>, server: &Large<B>, limit: Duration) {
    transfer_so_many(lab, client, server, HUNDRED_MEGABYTES, limit);
}

fn transfer_so_many<A: Net, B: Net>(lab: &Lab, client: &Large<A>, server: &Large<B>, count: usize, limit: Duration) {
    lab.run(&[client, server], limit, async {
        let (mut here, mut there) = client.pair(server, 5001).await;
        carry(&mut here, &mut there, count).await;
    });
    let (sender, receiver) = (client.tcp(), server.tcp());
    eprintln!(
        "{count} bytes in {:?}: {} segments, {} again, {} timeouts; {} back",
        lab.now(),
        sender.segments_out,
        sender.retransmits,
        sender.timeouts,
        receiver.segments_out
    );
    lab.run(&[client, server], s(120), lab.sleep(s(100)));
    client.assert_empty();
    server.assert_empty();
}

/// A hundred megabytes between two hosts whose links are both like `link`.
fn over(test: &str, link: &Impairments, limit: Duration) {
    let lab = Lab::new(test, 11);
    let [client, server] = [1, 2].map(|number| lab.host_with(number, HostConfig::default().with_link(link)));
    transfer(&lab, &client, &server, limit);
}

#[test]
fn a_good_link() {
    over("a_good_link", &lan(), s(5));
}

#[test]
fn a_link_that_enforces_its_mtu() {
    let lab = Lab::new("a_link_that_enforces_its_mtu", 11);
    let [client, server] =
        [1, 2].map(|number| lab.host_with(number, HostConfig::default().with_link(&lan().with_mtu(1500))));
    transfer(&lab, &client, &server, s(5));
    for host in [client.id, server.id] {
        let [out, back] =
            [mirage_vnetif::Way::Outbound, mirage_vnetif::Way::Inbound].map(|way| lab.network().counts(host, way));
        assert_eq!((out.too_long, back.too_long), (0, 0), "a frame was longer than the MTU");
    }
}

#[test]
fn a_link_with_trailing_bytes() {
    over("a_link_with_trailing_bytes", &lan().with_trailing(9), s(5));
}

#[test]
fn one_frame_in_a_hundred_is_lost() {
    over("one_frame_in_a_hundred_is_lost", &lan().with_loss(Loss::random(0.01)), s(240));
}

#[test]
fn one_frame_in_a_hundred_is_lost_on_a_gigabit_line() {
    let line = lan().with_bandwidth(1_000_000_000, 1_000_000).with_loss(Loss::random(0.01));
    over("one_frame_in_a_hundred_is_lost_on_a_gigabit_line", &line, s(240));
}

#[test]
fn one_short_frame_in_ten_is_lost_on_a_gigabit_line() {
    let line = lan().with_bandwidth(1_000_000_000, 1_000_000).with_loss(Loss::random(0.1).only(0..=100));
    over("one_short_frame_in_ten_is_lost_on_a_gigabit_line", &line, s(240));
}

#[test]
fn one_short_frame_in_ten_is_lost() {
    over("one_short_frame_in_ten_is_lost", &lan().with_loss(Loss::random(0.1).only(0..=100)), s(60));
}

#[test]
fn a_blackout_of_a_second_after_a_megabyte() {
    over("a_blackout_of_a_second_after_a_megabyte", &lan().with_loss(Loss::outage(1_000_000, s(1))), s(15));
}

#[test]
fn one_frame_in_ten_comes_twice() {
    over("one_frame_in_ten_comes_twice", &lan().with_duplication(0.1), s(30));
}

#[test]
fn one_frame_in_ten_is_overtaken() {
    over("one_frame_in_ten_is_overtaken", &lan().with_reordering(0.1, Duration::from_micros(300)), s(120));
}

#[test]
fn one_packet_in_two_hundred_is_damaged() {
    let lab = Lab::new("one_packet_in_two_hundred_is_damaged", 11);
    let [client, server] = [1, 2].map(|number| lab.damaged_host(number, 200));
    transfer(&lab, &client, &server, s(240));
    let found = [server.discarded("ipv4", "checksum"), server.discarded("tcp", "bad_checksum")];
    assert!(found[0] > 1 && found[1] > 100, "found by IPv4 and TCP: {found:?}");
}

#[test]
fn a_long_way_with_jitter() {
    over("a_long_way_with_jitter", &Impairments::default().with_delay(ms(10)).with_jitter(ms(10)), s(60));
}

/// Ten megabits a second and a queue of 32 kB: 100 MB take 80 s on the line itself, and the sender has to find by loss
/// how much the line carries.
#[test]
fn a_narrow_line_with_a_short_queue() {
    let narrow = Impairments::default().with_bandwidth(10_000_000, 32_000).with_delay(ms(5));
    over("a_narrow_line_with_a_short_queue", &narrow, s(120));
}

#[test]
fn a_plug_that_is_pulled_again_and_again() {
    let lab = Lab::new("a_plug_that_is_pulled_again_and_again", 11);
    let slow = Impairments::default().with_bandwidth(100_000_000, 256_000).with_delay(ms(1));
    let [client, server] = [1, 2].map(|number| lab.host_with(number, HostConfig::default().with_link(&slow)));
    let mut tasks = Tasks::default();
    tasks.add("transfer", async {
        let (mut here, mut there) = client.pair(&server, 5001).await;
        carry(&mut here, &mut there, HUNDRED_MEGABYTES).await;
    });
    tasks.serve("plug", async {
        loop {
            lab.sleep(ms(800)).await;
            lab.set_link(server.id, Link::Down);
            lab.sleep(ms(200)).await;
            lab.set_link(server.id, Link::Up);
        }
    });
    lab.run_all(&[&client, &server], s(60), tasks);
    assert!(lab.now() > Instant::from_secs(8), "the plug was pulled several times");
}

#[test]
fn different_mtus_at_the_two_ends() {
    for (sender, receiver) in [(1500, 9000), (9000, 1500)] {
        let lab = Lab::new("different_mtus_at_the_two_ends", 11);
        let client = lab.host_with(1, HostConfig::default().with_mtu(sender).with_link(&lan().with_mtu(sender)));
        let server = lab.host_with(2, HostConfig::default().with_mtu(receiver).with_link(&lan().with_mtu(receiver)));
        transfer(&lab, &client, &server, s(5));
    }
}

/// Everything that a radio link far away does, together.
#[test]
fn everything_at_once() {
    let radio = Impairments::default()
        .with_loss(Loss::random(0.002))
        .with_bandwidth(50_000_000, 128_000)
        .with_trailing(3)
        .with_duplication(0.01)
        .with_delay(ms(5))
        .with_jitter(ms(2))
        .with_reordering(0.01, ms(3));
    let lab = Lab::new("everything_at_once", 11);
    let [client, server] = [1, 2].map(|number| lab.host_with(number, HostConfig::default().with_link(&radio)));
    transfer(&lab, &client, &server, s(300));
}

/// The digest of all frames of a megabyte over a bad link.
fn frames(seed: u64) -> Vec<u8> {
    let lab = Lab::new("the_same_seed_gives_the_same_frames", seed);
    let bad = lan().with_loss(Loss::random(0.01)).with_jitter(ms(1));
    let [client, server] = [1, 2].map(|number| lab.host_with(number, HostConfig::default().with_link(&bad)));
    transfer_so_many(&lab, &client, &server, MEGABYTE, s(60));
    let mut digest = Sha256::new();
    lab.for_each_frame(|at, frame| {
        digest.update(at.as_nanos().to_le_bytes());
        digest.update(frame);
    });
    digest.finalize().to_vec()
}

#[test]
fn the_same_seed_gives_the_same_frames() {
    assert_eq!(frames(1), frames(1));
    assert_ne!(frames(1), frames(2));
}

#[test]
fn both_directions_at_once() {
    let lab = Lab::new("both_directions_at_once", 11);
    let bad = lan().with_loss(Loss::random(0.001));
    let [client, server] = [1, 2].map(|number| lab.host_with(number, HostConfig::default().with_link(&bad)));
    lab.run(&[&client, &server], s(60), async {
        let (mut here, mut there) = client.pair(&server, 5001).await;
        let (mut here_reads, mut here_writes) = here.split();
        let (mut there_reads, mut there_writes) = there.split();
        let out = async {
            let hash = send(&mut here_writes, HUNDRED_MEGABYTES, 1).await.expect("the connection holds");
            here_writes.shutdown(Direction::Write).await.expect("the connection holds");
            hash
        };
        let back = async {
            let hash = send(&mut there_writes, HUNDRED_MEGABYTES, 2).await.expect("the connection holds");
            there_writes.shutdown(Direction::Write).await.expect("the connection holds");
            hash
        };
        let ends = join(receive(&mut there_reads), receive(&mut here_reads));
        let ((out, back), (there, here)) = join(join(out, back), ends).await;
        assert_eq!(there.expect("the connection holds"), (HUNDRED_MEGABYTES, out));
        assert_eq!(here.expect("the connection holds"), (HUNDRED_MEGABYTES, back));
    });
}
