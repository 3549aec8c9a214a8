//! The state of a network: ports, frames under way, the switch between them.

use alloc::collections::{BinaryHeap, VecDeque};
use core::cmp::Reverse;
use core::fmt;
use core::task::{Context, Waker};

use mirage_clock::Instant;
use mirage_net::{Link, Stats};

use super::event::Event;
use super::lane::{Lane, LaneCounts};
use super::random::Random;
use super::switch::{Switch, SwitchCounts, Verdict};
use super::{Bounds, NodeId, Step, Way};
use crate::{Impairments, Recorder};

pub(super) struct Simulation {
    now: Instant,
    seed: u64,
    /// Frames under way. Invariant: at most `frames`.
    events: BinaryHeap<Reverse<Event>>,
    frames: usize,
    /// Events so far: those of the same time happen in the order they were made.
    sequence: u64,
    ports: Vec<Port>,
    switch: Switch,
    recorder: Option<Recorder>,
    /// Buffers for the next frames. Invariant: at most `SPARE`.
    spare: Vec<Vec<u8>>,
    closed: bool,
}

/// A node's place at the switch.
struct Port {
    outbound: Lane,
    inbound: Lane,
    link: Link,
    /// Whether the node is still there.
    plugged: bool,
    /// Frames the node has not taken yet. Invariant: at most `slots`.
    received: VecDeque<Vec<u8>>,
    slots: usize,
    receiver: Option<Waker>,
    stats: Stats,
}

impl Simulation {
    pub(super) fn new(seed: u64, bounds: Bounds) -> Self {
        Self {
            now: Instant::ZERO,
            seed,
            events: BinaryHeap::new(),
            frames: bounds.frames,
            sequence: 0,
            ports: Vec::new(),
            switch: Switch::new(bounds.stations, bounds.ageing),
            recorder: None,
            spare: Vec::new(),
            closed: false,
        }
    }

    pub(super) fn plug(&mut self, outbound: Impairments, inbound: Impairments, slots: usize) -> NodeId {
        let id = self.ports.len();
        // Each direction has its own dice: what happens on one link does not change the luck of another.
        let dice = |way| Random::new(self.seed, 2 * id as u64 + way);
        self.ports.push(Port {
            outbound: Lane::new(outbound, dice(0)),
            inbound: Lane::new(inbound, dice(1)),
            link: Link::Up,
            plugged: true,
            received: VecDeque::new(),
            slots,
            receiver: None,
            stats: Stats::default(),
        });
        NodeId(id)
    }

    pub(super) fn unplug(&mut self, NodeId(port): NodeId) {
        self.ports[port].plugged = false;
        self.ports[port].received.clear();
        self.switch.forget(port);
    }

    pub(super) fn close(&mut self) -> Vec<Waker> {
        self.closed = true;
        self.ports.iter_mut().filter_map(|port| port.receiver.take()).collect()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn now(&self) -> Instant {
        self.now
    }

    pub(super) fn next_event(&self) -> Option<Instant> {
        self.events.peek().map(|Reverse(event)| event.at)
    }

    /// Lets the next thing happen if it is due at `to`.
    pub(super) fn step(&mut self, to: Instant) -> Step {
        match self.next_event() {
            Some(at) if at <= to => {}
            _ => {
                self.now = self.now.max(to);
                return Step::Idle;
            }
        }
        let Some(Reverse(event)) = self.events.pop() else {
            return Step::Idle;
        };
        self.now = self.now.max(event.at);
        Step::Moved(match event.way {
            Way::Outbound => {
                self.switch(event.port, event.frame);
                None
            }
            Way::Inbound => self.deliver(event.port, event.frame),
        })
    }

    /// Sends `frame` from a node.
    pub(super) fn send(&mut self, NodeId(port): NodeId, frame: Vec<u8>) {
        let stats = &mut self.ports[port].stats;
        stats.tx_frames += 1;
        stats.tx_bytes += frame.len() as u64;
        self.pass(port, Way::Outbound, frame);
    }

    pub(super) fn refused(&mut self, NodeId(port): NodeId) {
        self.ports[port].stats.tx_dropped += 1;
    }

    /// The oldest frame that waits for a node.
    pub(super) fn receive(&mut self, NodeId(port): NodeId) -> Option<Vec<u8>> {
        self.ports[port].received.pop_front()
    }

    pub(super) fn wait(&mut self, NodeId(port): NodeId, cx: &Context<'_>) {
        self.ports[port].receiver = Some(cx.waker().clone());
    }

    /// A buffer, with whatever it held before.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    pub(super) fn recycle(&mut self, frame: Vec<u8>) {
        if self.spare.len() < SPARE {
            self.spare.push(frame);
        }
    }

    pub(super) fn stats(&self, NodeId(port): NodeId) -> Stats {
        self.ports[port].stats
    }

    pub(super) fn link(&self, NodeId(port): NodeId) -> Link {
        self.ports[port].link
    }

    pub(super) fn set_link(&mut self, NodeId(port): NodeId, link: Link) -> Option<Waker> {
        let state = self.ports.get_mut(port)?;
        if state.link == link {
            return None;
        }
        state.link = link;
        let waker = state.receiver.take();
        self.switch.forget(port);
        waker
    }

    pub(super) fn impair(&mut self, NodeId(port): NodeId, way: Way, impairments: Impairments) {
        if let Some(port) = self.ports.get_mut(port) {
            port.lane(way).impair(impairments);
        }
    }

    pub(super) fn counts(&self, NodeId(port): NodeId, way: Way) -> LaneCounts {
        self.ports.get(port).map_or_else(LaneCounts::default, |port| match way {
            Way::Outbound => port.outbound.counts,
            Way::Inbound => port.inbound.counts,
        })
    }

    pub(super) fn switch_counts(&self) -> SwitchCounts {
        self.switch.counts
    }

    pub(super) fn record(&mut self, recorder: Recorder) {
        self.recorder = Some(recorder);
    }

    /// Sends a frame that has reached the switch on its way.
    fn switch(&mut self, port: usize, frame: Vec<u8>) {
        if self.ports[port].link == Link::Down {
            self.ports[port].outbound.counts.link_down += 1;
            return self.recycle(frame);
        }
        if let Some(recorder) = &self.recorder {
            recorder.record(self.now, &frame);
        }
        match self.switch.decide(self.now, port, &frame) {
            Verdict::Forward(to) => self.pass(to, Way::Inbound, frame),
            Verdict::Flood => {
                for to in (0..self.ports.len()).filter(|to| *to != port) {
                    let mut copy = self.buffer();
                    copy.clone_from(&frame);
                    self.pass(to, Way::Inbound, copy);
                }
                self.recycle(frame);
            }
            Verdict::Drop => self.recycle(frame),
        }
    }

    /// Puts a frame on one direction of a link.
    fn pass(&mut self, port: usize, way: Way, frame: Vec<u8>) {
        let state = &mut self.ports[port];
        if !state.plugged && way == Way::Inbound {
            return self.recycle(frame);
        }
        if state.link == Link::Down {
            let counts = &mut state.lane(way).counts;
            counts.sent += 1;
            counts.link_down += 1;
            return self.recycle(frame);
        }
        for (at, frame) in state.lane(way).pass(self.now, frame).into_iter().flatten() {
            if self.events.len() >= self.frames {
                self.ports[port].lane(way).counts.overload += 1;
                continue;
            }
            self.sequence += 1;
            self.events.push(Reverse(Event { at, sequence: self.sequence, port, way, frame }));
        }
    }

    /// Lays a frame that has reached its node into the node's ring.
    fn deliver(&mut self, port: usize, frame: Vec<u8>) -> Option<Waker> {
        let state = &mut self.ports[port];
        if state.link == Link::Down || !state.plugged {
            state.inbound.counts.link_down += 1;
            self.recycle(frame);
            return None;
        }
        if state.received.len() >= state.slots {
            state.stats.rx_dropped += 1;
            self.recycle(frame);
            return None;
        }
        state.stats.rx_frames += 1;
        state.stats.rx_bytes += frame.len() as u64;
        state.received.push_back(frame);
        state.receiver.take()
    }
}

impl Port {
    fn lane(&mut self, way: Way) -> &mut Lane {
        match way {
            Way::Outbound => &mut self.outbound,
            Way::Inbound => &mut self.inbound,
        }
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("now", &self.now)
            .field("nodes", &self.ports.len())
            .field("under_way", &self.events.len())
            .finish_non_exhaustive()
    }
}

/// Buffers kept for later frames.
const SPARE: usize = 1024;
