//! The clock, and everything that happens as it goes on.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread::ThreadId;

use libc::c_int;
use mirage_clock::{Duration, Instant};

use crate::errno::{Answer, Errno};
use crate::profile::Profile;
use crate::socket::Descriptor;
use crate::stack::Stack;

/// What all threads of packetdrill share.
pub(crate) struct Shared {
    world: Mutex<World>,
    /// Something happened: those who wait in a call look again.
    happened: Condvar,
    /// They have looked.
    looked: Condvar,
    /// The thread that runs the script. It never waits in a call without moving the clock.
    main: ThreadId,
}

/// Everything a script can touch.
pub(crate) struct World {
    pub(crate) now: Instant,
    profile: Profile,
    stack: Option<Stack>,
    pub(crate) descriptors: BTreeMap<c_int, Descriptor>,
    /// What holds their numbers.
    pub(crate) numbers: BTreeMap<c_int, File>,
    /// When calls that wait give up.
    deadlines: Vec<Instant>,
    /// How many threads wait in a call.
    waiting: usize,
    /// How many of them have yet to look at what happened last.
    to_look: usize,
    /// How often something happened.
    happenings: u64,
    /// A call that waited has returned since the script last slept.
    returned: bool,
}

thread_local! {
    /// When the call that this thread waited in came to its end: the time this thread is told when it asks next, however
    /// far the clock has gone since.
    static ENDED: Cell<Option<Instant>> = const { Cell::new(None) };
}

impl Shared {
    pub(crate) fn new(flags: &str) -> Self {
        Self {
            world: Mutex::new(World::new(Profile::parse(flags))),
            happened: Condvar::new(),
            looked: Condvar::new(),
            main: std::thread::current().id(),
        }
    }

    /// The world, for something that takes no time. What it makes the machine send leaves at once.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut World) -> R) -> R {
        let mut world = self.lock();
        let result = act(&mut world);
        world.transmit();
        result
    }

    /// Tries until `attempt` is ready. It answers `EAGAIN` when it would wait and may not (`wait` is `None`), or has waited
    /// for longer than that.
    pub(crate) fn wait<T>(
        &self,
        wait: Option<Duration>,
        mut attempt: impl FnMut(&mut World) -> Poll<Answer<T>>,
    ) -> Answer<T> {
        let mut world = self.lock();
        let first = attempt(&mut world);
        world.transmit();
        let wait = match (first, wait) {
            (Poll::Ready(answer), _) => return answer,
            (Poll::Pending, None) => return Err(Errno(libc::EAGAIN)),
            (Poll::Pending, Some(wait)) => wait,
        };
        let deadline = world.now + wait;
        world.deadlines.push(deadline);
        let answer = loop {
            world = match std::thread::current().id() == self.main {
                true => match self.step(world, Instant::MAX) {
                    (world, true) => world,
                    // Nothing will ever happen that it could wait for.
                    (_, false) => return Err(Errno(libc::EDEADLK)),
                },
                false => self.wait_for_something(world),
            };
            let tried = attempt(&mut world);
            let late = world.now >= deadline;
            let done = match tried {
                Poll::Ready(answer) => Some(answer),
                Poll::Pending if late => Some(Err(Errno(libc::EAGAIN))),
                Poll::Pending => None,
            };
            world.transmit();
            if let Some(answer) = done {
                break answer;
            }
        };
        if let Some(at) = world.deadlines.iter().position(|other| *other == deadline) {
            world.deadlines.swap_remove(at);
        }
        if std::thread::current().id() != self.main {
            ENDED.set(Some(world.now));
            world.returned = true;
            // This was the look that the thread that moves the clock waits for.
            world.to_look = world.to_look.saturating_sub(1);
            self.looked.notify_all();
        }
        answer
    }

    /// The time in microseconds. Asking takes one.
    pub(crate) fn time(&self) -> u64 {
        if let Some(ended) = ENDED.take() {
            return ended.as_micros();
        }
        let world = self.lock();
        let until = world.now + Duration::from_micros(1);
        self.go_on(world, until).now.as_micros()
    }

    /// Lets time pass.
    pub(crate) fn sleep(&self, span: Duration) {
        let world = self.lock();
        let until = world.now + span;
        let returned = std::mem::take(&mut self.go_on(world, until).returned);
        if returned {
            // packetdrill has yet to book what the call on the other thread gave, and may not come to it before the next event.
            std::thread::sleep(BOOKING);
        }
    }

    /// The next packet that leaves, and when; waits for it as long as anything can still happen.
    pub(crate) fn next_packet(&self) -> Option<(Vec<u8>, Instant)> {
        let mut world = self.lock();
        loop {
            world.transmit();
            if let Some(sent) = world.stack.as_mut().and_then(|stack| stack.wire.sent.pop_front()) {
                return Some((sent.bytes, sent.at));
            }
            world = match self.step(world, Instant::MAX) {
                (world, true) => world,
                (_, false) => return None,
            };
        }
    }

    /// Gives the machine a packet.
    pub(crate) fn packet(&self, bytes: &[u8]) {
        let mut world = self.lock();
        let now = world.now;
        if let Some(stack) = &mut world.stack {
            stack.input(now, bytes);
        }
        world.transmit();
        drop(self.let_them_look(world));
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the clock to `until`, from timer to timer.
    fn go_on<'w>(&'w self, mut world: MutexGuard<'w, World>, until: Instant) -> MutexGuard<'w, World> {
        loop {
            let (next, moved) = self.step(world, until);
            world = next;
            if !moved {
                world.now = world.now.max(until);
                return world;
            }
        }
    }

    /// Moves the clock to the next thing that happens by itself, if that is no later than `until`, and lets it happen.
    fn step<'w>(&'w self, mut world: MutexGuard<'w, World>, until: Instant) -> (MutexGuard<'w, World>, bool) {
        world.transmit();
        let Some(next) = world.next().filter(|next| *next <= until) else { return (world, false) };
        world.now = world.now.max(next);
        let now = world.now;
        if let Some(stack) = &mut world.stack {
            stack.tcp.handle_timeout(now);
        }
        world.transmit();
        (self.let_them_look(world), true)
    }

    /// Lets every thread that waits in a call try again, and waits until all have.
    fn let_them_look<'w>(&'w self, mut world: MutexGuard<'w, World>) -> MutexGuard<'w, World> {
        world.happenings += 1;
        world.to_look = world.waiting;
        self.happened.notify_all();
        while world.to_look > 0 {
            world = self.looked.wait(world).unwrap_or_else(PoisonError::into_inner);
        }
        world
    }

    /// Waits until something happens. Whoever returns from here has to count itself out of `to_look`, or wait again.
    fn wait_for_something<'w>(&'w self, mut world: MutexGuard<'w, World>) -> MutexGuard<'w, World> {
        let before = world.happenings;
        if world.to_look > 0 {
            world.to_look -= 1;
            self.looked.notify_all();
        }
        world.waiting += 1;
        while world.happenings == before {
            world = self.happened.wait(world).unwrap_or_else(PoisonError::into_inner);
        }
        world.waiting -= 1;
        world
    }
}

impl World {
    fn new(profile: Profile) -> Self {
        Self {
            // Some time after boot.
            now: Instant::from_secs(1000),
            profile,
            stack: None,
            descriptors: BTreeMap::new(),
            numbers: BTreeMap::new(),
            deadlines: Vec::new(),
            waiting: 0,
            to_look: 0,
            happenings: 0,
            returned: false,
        }
    }

    /// The machine, which begins with the first call.
    pub(crate) fn stack(&mut self) -> &mut Stack {
        self.stack.get_or_insert_with(|| Stack::new(&self.profile))
    }

    /// Our address, and the largest packet.
    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// When something happens next by itself.
    fn next(&self) -> Option<Instant> {
        let timer = self.stack.as_ref().and_then(|stack| stack.tcp.poll_timeout());
        timer.into_iter().chain(self.deadlines.iter().copied()).filter(|at| *at < Instant::MAX).min()
    }

    fn transmit(&mut self) {
        let now = self.now;
        if let Some(stack) = &mut self.stack {
            stack.transmit(now);
        }
    }
}

/// Real time.
const BOOKING: std::time::Duration = std::time::Duration::from_millis(10);
