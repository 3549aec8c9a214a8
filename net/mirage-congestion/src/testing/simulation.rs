//! Senders that share a path, and the time that passes.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use mirage_clock::{Duration, Instant};

use crate::Congestion;

use super::Path;
use super::link::{Fate, Link};
use super::receiver::{Arrived, Receiver};
use super::sender::{Demand, Sender};

/// A path with any number of senders, each with a receiver of its own.
#[derive(Debug)]
pub struct Simulation<C> {
    path: Path,
    link: Link,
    now: Instant,
    senders: Vec<Sender<C>>,
    receivers: Vec<Receiver>,
    /// What happens, in the order of time and, at one time, of cause.
    events: BTreeMap<Instant, VecDeque<Event>>,
}

#[derive(Debug)]
enum Event {
    Arrival { flow: usize, segment: u64, transmission: u64, marked: bool },
    Acknowledgement { flow: usize, arrived: Arrived },
    Delayed { flow: usize },
    Wake { flow: usize },
}

impl<C: Congestion> Simulation<C> {
    /// An empty path.
    pub fn new(path: Path) -> Self {
        Self {
            path,
            link: Link::new(path),
            now: Instant::ZERO,
            senders: Vec::new(),
            receivers: Vec::new(),
            events: BTreeMap::new(),
        }
    }

    /// One sender that always has more to send, in segments of 1448 bytes.
    pub fn of_one(path: Path) -> Self {
        let mut simulation = Self::new(path);
        simulation.add(Demand::Endless);
        simulation
    }

    /// Adds a sender that starts now.
    pub fn add(&mut self, demand: Demand) {
        let flow = self.senders.len();
        self.senders.push(Sender::new(C::new(1448, 10), 1448, demand));
        self.receivers.push(Receiver::default());
        self.schedule(self.now, Event::Wake { flow });
    }

    /// Lets `span` pass.
    pub fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(mut entry) = self.events.first_entry() {
            let at = *entry.key();
            if at > end {
                break;
            }
            let Some(event) = entry.get_mut().pop_front() else {
                entry.remove();
                continue;
            };
            self.now = at;
            self.handle(event);
        }
        self.now = end;
    }

    /// Changes the path from now on.
    pub fn change_path(&mut self, path: Path) {
        self.path = path;
        self.link.change(path);
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// A sender, by the order in which they were added.
    ///
    /// # Panics
    /// When there is no such sender.
    pub fn sender(&self, flow: usize) -> &Sender<C> {
        &self.senders[flow]
    }

    /// Packets that did not fit into the queue so far.
    pub fn overflowed(&self) -> u64 {
        self.link.overflowed
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Arrival { flow, segment, transmission, marked } => {
                if let Some(arrived) = self.receivers[flow].receive(self.now, segment, transmission, marked) {
                    self.schedule(self.now + self.path.back, Event::Acknowledgement { flow, arrived });
                } else if let Some(due) = self.receivers[flow].due {
                    self.schedule(due, Event::Delayed { flow });
                }
            }
            Event::Delayed { flow } => {
                if self.receivers[flow].due.is_some_and(|due| due <= self.now) {
                    let arrived = self.receivers[flow].acknowledge();
                    self.schedule(self.now + self.path.back, Event::Acknowledgement { flow, arrived });
                }
            }
            Event::Acknowledgement { flow, arrived } => {
                self.senders[flow].acknowledge(self.now, &arrived);
                self.drive(flow);
            }
            Event::Wake { flow } => {
                self.senders[flow].handle_timeout(self.now);
                self.drive(flow);
            }
        }
    }

    /// Sends what may be sent, and wakes the sender when it wants to be woken.
    fn drive(&mut self, flow: usize) {
        while let Some((segment, transmission)) = self.senders[flow].transmit(self.now) {
            if let Fate::Arrives { at, marked } = self.link.carry(self.now, self.senders[flow].mss()) {
                self.schedule(at, Event::Arrival { flow, segment, transmission, marked });
            }
        }
        if let Some(at) = self.senders[flow].wake_at(self.now) {
            self.schedule(at, Event::Wake { flow });
        }
    }

    fn schedule(&mut self, at: Instant, event: Event) {
        self.events.entry(at.max(self.now)).or_default().push_back(event);
    }
}
