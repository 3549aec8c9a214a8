//! The loop that runs tasks and stacks and moves the time.

use core::cell::Cell;
use core::future::Future;

use mirage_clock::{Duration, Instant};

use crate::{Driven, Lab, Tasks};

impl Lab {
    /// Runs `main` and the stacks of `hosts`, to its end.
    ///
    /// # Panics
    /// When that takes longer than `limit` or never happens.
    pub fn run<T>(&self, hosts: &[&dyn Driven], limit: Duration, main: impl Future<Output = T>) -> T {
        let output = Cell::new(None);
        let mut tasks = Tasks::default();
        tasks.add("main", async { output.set(Some(main.await)) });
        self.run_all(hosts, limit, tasks);
        output.into_inner().expect("the task has ended")
    }

    /// Runs `tasks` and the stacks of `hosts` until all tasks have ended that have to.
    ///
    /// Whoever runs was woken, or what it waits for is due: a waker that is lost shows as a hang.
    ///
    /// # Panics
    /// When that takes longer than `limit` or never happens.
    pub fn run_all(&self, hosts: &[&dyn Driven], limit: Duration, mut tasks: Tasks<'_>) {
        let start = self.now();
        let end = start + limit;
        loop {
            if self.run_now(hosts, &mut tasks) {
                return;
            }
            let network = self.network.borrow().next_event();
            let sleeper = self.sleepers.borrow().first_key_value().map(|((at, _), _)| *at);
            let next = hosts.iter().map(|host| host.next()).chain([network, sleeper]).flatten().min();
            match next {
                Some(next) if next <= end => self.advance(next),
                Some(_) => panic!("after {limit:?} of virtual time these tasks still wait: {}", waiting(&tasks)),
                None => panic!("nothing will ever happen again, and these tasks wait: {}", waiting(&tasks)),
            }
        }
    }

    /// Runs all who can run at this moment; `true` when all tasks that have to have ended.
    fn run_now(&self, hosts: &[&dyn Driven], tasks: &mut Tasks<'_>) -> bool {
        for _ in 0..PATIENCE {
            let now = self.now();
            let mut busy = false;
            for host in hosts {
                busy |= host.drive(now);
            }
            for task in &mut tasks.0 {
                busy |= task.run();
            }
            if tasks.0.iter().all(|task| task.is_done() || !task.awaited) {
                return true;
            }
            if self.network.borrow().next_event().is_some_and(|at| at <= now) {
                self.advance(now);
                busy = true;
            }
            if !busy {
                return false;
            }
        }
        panic!("somebody spins at {:?}; these tasks wait: {}", self.now(), waiting(tasks));
    }

    fn advance(&self, to: Instant) {
        self.network.borrow_mut().advance_to(to);
        let mut sleepers = self.sleepers.borrow_mut();
        while let Some(first) = sleepers.first_entry().filter(|first| first.key().0 <= to) {
            first.remove().wake();
        }
    }
}

fn waiting(tasks: &Tasks<'_>) -> String {
    let names = tasks.0.iter().filter(|task| task.awaited && !task.is_done()).map(|task| task.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

#[test]
#[should_panic(expected = "nothing will ever happen again, and these tasks wait: main")]
fn a_task_that_waits_for_nothing_fails() {
    let lab = Lab::new("a_task_that_waits_for_nothing_fails", 1);
    lab.run(&[], Duration::from_secs(1), core::future::pending::<()>());
}

#[test]
#[should_panic(expected = "these tasks still wait: slow")]
fn a_task_that_takes_too_long_fails() {
    let lab = Lab::new("a_task_that_takes_too_long_fails", 1);
    let mut tasks = Tasks::default();
    tasks.add("quick", lab.sleep(Duration::from_secs(1)));
    tasks.add("slow", lab.sleep(Duration::from_secs(3)));
    lab.run_all(&[], Duration::from_secs(2), tasks);
}

#[test]
#[should_panic(expected = "somebody spins")]
fn a_task_that_spins_fails() {
    let lab = Lab::new("a_task_that_spins_fails", 1);
    let spin = core::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        core::task::Poll::<()>::Pending
    });
    lab.run(&[], Duration::from_secs(1), spin);
}

/// Rounds without any time passing that nobody needs.
const PATIENCE: usize = 100_000;
