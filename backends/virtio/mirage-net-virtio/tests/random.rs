//! Devices that do everything the standard allows, and devices that do anything.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "std is there")]

mod world;

use std::collections::VecDeque;
use std::num::NonZeroU16;
use std::task::{Context, Poll, Waker};

use mirage_net::{Net, Outgoing, PartialChecksum, Receive, SendError, Transmit};
use mirage_net_virtio::Options;
use mirage_virtqueue::testing::{Chain, Model};
use mirage_virtqueue::{ANY_LAYOUT, EVENT_INDEX, VERSION_1};
use world::{ALL, MAC, MRG_RXBUF, RX, TX, TestNic, header_len, model, nic};

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let salt = self.below(256);
        (0..len).map(|at| (at * 7 + at / 251 + salt) as u8).collect()
    }
}

/// A device that keeps the rules but no order that it need not keep.
struct Device {
    model: Model,
    /// Buffers that the driver gave.
    buffers: Vec<Chain>,
    /// Frames taken from the driver, not given back.
    sent: Vec<Chain>,
    /// Frames that the driver shall lend, and that it sent.
    coming: VecDeque<Vec<u8>>,
    going: VecDeque<Vec<u8>>,
}

impl Device {
    fn receive(&mut self, dice: &mut Dice) {
        while let Some(chain) = self.model.take(RX) {
            let at = if dice.below(4) == 0 { dice.below(self.buffers.len() + 1) } else { self.buffers.len() };
            self.buffers.insert(at, chain);
        }
        let merges = self.model.accepted() & MRG_RXBUF != 0;
        let header = header_len(&self.model);
        let longest = if self.model.accepted() & (1 << 7) != 0 && dice.below(2) == 0 { 60_000 } else { 1_514 };
        let len = 14 + dice.below(longest - 13);
        let frame = dice.bytes(len);
        let mut bytes = vec![0; header];
        bytes.extend(&frame);
        let (mut parts, mut at) = (Vec::new(), 0);
        for chain in &self.buffers {
            let room: usize = chain.lengths()[1].iter().sum();
            // A device need not fill what it takes, but for the header.
            let part = if merges && dice.below(8) == 0 { header + 1 + dice.below(room - header) } else { room };
            let end = bytes.len().min(at + part);
            parts.push(at..end);
            at = end;
            if at == bytes.len() {
                break;
            }
        }
        if at < bytes.len() {
            self.model.publish(RX);
            return;
        }
        if header == 12 {
            bytes[10..12].copy_from_slice(&(parts.len() as u16).to_le_bytes());
        }
        let chains: Vec<_> = self.buffers.drain(..parts.len()).collect();
        for (chain, range) in chains.iter().zip(parts) {
            chain.write(&bytes[range.clone()]);
            self.model.put(RX, chain.id, range.len() as u32);
            if dice.below(3) == 0 {
                self.model.publish(RX);
            }
        }
        self.coming.push_back(frame);
    }

    fn send(&mut self, dice: &mut Dice) {
        for _ in 0..dice.below(20) {
            let Some(chain) = self.model.take(TX) else { break };
            let frame = chain.read().split_off(header_len(&self.model));
            assert!(self.going.pop_front() == Some(frame), "frames leave as they were written");
            self.sent.push(chain);
        }
        for _ in 0..dice.below(20) {
            if self.sent.is_empty() {
                break;
            }
            let chain = self.sent.swap_remove(dice.below(self.sent.len()));
            self.model.put(TX, chain.id, 0);
        }
        self.model.publish(TX);
    }
}

fn send(nic: &mut TestNic, dice: &mut Dice, going: &mut VecDeque<Vec<u8>>) {
    let (_, transmit) = nic.split();
    let large = transmit.capabilities().max_large_frame;
    let mut outgoing = Outgoing::new(14 + dice.below(1_500));
    if large > 0 && dice.below(3) == 0 {
        outgoing.len = 1_514 + dice.below(large - 1_514);
        outgoing.checksum = Some(PartialChecksum { start: 34, offset: 16 });
        outgoing.segment_size = NonZeroU16::new(1_448);
    }
    let written = outgoing.len - dice.below(10);
    let bytes = dice.bytes(written);
    match transmit.send(outgoing, |frame| frame.put(&bytes)) {
        Ok(()) => going.push_back(bytes),
        Err(SendError::Full) => {
            let _ready = transmit.poll_ready(&mut Context::from_waker(Waker::noop()));
        }
        Err(error) => panic!("{error}"),
    }
    if dice.below(4) == 0 {
        transmit.flush();
    }
}

#[test]
fn whatever_order_a_device_keeps_every_frame_is_whole() {
    let legacy = MAC | MRG_RXBUF;
    for (seed, features) in [ALL, ALL & !MRG_RXBUF, ALL & !EVENT_INDEX, legacy, legacy | ANY_LAYOUT, MAC]
        .into_iter()
        .cycle()
        .take(12)
        .enumerate()
    {
        let mut dice = Dice(seed as u64);
        let options = if seed < 6 {
            Options::default()
        } else {
            Options { receive_bytes: 16 * 1024, transmit_bytes: 16 * 1024, ..Options::default() }
        };
        let model = model(features, 1);
        let mut nic = nic(&model, options);
        let mut device =
            Device { model, buffers: Vec::new(), sent: Vec::new(), coming: VecDeque::new(), going: VecDeque::new() };
        let mut came = 0;
        for _ in 0..20_000 {
            match dice.below(4) {
                0 => device.receive(&mut dice),
                1 => device.send(&mut dice),
                2 => send(&mut nic, &mut dice, &mut device.going),
                _ => {
                    if let Poll::Ready(frame) = world::next(&mut nic) {
                        assert!(device.coming.pop_front() == Some(frame), "seed {seed}: frames come as they were sent");
                        came += 1;
                    }
                }
            }
        }
        let stats = nic.stats();
        assert!(came > 1_000 && stats.tx_frames > 1_000, "seed {seed}: {stats:?}");
        assert_eq!(stats.rx_dropped, 0, "seed {seed}");
    }
}

/// Everything that a device can say, at random. What it cannot do is to make us panic, loop, or touch what it has.
#[test]
fn whatever_a_device_says_nothing_breaks() {
    let mut gone = 0;
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let features = [ALL, ALL & !MRG_RXBUF, ALL & !EVENT_INDEX, MAC, ALL & !VERSION_1][dice.below(5)];
        let model = model(features, 1);
        let mut nic = nic(&model, Options::default());
        let mut chains: Vec<Chain> = Vec::new();
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..400 {
            let queue = dice.below(2);
            match dice.below(10) {
                0..3 if model.is_running() => chains.extend(model.take(RX)),
                3 if model.is_running() => chains.extend(model.take(TX)),
                4..7 if !chains.is_empty() && model.is_running() => {
                    let chain = chains.swap_remove(dice.below(chains.len()));
                    let len = dice.below(64);
                    let bytes = dice.bytes(len);
                    let header = [&[0; 10][..], &(dice.below(4) as u16).to_le_bytes(), &bytes].concat();
                    if !chain.lengths()[1].is_empty() {
                        chain.write(if dice.below(2) == 0 { &header } else { &bytes });
                    }
                    // Now and then to the wrong queue, or one that it does not have.
                    let id = if dice.below(100) == 0 { dice.below(70_000) as u32 } else { chain.id };
                    let len = [dice.below(100), dice.below(2_000), usize::MAX >> dice.below(64)][dice.below(3)];
                    let queue = if chain.lengths()[1].is_empty() { TX } else { RX };
                    model.put(if dice.below(100) == 0 { 1 - queue } else { queue }, id, len as u32);
                    model.publish(queue);
                }
                7 => {
                    let sent = nic.split().1.send(Outgoing::new(100), |frame| frame.put(&[1; 100]));
                    assert!(matches!(sent, Ok(()) | Err(SendError::Full | SendError::Disconnected)));
                    nic.split().1.flush();
                }
                8 => {
                    let _ready = nic.split().1.poll_ready(&mut cx);
                }
                _ => {
                    if dice.below(2_000) == 0 {
                        model.pretend(queue, dice.below(65_536) as u16);
                    }
                    let _frame = nic.split().0.poll_frame(&mut cx, |frame| {
                        assert!(frame.bytes.len() <= 65_553);
                        frame.bytes.iter().map(|byte| usize::from(*byte)).sum::<usize>()
                    });
                }
            }
        }
        gone += usize::from(!model.is_running());
    }
    // Some lies are the end, but most are not.
    assert!((20..280).contains(&gone), "{gone} of 300 gone");
}
