//! Devices of a test and what is between them.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "std is there")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use mirage_net::{Frame, Net, Receive};
use mirage_net_virtio::{Error, Nic, Options};
use mirage_virtio::Bell;
use mirage_virtqueue::testing::{Host, Model};
use mirage_virtqueue::{ANY_LAYOUT, EVENT_INDEX, VERSION_1};
use virtio_drivers::transport::{DeviceType, Transport};

pub type TestNic = Nic<Host, Model, TestBell>;

pub const CSUM: u64 = 1 << 0;
pub const GUEST_CSUM: u64 = 1 << 1;
pub const MTU: u64 = 1 << 3;
pub const MAC: u64 = 1 << 5;
pub const GUEST_TSO: u64 = 1 << 7 | 1 << 8;
pub const HOST_TSO: u64 = 1 << 11 | 1 << 12;
pub const MRG_RXBUF: u64 = 1 << 15;
pub const STATUS: u64 = 1 << 16;

pub const RX: usize = 0;
pub const TX: usize = 1;

/// What QEMU's device offers, as far as it matters.
pub const ALL: u64 = CSUM
    | GUEST_CSUM
    | MAC
    | MTU
    | GUEST_TSO
    | HOST_TSO
    | MRG_RXBUF
    | STATUS
    | 1 << 28
    | EVENT_INDEX
    | ANY_LAYOUT
    | VERSION_1;

/// Wakes whoever waits, once.
#[derive(Clone, Default)]
pub struct TestBell(Rc<RefCell<Option<Waker>>>);

impl Bell for TestBell {
    fn set_waker(&self, waker: &Waker) {
        *self.0.borrow_mut() = Some(waker.clone());
    }
}

/// A device whose address ends in `number`, with queues of 256 and an MTU of 1500.
pub fn model(features: u64, number: u8) -> Model {
    let model = Model::new(DeviceType::Network, features, &[256, 256], &[2, 0, 0, 0, 0, number, 1, 0, 1, 0, 0xdc, 5]);
    if features & VERSION_1 == 0 { model.legacy() } else { model }
}

pub fn try_nic(model: &Model, options: Options) -> Result<TestNic, Error> {
    let bell = TestBell::default();
    let rung = bell.clone();
    let mut acknowledged = model.clone();
    model.on_interrupt(move || {
        let _why = acknowledged.ack_interrupt();
        let waker = rung.0.borrow_mut().take();
        waker.into_iter().for_each(Waker::wake);
    });
    Nic::new(model.clone(), bell, options)
}

pub fn nic(model: &Model, options: Options) -> TestNic {
    try_nic(model, options).expect("a device that works")
}

pub fn header_len(model: &Model) -> usize {
    if model.accepted() & (VERSION_1 | MRG_RXBUF) == 0 { 10 } else { 12 }
}

/// Lets the device take one frame that the driver sent, with its header.
pub fn sent(model: &Model) -> Option<(Vec<u8>, Vec<u8>)> {
    let chain = model.take(TX)?;
    let mut header = chain.read();
    let frame = header.split_off(header_len(model));
    model.put(TX, chain.id, 0);
    model.publish(TX);
    Some((header, frame))
}

/// Lets the device receive `frame` behind `header` of 10 bytes; whether there were enough buffers.
pub fn receive(model: &Model, header: &[u8], frame: &[u8]) -> bool {
    let mut bytes = header[..10].to_vec();
    bytes.resize(header_len(model), 0);
    bytes.extend(frame);
    let (mut at, mut chains) = (0, Vec::new());
    while at < bytes.len() {
        let Some(chain) = model.take(RX) else { return false };
        let room: usize = chain.lengths()[1].iter().sum();
        let end = bytes.len().min(at + room);
        chains.push((chain, at..end));
        at = end;
        if model.accepted() & MRG_RXBUF == 0 {
            assert_eq!(at, bytes.len(), "a frame that is longer than a buffer");
        }
    }
    if header_len(model) == 12 {
        bytes[10..12].copy_from_slice(&(chains.len() as u16).to_le_bytes());
    }
    for (chain, range) in chains {
        assert_eq!(chain.write(&bytes[range.clone()]), range.len());
        model.put(RX, chain.id, range.len() as u32);
    }
    model.publish(RX);
    true
}

/// What the driver lends, if there is something.
pub fn next(nic: &mut TestNic) -> Poll<Vec<u8>> {
    next_with(nic, |frame| frame.bytes.to_vec())
}

pub fn next_with<R>(nic: &mut TestNic, take: impl FnOnce(Frame<'_>) -> R) -> Poll<R> {
    let mut cx = Context::from_waker(Waker::noop());
    nic.split().0.poll_frame(&mut cx, take).map(|result| result.expect("the device is there"))
}

/// Two devices with a cable between them, which holds eight frames in each direction.
pub struct World {
    models: [Model; 2],
    wires: [VecDeque<(Vec<u8>, Vec<u8>)>; 2],
}

impl World {
    pub fn new(a: &Model, b: &Model) -> Self {
        Self { models: [a.clone(), b.clone()], wires: Default::default() }
    }

    /// Frames go on as far as there is room.
    pub fn settle(&mut self) {
        for (way, [from, to]) in [[0, 1], [1, 0]].into_iter().enumerate() {
            let (from, to) = (&self.models[from], &self.models[to]);
            let wire = &mut self.wires[way];
            loop {
                while wire.len() < 8
                    && let Some(frame) = sent(from)
                {
                    wire.push_back(frame);
                }
                let Some((header, frame)) = wire.front() else { break };
                // A driver that did not agree to take it gets a frame that crossed a wire.
                let header = if to.accepted() & GUEST_CSUM == 0 { &[0; 10][..] } else { header };
                if !receive(to, header, frame) {
                    break;
                }
                wire.pop_front();
            }
            from.want_notification(TX, true);
            to.want_notification(RX, true);
        }
    }
}
