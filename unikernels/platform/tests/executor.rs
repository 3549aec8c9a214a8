//! The executor on a machine whose time the test owns.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "std is there")]

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Poll, Waker};

use mirage_clock::{Instant, Monotonic, Sleep};
use mirage_platform::executor::{Executor, Park, TooManyTasks};
use mirage_platform::{Permits, yield_now};
use proptest::prelude::*;

/// Time jumps to the next deadline as soon as nobody has anything to do.
#[derive(Clone, Default)]
struct Machine {
    now: Rc<Cell<Instant>>,
    parked: Rc<Cell<u32>>,
    unparked: Arc<AtomicUsize>,
}

impl Park for Machine {
    fn now(&self) -> Instant {
        self.now.get()
    }

    fn park(&self, until: Option<Instant>, idle: &dyn Fn() -> bool) {
        self.parked.set(self.parked.get() + 1);
        if idle() {
            self.now.set(self.now.get().max(until.expect("nothing will ever happen again")));
        }
    }

    fn unparker(&self) -> Box<dyn Fn() + Send + Sync> {
        let unparked = self.unparked.clone();
        Box::new(move || {
            unparked.fetch_add(1, Ordering::SeqCst);
        })
    }
}

fn executor() -> Executor {
    Executor::new(Machine::default(), 1_000)
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines_and_equal_ones_in_the_order_they_came() {
    let executor = executor();
    let order = Rc::new(RefCell::new(Vec::new()));
    for (name, deadline) in [('d', 30), ('a', 10), ('b', 20), ('c', 20)] {
        let (timer, order) = (executor.timer(), order.clone());
        let task = async move {
            timer.sleep_until(at(deadline)).await;
            order.borrow_mut().push((name, timer.now()));
        };
        executor.spawner().spawn(task).expect("room");
    }
    executor.block_on(executor.timer().sleep_until(at(31)));
    assert_eq!(*order.borrow(), [('a', at(10)), ('b', at(20)), ('c', at(20)), ('d', at(30))]);
}

#[test]
fn a_deadline_that_has_passed_is_no_wait() {
    let machine = Machine::default();
    machine.now.set(at(5));
    let executor = Executor::new(machine.clone(), 1);
    executor.block_on(executor.timer().sleep_until(at(5)));
    assert_eq!((machine.parked.get(), executor.timer().pending()), (0, 0));
}

#[test]
fn a_deadline_that_passed_since_the_last_look_ends_with_the_next() {
    let machine = Machine::default();
    let executor = Executor::new(machine.clone(), 1);
    machine.now.set(at(5_000));
    executor.block_on(executor.timer().sleep_until(at(4_000)));
    assert_eq!((machine.now.get(), executor.timer().pending()), (at(5_000), 0));
}

#[test]
fn a_sleep_that_is_dropped_is_forgotten() {
    let executor = executor();
    let timer = executor.timer();
    executor.block_on(async {
        let mut sleep = Box::pin(timer.sleep_until(at(1_000)));
        poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx).is_pending())).await.then_some(()).expect("it waits");
        assert_eq!(timer.pending(), 1);
        drop(sleep);
        assert_eq!(timer.pending(), 0);
        timer.sleep_until(at(1)).await;
    });
    assert_eq!(timer.now(), at(1));
}

#[test]
fn a_task_starts_another_which_starts_another() {
    let executor = executor();
    let done = Rc::new(Cell::new(0));
    let (spawner, count) = (executor.spawner(), done.clone());
    let task = async move {
        let inner = spawner.clone();
        let deeper = count.clone();
        count.set(count.get() + 1);
        let child = async move {
            deeper.set(deeper.get() + 1);
            let deepest = deeper.clone();
            inner.spawn(async move { deepest.set(deepest.get() + 1) }).expect("room");
        };
        spawner.spawn(child).expect("room");
    };
    executor.spawner().spawn(task).expect("room");
    executor.block_on(executor.timer().sleep_until(at(1)));
    assert_eq!((done.get(), executor.spawner().tasks()), (3, 0));
}

#[test]
fn the_bound_on_tasks_holds_and_an_ended_task_makes_room() {
    let executor = Executor::new(Machine::default(), 2);
    let spawner = executor.spawner();
    let dropped = Rc::new(());
    let witness = dropped.clone();
    spawner.spawn(pending()).expect("room");
    spawner.spawn(async {}).expect("room");
    assert_eq!(spawner.spawn(async move { drop(witness) }), Err(TooManyTasks));
    assert_eq!(Rc::strong_count(&dropped), 1, "the refused task is dropped");
    executor.block_on(yield_now());
    assert_eq!(spawner.tasks(), 1);
    spawner.spawn(pending()).expect("room again");
}

#[test]
fn a_wake_up_after_the_end_reaches_nobody_else() {
    let executor = executor();
    let kept = Rc::new(RefCell::new(None::<Waker>));
    let keep = kept.clone();
    let task = poll_fn(move |cx| {
        *keep.borrow_mut() = Some(cx.waker().clone());
        Poll::Ready(())
    });
    executor.spawner().spawn(task).expect("room");
    executor.block_on(yield_now());
    let polls = Rc::new(Cell::new(0));
    let count = polls.clone();
    let heir = poll_fn(move |_| {
        count.set(count.get() + 1);
        Poll::<()>::Pending
    });
    executor.spawner().spawn(heir).expect("room");
    executor.block_on(yield_now());
    kept.take().expect("kept").wake();
    executor.block_on(yield_now());
    assert_eq!(polls.get(), 1, "the heir of the place was polled once");
}

#[test]
fn a_task_woken_many_times_is_polled_once() {
    let executor = executor();
    let polls = Rc::new(Cell::new(0));
    let waker = Rc::new(RefCell::new(None::<Waker>));
    let (count, keep) = (polls.clone(), waker.clone());
    let task = poll_fn(move |cx| {
        count.set(count.get() + 1);
        *keep.borrow_mut() = Some(cx.waker().clone());
        Poll::<()>::Pending
    });
    executor.spawner().spawn(task).expect("room");
    executor.block_on(yield_now());
    for _ in 0..10 {
        waker.borrow().as_ref().expect("kept").wake_by_ref();
    }
    executor.block_on(yield_now());
    assert_eq!(polls.get(), 2);
}

#[test]
fn a_busy_task_does_not_starve_timers_and_devices() {
    let machine = Machine::default();
    let executor = Executor::new(machine.clone(), 10);
    let spinner = async {
        loop {
            yield_now().await;
        }
    };
    executor.spawner().spawn(spinner).expect("room");
    let looks = machine.parked.clone();
    executor.block_on(async move {
        while looks.get() < 3 {
            yield_now().await;
        }
    });
}

#[test]
fn tasks_take_turns() {
    let executor = executor();
    let order = Rc::new(RefCell::new(String::new()));
    for name in ['a', 'b', 'c'] {
        let order = order.clone();
        let task = async move {
            for _ in 0..3 {
                order.borrow_mut().push(name);
                yield_now().await;
            }
        };
        executor.spawner().spawn(task).expect("room");
    }
    executor.block_on(executor.timer().sleep_until(at(1)));
    assert_eq!(*order.borrow(), "abcabcabc");
}

#[test]
fn dropping_the_executor_drops_every_task_though_they_hold_its_handles() {
    let executor = executor();
    let alive = Rc::new(());
    for _ in 0..5 {
        let (spawner, timer, alive) = (executor.spawner(), executor.timer(), alive.clone());
        let task = async move {
            timer.sleep_until(Instant::MAX).await;
            drop((spawner, alive));
        };
        executor.spawner().spawn(task).expect("room");
    }
    executor.block_on(yield_now());
    assert_eq!(Rc::strong_count(&alive), 6);
    let spawner = executor.spawner();
    drop(executor);
    assert_eq!(Rc::strong_count(&alive), 1);
    assert_eq!(spawner.spawn(async {}), Err(TooManyTasks), "nobody would run it");
}

#[test]
fn who_wants_a_permit_too_many_waits_for_one_that_is_given_back() {
    let executor = executor();
    let (permits, most, now) = (Permits::new(3), Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    for _ in 0..20 {
        let (permits, most, now, timer) = (permits.clone(), most.clone(), now.clone(), executor.timer());
        let task = async move {
            let _permit = permits.take().await;
            now.set(now.get() + 1);
            most.set(most.get().max(now.get()));
            timer.sleep_until(timer.now() + mirage_clock::Duration::from_millis(1)).await;
            now.set(now.get() - 1);
        };
        executor.spawner().spawn(task).expect("room");
    }
    executor.block_on(executor.timer().sleep_until(at(100)));
    assert_eq!((most.get(), now.get(), permits.free(), executor.spawner().tasks()), (3, 0, 3, 0));
}

/// A machine that really sleeps.
#[derive(Clone, Default)]
struct Sleeper(Arc<(Mutex<bool>, Condvar)>);

impl Park for Sleeper {
    fn now(&self) -> Instant {
        Instant::ZERO
    }

    fn park(&self, _until: Option<Instant>, idle: &dyn Fn() -> bool) {
        let (rung, bell) = &*self.0;
        if idle() {
            let mut rung = rung.lock().expect("no panic");
            while !*rung {
                rung = bell.wait(rung).expect("no panic");
            }
        }
        *rung.lock().expect("no panic") = false;
    }

    fn unparker(&self) -> Box<dyn Fn() + Send + Sync> {
        let shared = self.0.clone();
        Box::new(move || {
            *shared.0.lock().expect("no panic") = true;
            shared.1.notify_one();
        })
    }
}

#[test]
fn four_threads_wake_a_task_and_no_wake_up_is_lost() {
    const EACH: usize = 5_000;
    let executor = Executor::new(Sleeper::default(), 1);
    let counter = Arc::new(AtomicUsize::new(0));
    let mut threads = Vec::new();
    executor.block_on(poll_fn(|cx| {
        if threads.is_empty() {
            for _ in 0..4 {
                let (waker, counter) = (cx.waker().clone(), counter.clone());
                threads.push(std::thread::spawn(move || {
                    for _ in 0..EACH {
                        counter.fetch_add(1, Ordering::SeqCst);
                        waker.wake_by_ref();
                    }
                }));
            }
        }
        if counter.load(Ordering::SeqCst) == 4 * EACH { Poll::Ready(()) } else { Poll::Pending }
    }));
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

proptest! {
    #[test]
    fn whatever_the_deadlines_everybody_wakes_in_order_and_on_time(deadlines in prop::collection::vec(0_u64..500, 0..60)) {
        let executor = executor();
        let woken = Rc::new(RefCell::new(Vec::new()));
        for deadline in deadlines.clone() {
            let (timer, woken) = (executor.timer(), woken.clone());
            let task = async move {
                timer.sleep_until(at(deadline)).await;
                woken.borrow_mut().push((deadline, timer.now()));
            };
            executor.spawner().spawn(task).expect("room");
        }
        executor.block_on(executor.timer().sleep_until(at(1_000)));
        let mut sorted = deadlines;
        sorted.sort();
        let expected: Vec<_> = sorted.into_iter().map(|deadline| (deadline, at(deadline))).collect();
        prop_assert_eq!(&*woken.borrow(), &expected);
    }
}
