//! The network and its clock.

use alloc::collections::BTreeMap;
use core::cell::{Cell, RefCell, RefMut};
use core::future::{Future, poll_fn};
use core::task::{Poll, Waker};

use mirage_clock::{Duration, Instant};
use mirage_net::Link;
use mirage_vnetif::{Impairments, Network, Node, NodeConfig, NodeId, Recorder, SaveOnPanic, Way};

use crate::Raw;

/// A network and its clock.
pub struct Lab {
    pub(crate) network: RefCell<Network>,
    recorder: Recorder,
    /// Tasks that sleep, by when they are woken; the number keeps those of the same time apart.
    pub(crate) sleepers: RefCell<BTreeMap<(Instant, u64), Waker>>,
    slept: Cell<u64>,
    pub(crate) seed: u64,
    _evidence: SaveOnPanic,
}

impl Lab {
    /// A network without hosts at time zero. `test` names the recording that is left when the test fails.
    pub fn new(test: &str, seed: u64) -> Self {
        let mut network = Network::new(seed);
        let recorder = Recorder::new(64_000_000);
        network.record(&recorder);
        let evidence = recorder.save_on_panic(test);
        Self {
            network: RefCell::new(network),
            recorder,
            sleepers: RefCell::default(),
            slept: Cell::new(0),
            seed,
            _evidence: evidence,
        }
    }

    /// A device without a stack: the test itself reads and writes its frames.
    pub fn raw(&self) -> Raw {
        let slots = 200_000;
        Raw::new(self.node(NodeConfig { slots, ..both_ways(&lan()) }))
    }

    pub(crate) fn node(&self, config: NodeConfig) -> Node {
        self.network.borrow_mut().node(config)
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.network.borrow().now()
    }

    /// The network, to be looked at or changed; not to be kept over an `await`.
    pub fn network(&self) -> RefMut<'_, Network> {
        self.network.borrow_mut()
    }

    /// Pulls a host's plug or puts it back.
    pub fn set_link(&self, host: NodeId, link: Link) {
        self.network.borrow_mut().set_link(host, link);
    }

    /// Replaces what both directions of a host's link do.
    pub fn impair(&self, host: NodeId, impairments: &Impairments) {
        let mut network = self.network.borrow_mut();
        network.impair(host, Way::Outbound, impairments.clone());
        network.impair(host, Way::Inbound, impairments.clone());
    }

    /// Shows every recorded frame.
    pub fn for_each_frame(&self, visit: impl FnMut(Instant, &[u8])) {
        self.recorder.for_each(visit);
    }

    /// Waits for so long.
    pub fn sleep(&self, span: Duration) -> impl Future<Output = ()> + '_ {
        let until = self.now() + span;
        poll_fn(move |cx| {
            if until <= self.now() {
                return Poll::Ready(());
            }
            self.slept.set(self.slept.get() + 1);
            self.sleepers.borrow_mut().insert((until, self.slept.get()), cx.waker().clone());
            Poll::Pending
        })
    }

    /// How long `future` takes.
    pub async fn timed<T>(&self, future: impl Future<Output = T>) -> (Duration, T) {
        let start = self.now();
        let output = future.await;
        (self.now().since(start), output)
    }
}

/// A device whose link does `impairments` both ways.
pub fn both_ways(impairments: &Impairments) -> NodeConfig {
    NodeConfig { outbound: impairments.clone(), inbound: impairments.clone(), ..NodeConfig::default() }
}

/// A good link.
pub fn lan() -> Impairments {
    Impairments::default().with_delay(Duration::from_micros(100))
}

/// So many milliseconds.
pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// So many seconds.
pub const fn s(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
