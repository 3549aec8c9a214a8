//! The estimate, with a host and a processor that tests own.

use core::cell::Cell;

use super::*;

/// A host and its processor, at 2 GHz.
struct Host {
    estimate: Estimate,
    nanos: Cell<u64>,
    cycles: Cell<u64>,
    asked: Cell<u32>,
}

/// How long a question takes.
const QUESTION: u64 = 500;

impl Host {
    fn new() -> Self {
        let estimate = Estimate::new();
        Self { estimate, nanos: Cell::new(1 << 40), cycles: Cell::new(u64::MAX - 77), asked: Cell::new(0) }
    }

    fn pass(&self, nanos: u64) {
        self.nanos.set(self.nanos.get() + nanos);
        self.cycles.set(self.cycles.get().wrapping_add(2 * nanos));
    }

    /// What the image takes for the time, and whether it asked.
    fn now(&self) -> (u64, bool) {
        let before = self.asked.get();
        let now = self.estimate.now(
            || self.cycles.get(),
            || {
                self.asked.set(before + 1);
                self.pass(QUESTION);
                self.nanos.get()
            },
        );
        (now, self.asked.get() != before)
    }

    /// One that knows the rate and was asked just now.
    fn settled() -> Self {
        let host = Self::new();
        for _ in 0..100 {
            host.pass(1_000_000);
            host.now();
        }
        host
    }
}

#[test]
fn the_host_is_asked_until_the_rate_is_known() {
    let host = Host::new();
    for _ in 0..9 {
        assert_eq!(host.now(), (host.nanos.get(), true));
        host.pass(100_000);
    }
    host.pass(200_000);
    assert!(host.now().1);
    host.pass(1_000);
    assert!(!host.now().1, "after a millisecond it is");
}

#[test]
fn a_dozen_times_within_a_frame_are_one_question_and_nearly_exact() {
    let host = Host::settled();
    for _ in 0..400 {
        host.pass(1_000);
        let (now, asked) = host.now();
        assert!(!asked);
        assert!(now <= host.nanos.get() && host.nanos.get() - now < 2_000, "{now} at {}", host.nanos.get());
    }
}

#[test]
fn cycles_are_not_trusted_for_long() {
    let host = Host::settled();
    host.pass(600_000);
    assert_eq!(host.now(), (host.nanos.get(), true));
}

#[test]
fn after_a_wait_the_host_is_asked() {
    let host = Host::settled();
    host.pass(1_000);
    host.estimate.forget();
    assert_eq!(host.now(), (host.nanos.get(), true));
    assert!(!host.now().1);
}

#[test]
fn an_answer_that_took_long_is_not_built_on() {
    let host = Host::settled();
    host.pass(600_000);
    let late = host.estimate.now(
        || {
            // The image stands still between the answer and the next instruction.
            host.pass(5_000_000);
            host.cycles.get()
        },
        || host.nanos.get(),
    );
    assert_eq!(late, host.nanos.get() - 5_000_000);
    assert_eq!(host.now(), (host.nanos.get(), true));
}

#[test]
fn the_time_never_goes_back_and_is_never_far_off_whatever_the_counter_does() {
    let host = Host::settled();
    let (mut last, mut state) = (0, 1_u64);
    for _ in 0..200_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        match state >> 60 {
            0 => host.cycles.set(host.cycles.get().wrapping_sub(state >> 40)),
            1 => host.cycles.set(host.cycles.get().wrapping_add(state >> 30)),
            2 => host.cycles.set(state),
            3 => host.nanos.set(host.nanos.get() + (state >> 44)),
            4 => host.estimate.forget(),
            _ => host.pass(state >> 52),
        }
        let (now, _) = host.now();
        assert!(now >= last);
        assert!(now < host.nanos.get() + 2_100_000, "{now} at {}", host.nanos.get());
        last = now;
    }
    // A second of calm, and it is right again.
    for _ in 0..10_000 {
        host.pass(100_000);
        host.now();
    }
    let (now, _) = host.now();
    assert!(now.abs_diff(host.nanos.get()) < 2_000, "{now} at {}", host.nanos.get());
}

#[test]
fn a_processor_that_changes_its_rate_is_followed() {
    let host = Host::settled();
    for _ in 0..1_000 {
        host.nanos.set(host.nanos.get() + 100_000);
        host.cycles.set(host.cycles.get().wrapping_add(300_000));
        host.now();
    }
    let (mut most, mut questions) = (0, 0);
    for _ in 0..1_000 {
        host.nanos.set(host.nanos.get() + 10_000);
        host.cycles.set(host.cycles.get().wrapping_add(30_000));
        let (now, asked) = host.now();
        questions += u32::from(asked);
        most = most.max(now.abs_diff(host.nanos.get()));
    }
    assert!(most < 5_000 && questions < 40, "{most} ns off, {questions} questions");
}
