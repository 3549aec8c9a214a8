//! A stack that runs as a task lets applications read and answer before it acknowledges.

use core::convert::Infallible;
use core::future::{Future, pending};
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mirage_clock::{Duration, Instant, Monotonic, Sleep};
use mirage_net::Disconnected;
use mirage_random::{EntropyError, EntropySource, SeededGenerator};
use mirage_stack::{ListenOptions, Stack as _, TcpOptions};
use mirage_tcpip::{Config, Ipv4Cidr, Sizes, Stack, Storage};
use mirage_vnetif::CableEnd;

/// Varied enough for the generator's test of its source, and the same each time.
struct Counting(u64);

impl EntropySource for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
        Ok(())
    }
}

/// Time stands still, and nobody waits for it to end.
struct Still;

impl Monotonic for Still {
    fn now(&self) -> Instant {
        Instant::from_micros(1_000_000)
    }

    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }
}

impl Sleep for Still {
    async fn sleep_until(&self, _deadline: Instant) {
        pending().await
    }
}

fn stack(device: CableEnd, last: u8) -> Stack<'static, CableEnd> {
    let mut random = SeededGenerator::new(&mut Counting(last.into())).expect("the source is no constant");
    let stack = Stack::new(device, Config::default(), Storage::allocate(Sizes::default()), &mut random);
    stack.add_address(Ipv4Cidr::new(Ipv4Addr::new(10, 0, 0, last), 24).expect("a prefix")).expect("there is room");
    stack
}

fn still_runs(run: Poll<Result<Infallible, Disconnected>>) {
    assert!(run.is_pending(), "the cable is in");
}

#[test]
fn what_is_read_and_answered_at_once_is_acknowledged_by_the_answer() {
    let (one, other) = mirage_vnetif::cable(1500, 64);
    let (here, there) = (stack(one, 1), stack(other, 2));
    let mut cx = Context::from_waker(Waker::noop());
    let mut run = pin!(there.run(&Still, &Still));
    let at = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 80);
    let mut listener = (&there).listen(at, ListenOptions::default()).expect("the port is free");
    let mut accepted = None;
    let mut stream = {
        let stack = &here;
        let mut opening = pin!(stack.connect(at, TcpOptions::default()));
        loop {
            here.poll(Still.now(), &mut cx).expect("the cable is in");
            still_runs(run.as_mut().poll(&mut cx));
            if let Poll::Ready(stream) = listener.poll_accept(&mut cx) {
                accepted = Some(stream.expect("it is open"));
            }
            if let Poll::Ready(stream) = opening.as_mut().poll(&mut cx)
                && accepted.is_some()
            {
                break stream.expect("somebody listens");
            }
        }
    };
    let mut accepted = accepted.expect("it was accepted");
    for _ in 0..10 {
        here.poll(Still.now(), &mut cx).expect("the cable is in");
        still_runs(run.as_mut().poll(&mut cx));
    }
    let mut buffer = [0; 65_536];
    for _ in 0..3 {
        let before = there.device_stats().tx_frames;
        let Poll::Ready(Ok(11_584)) = stream.poll_write(&mut cx, &[7; 11_584]) else { panic!("there is room") };
        here.poll(Still.now(), &mut cx).expect("the cable is in");
        // It takes in what came, and lets others run.
        still_runs(run.as_mut().poll(&mut cx));
        let Poll::Ready(Ok(11_584)) = accepted.poll_read(&mut cx, &mut buffer) else { panic!("all has come") };
        let Poll::Ready(Ok(6)) = accepted.poll_write(&mut cx, b"thanks") else { panic!("there is room") };
        for _ in 0..10 {
            still_runs(run.as_mut().poll(&mut cx));
        }
        assert_eq!(there.device_stats().tx_frames - before, 1);
        here.poll(Still.now(), &mut cx).expect("the cable is in");
    }
}
