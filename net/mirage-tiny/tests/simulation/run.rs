//! Hosts that run as tasks of their own, as in a unikernel.

use core::future::Future;

use lab::{Lab, Small, Tasks, lan, s};
use mirage_clock::{Duration, Instant, Monotonic, Sleep};
use mirage_flow::testing::join;
use mirage_flow::{Read as _, Write as _};
use mirage_stack::testing::examine;
use mirage_stack::{Stack as _, TcpListener as _};
use mirage_tiny::Count;
use mirage_vnetif::Loss;

/// The laboratory's clock.
struct Clock<'l>(&'l Lab);

impl Monotonic for Clock<'_> {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }
}

impl Sleep for Clock<'_> {
    fn sleep_until(&self, deadline: Instant) -> impl Future<Output = ()> {
        // Nobody sleeps for longer than a test.
        let until = deadline.min(self.0.now() + s(1_000_000));
        self.0.sleep(until.since(self.0.now()))
    }
}

/// Runs `main` beside two hosts, which run as tasks.
fn beside<'l>(lab: &'l Lab, hosts: [&'l Small; 2], limit: Duration, main: impl Future<Output = ()> + 'l) {
    let mut tasks = Tasks::default();
    for host in hosts {
        tasks.serve("host", async move {
            let clock = Clock(lab);
            let Err(gone) = host.stack.run(&clock, &clock).await;
            panic!("{gone}");
        });
    }
    tasks.add("main", main);
    lab.run_all(&[], limit, tasks);
}

#[test]
fn hosts_that_run_pass_the_exam() {
    let lab = Lab::new("hosts_that_run_pass_the_exam", 1);
    let (client, server) = (lab.small(1), lab.small(2));
    let exam = async { examine(&&client.stack, &&server.stack, server.address).await };
    beside(&lab, [&client, &server], s(600), exam);
}

/// Nothing but their own timers moves them.
#[test]
fn hosts_that_run_send_again_what_is_lost() {
    let lab = Lab::new("hosts_that_run_send_again_what_is_lost", 1);
    let (client, server) = (lab.small(1), lab.small(2));
    lab.impair(server.id, &lan().with_loss(Loss::random(0.2)));
    let talk = async {
        let mut listener = (&server.stack).listen(server.at(7), Default::default()).expect("the port is free");
        let (here, there) = join(client.connect(server.at(7)), listener.accept()).await;
        let (mut here, mut there) = (here.expect("the server listens"), there.expect("the listener works"));
        for round in 0..100 {
            let mut word = [0; 4];
            here.write_all(&[round; 4]).await.expect("the connection holds");
            there.read_exact(&mut word).await.expect("the connection holds");
            there.write_all(&word).await.expect("the connection holds");
            here.read_exact(&mut word).await.expect("the connection holds");
            assert_eq!(word, [round; 4]);
        }
    };
    beside(&lab, [&client, &server], s(600), talk);
    assert!(client.count(Count::Resent) + server.count(Count::Resent) > 10);
}
