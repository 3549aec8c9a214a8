//! Two machines on one wire.

use mirage_clock::Duration;

use super::Host;

/// Carries segments between two machines until both are quiet, in no time at all.
pub fn exchange(a: &mut Host, b: &mut Host) {
    for _ in 0..10_000 {
        let (from_a, from_b) = (a.output(), b.output());
        if from_a.is_empty() && from_b.is_empty() {
            return;
        }
        for segment in from_a {
            let _ = b.input(&segment);
        }
        for segment in from_b {
            let _ = a.input(&segment);
        }
    }
    panic!("two machines talk without end");
}

/// Lets time pass for two machines, carrying segments whenever there are some.
pub fn run(a: &mut Host, b: &mut Host, span: Duration) {
    run_until(a, b, span, |_, _| false);
}

/// The same until `done` says so; gives whether it did.
pub fn run_until(
    a: &mut Host,
    b: &mut Host,
    span: Duration,
    mut done: impl FnMut(&mut Host, &mut Host) -> bool,
) -> bool {
    let end = a.now + span;
    for _ in 0..1_000_000 {
        exchange(a, b);
        if done(a, b) {
            return true;
        }
        exchange(a, b);
        let next = [a.tcp.poll_timeout(), b.tcp.poll_timeout()].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next <= end) else { break };
        for host in [&mut *a, &mut *b] {
            host.now = host.now.max(next);
            host.tcp.handle_timeout(host.now);
        }
    }
    (a.now, b.now) = (end, end);
    done(a, b)
}
