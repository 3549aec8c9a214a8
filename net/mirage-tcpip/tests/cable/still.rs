//! A stack that runs as a task while time stands still.

use core::convert::Infallible;
use core::future::{Future, pending};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

use mirage_clock::{Duration, Instant, Monotonic, Sleep};
use mirage_net::{Disconnected, Net};
use mirage_stack::{ListenOptions, Stack as _, TcpOptions};
use mirage_tcpip::{Stack, TcpStream};

use crate::at;

/// Time stands still, and nobody waits for it to end.
pub(crate) struct Still;

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
        pending::<()>().await;
    }
}

/// Lets the stack go on that runs as `run`.
pub(crate) fn go_on(run: &mut Pin<&mut impl Future<Output = Result<Infallible, Disconnected>>>, cx: &mut Context<'_>) {
    assert!(run.as_mut().poll(cx).is_pending(), "the cable is in");
}

/// A connection from `here`, which is polled, to `there`, which runs as `run`.
pub(crate) fn open<'c, N: Net>(
    here: &'c Stack<'static, N>,
    there: &'c Stack<'static, N>,
    run: &mut Pin<&mut impl Future<Output = Result<Infallible, Disconnected>>>,
) -> [TcpStream<'c, 'static>; 2] {
    let mut cx = Context::from_waker(Waker::noop());
    let mut listener = there.listen(at(80), ListenOptions::default()).expect("the port is free");
    let mut opening = pin!(here.connect(at(80), TcpOptions::default()));
    let mut accepted = None;
    loop {
        here.poll(Still.now(), &mut cx).expect("the cable is in");
        go_on(run, &mut cx);
        if let Poll::Ready(stream) = listener.poll_accept(&mut cx) {
            accepted = Some(stream.expect("it is open"));
        }
        if let Poll::Ready(stream) = opening.as_mut().poll(&mut cx)
            && let Some(accepted) = accepted
        {
            return [stream.expect("somebody listens"), accepted];
        }
    }
}
