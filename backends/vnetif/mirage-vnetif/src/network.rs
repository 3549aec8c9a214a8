//! A simulated network: nodes around a learning switch, on a clock that only the test moves.

mod event;
mod lane;
mod node;
mod random;
mod simulation;
mod switch;

use alloc::rc::Rc;
use core::cell::RefCell;
use core::task::Waker;

use mirage_clock::{Duration, Instant};
use mirage_net::Link;

pub use self::lane::LaneCounts;
pub use self::node::{Node, NodeConfig, NodeReceive, NodeTransmit};
use self::simulation::Simulation;
pub use self::switch::SwitchCounts;
use crate::{Impairments, Recorder, SaveOnPanic};

/// A simulated network. Everything that happens in it follows from its seed and from what its nodes send: the same
/// run twice gives the same frames at the same times.
///
/// Time stands still until [`advance_to`](Self::advance_to); even a frame on a perfect wire arrives only then. When
/// the network is dropped, its nodes are disconnected.
///
/// ```
/// use mirage_clock::{Duration, Instant};
/// use mirage_net::{Net, Outgoing, Receive, Transmit};
/// use mirage_vnetif::{Impairments, Network, NodeConfig};
/// use std::task::{Context, Poll, Waker};
///
/// let mut network = Network::new(42);
/// let slow = Impairments::default().with_delay(Duration::from_millis(10));
/// let mut alice = network.node(NodeConfig { outbound: slow, ..NodeConfig::default() });
/// let mut bob = network.node(NodeConfig::default());
///
/// let (_, transmit) = alice.split();
/// let source = transmit.mac();
/// transmit.send(Outgoing::new(14), |frame| {
///     frame.put(&[0xff; 6]);
///     frame.put_mac(source);
///     frame.put(&[0x88, 0xb5]);
/// })?;
///
/// // Up the slow link to the switch, and from there at once to everybody else.
/// assert_eq!(network.next_event(), Some(Instant::from_millis(10)));
/// network.advance_to(Instant::from_millis(10));
/// let received = bob.split().0.poll_frame(&mut Context::from_waker(Waker::noop()), |frame| frame.bytes.len());
/// assert_eq!(received, Poll::Ready(Ok(14)));
/// # Ok::<(), mirage_net::SendError>(())
/// ```
#[derive(Debug)]
pub struct Network {
    simulation: Rc<RefCell<Simulation>>,
}

/// How much a network may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Stations the switch remembers; frames to others are flooded.
    pub stations: usize,
    /// How long it remembers one that is silent.
    pub ageing: Duration,
    /// Frames under way on all links together; more are dropped and counted as overload.
    pub frames: usize,
}

impl Default for Bounds {
    /// 1024 stations, 300 s (the default of IEEE 802.1D), 65,536 frames.
    fn default() -> Self {
        Self { stations: 1024, ageing: Duration::from_secs(300), frames: 65_536 }
    }
}

/// A node's number in its network, from 0 on in the order they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

/// One of the two directions of a node's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the node to the switch.
    Outbound,
    /// From the switch to the node.
    Inbound,
}

impl Network {
    /// A network without nodes, at time zero, with the usual [`Bounds`].
    pub fn new(seed: u64) -> Self {
        Self::with_bounds(seed, Bounds::default())
    }

    /// A network without nodes, at time zero.
    pub fn with_bounds(seed: u64, bounds: Bounds) -> Self {
        Self { simulation: Rc::new(RefCell::new(Simulation::new(seed, bounds))) }
    }

    /// Plugs a new node into the switch.
    pub fn node(&mut self, config: NodeConfig) -> Node {
        Node::plug(&self.simulation, config)
    }

    /// The time in the network.
    pub fn now(&self) -> Instant {
        self.simulation.borrow().now()
    }

    /// When something happens next: then a frame reaches the switch or a node.
    pub fn next_event(&self) -> Option<Instant> {
        self.simulation.borrow().next_event()
    }

    /// Lets everything happen that is due at `to` or before, in order, and sets the time to `to`; never back.
    pub fn advance_to(&mut self, to: Instant) {
        loop {
            let step = self.simulation.borrow_mut().step(to);
            match step {
                Step::Idle => return,
                Step::Moved(waker) => wake(waker),
            }
        }
    }

    /// Replaces what one direction of a node's link does to frames; those under way are not touched.
    pub fn impair(&mut self, node: NodeId, way: Way, impairments: Impairments) {
        self.simulation.borrow_mut().impair(node, way, impairments);
    }

    /// What happened to the frames of one direction of a node's link.
    pub fn counts(&self, node: NodeId, way: Way) -> LaneCounts {
        self.simulation.borrow().counts(node, way)
    }

    /// What the switch did.
    pub fn switch_counts(&self) -> SwitchCounts {
        self.simulation.borrow().switch_counts()
    }

    /// Pulls a node's plug or puts it back. While it is out, frames from and to the node are lost and counted, also
    /// those that arrive in the meantime; the switch forgets who was there.
    pub fn set_link(&mut self, node: NodeId, link: Link) {
        let waker = self.simulation.borrow_mut().set_link(node, link);
        wake(waker);
    }

    /// Records every frame that reaches the switch from now on.
    pub fn record(&mut self, recorder: &Recorder) {
        self.simulation.borrow_mut().record(recorder.clone());
    }

    /// Records the newest 64 MB of frames, and saves them in `target/pcap/<test>.pcap` if the test panics before the
    /// guard is dropped.
    #[must_use = "it saves when it is dropped: keep it until the end of the test"]
    pub fn record_on_panic(&mut self, test: &str) -> SaveOnPanic {
        let recorder = Recorder::new(64_000_000);
        self.record(&recorder);
        recorder.save_on_panic(test)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let wakers = self.simulation.borrow_mut().close();
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// What one step of the simulation came to.
enum Step {
    /// Nothing more is due.
    Idle,
    /// Something happened; this one waits for it.
    Moved(Option<Waker>),
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
