//! The exam for every device: two of them, connected to each other.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};

use super::Wakes;
use super::way::{MOST_FRAMES, PATIENCE, Way};
use crate::{FrameWriter, Net, Outgoing, Receive, SendError, Transmit};

/// Examines two devices that are connected to each other, in both directions.
///
/// `settle` lets the world between them go on: it runs the reactor, sleeps a little, or does nothing where frames pass
/// at once. It is called up to 100 times for each thing that should happen. Foreign frames are passed over: those
/// of the exam have the EtherType `0x88b5` (IEEE 802 local experiments).
///
/// What is asked:
///
/// 1. addresses are of one station, the MTU is at least 576 bytes;
/// 2. frames from 60 bytes up to the MTU arrive whole and in order;
/// 3. only what was written leaves: reserved space that was not filled never carries what the buffer held before;
/// 4. a frame that is too long is refused, and so is one that overflowed its writer or got it replaced;
/// 5. a full device calls no `fill`, and is ready again, with a wake, when the other side made room;
/// 6. a receiver that waits is woken;
/// 7. a frame can be answered while it is lent;
/// 8. a run of frames is sent as one after the other would be;
/// 9. the statistics count.
///
/// ```
/// use mirage_net::testing::{FakeNet, examine_pair};
///
/// let (mut a, mut b) = FakeNet::pair();
/// examine_pair(&mut a, &mut b, || ());
/// ```
///
/// # Panics
/// When a device fails; the message says at what.
pub fn examine_pair(a: &mut impl Net, b: &mut impl Net, mut settle: impl FnMut()) {
    examine_way(a, b, &mut settle);
    examine_way(b, a, &mut settle);
}

fn examine_way(from: &mut impl Net, to: &mut impl Net, settle: &mut impl FnMut()) {
    let mut way = Way { from, to, settle };
    way.addresses_and_sizes();
    way.frames_arrive_whole_and_in_order();
    way.only_what_was_written_leaves();
    way.what_is_too_long_is_refused();
    way.a_replaced_writer_leaks_nothing();
    way.full_is_not_for_ever();
    way.a_waiting_receiver_is_woken();
    way.a_frame_is_answered_where_it_lies();
    way.a_run_is_sent_as_one_after_the_other();
    way.statistics_count();
}

impl<A: Net, B: Net, S: FnMut()> Way<'_, A, B, S> {
    fn addresses_and_sizes(&mut self) {
        let (_, transmit) = self.from.split();
        assert!(transmit.mac().is_unicast(), "a device's address must be of one station: {}", transmit.mac());
        assert!(transmit.mtu() >= 576, "an MTU of {} bytes is too little for IPv4", transmit.mtu());
    }

    fn frames_arrive_whole_and_in_order(&mut self) {
        let longest = self.longest();
        for (round, len) in [60, 61, 64, 590, 1514, longest].into_iter().filter(|len| *len <= longest).enumerate() {
            let frame = self.frame(len, round as u8);
            self.send(&frame);
            self.expect(&frame, "a frame must arrive as it was written");
        }
        let frames: Vec<_> = (0..4).map(|n| self.frame(60 + n, 0x40 + n as u8)).collect();
        for frame in &frames {
            self.send(frame);
        }
        for frame in &frames {
            self.expect(frame, "frames must arrive in the order in which they were sent");
        }
    }

    fn only_what_was_written_leaves(&mut self) {
        // Long frames first, so that every buffer of the device holds something that must not leave again.
        let longest = self.longest();
        for round in 0..32 {
            let frame = self.frame(longest, 0x80 + round);
            self.send(&frame);
            self.expect(&frame, "a frame must arrive as it was written");
        }
        for reserved in [61, 100, longest] {
            let frame = self.frame(60, 0xc0);
            self.send_reserving(reserved, &frame);
            self.expect(&frame, "what was reserved and not written must not leave");
        }
        // Shorter than Ethernet's least: the device may pad, with zeroes only.
        let frame = self.frame(20, 0xc1);
        self.send_reserving(100, &frame);
        self.expect(&frame, "padding must be zeroes");
    }

    fn what_is_too_long_is_refused(&mut self) {
        let too_long = self.longest() + VLAN_TAG + 1;
        let bytes = self.frame(too_long, 0xd0);
        let (_, transmit) = self.from.split();
        let sent = transmit.send(Outgoing::new(too_long), |frame| frame.put(&bytes));
        assert_eq!(sent, Err(SendError::TooLong), "a frame of {too_long} bytes is too long");
        let sent = transmit.send(Outgoing::new(60), |frame| {
            frame.put(&bytes[..60]);
            frame.put(&[0]);
        });
        assert_eq!(sent, Err(SendError::TooLong), "a frame that overflowed its writer must be refused");
        transmit.flush();
        self.nothing_came("a refused frame must not leave");
        let frame = self.frame(60, 0xd1);
        self.send(&frame);
        self.expect(&frame, "a refused frame must not be in the way of the next");
    }

    fn a_run_is_sent_as_one_after_the_other(&mut self) {
        let frames: Vec<_> = (0..4).map(|salt| self.frame(90, salt << 4)).collect();
        let too_long = self.frame(91, 0xf0);
        let mut left = frames.iter().chain([&too_long, &too_long]);
        for _ in 0..PATIENCE {
            let (_, transmit) = self.from.split();
            let run: Vec<_> = left.clone().collect();
            let fills = run.iter().map(|bytes| |frame: &mut FrameWriter<'_>| frame.put(bytes));
            let (sent, result) = transmit.send_run(Outgoing::new(90), fills);
            transmit.flush();
            for bytes in left.by_ref().take(sent) {
                self.expect(bytes, "a frame of a run must arrive as any other");
            }
            match result {
                Err(SendError::Full) => (self.settle)(),
                _ => {
                    assert_eq!(result, Err(SendError::TooLong), "a run ends with the frame that is refused");
                    assert_eq!(left.count(), 2, "those of a run that were sent are counted, and no others");
                    self.nothing_came("a run ends with the frame that is refused");
                    return;
                }
            }
        }
        panic!("the device stays full while its peer is empty");
    }

    /// Safe code can put a writer over a buffer of its own in the place of the device's.
    fn a_replaced_writer_leaks_nothing(&mut self) {
        let bytes = self.frame(60, 0xe0);
        let foreign: &'static mut [u8] = Box::leak(vec![0; 60].into_boxed_slice());
        let (_, transmit) = self.from.split();
        let sent = transmit.send(Outgoing::new(60), |frame| {
            let mut other = FrameWriter::new(foreign);
            other.put(&bytes);
            *frame = other;
        });
        transmit.flush();
        match sent {
            Ok(()) => self.expect(&bytes, "a frame whose writer was replaced must not carry what the buffer held"),
            Err(_) => self.nothing_came("a refused frame must not leave"),
        }
    }

    fn full_is_not_for_ever(&mut self) {
        let wakes = Wakes::new();
        let bytes = self.frame(60, 0xf0);
        let mut full = false;
        for _ in 0..MOST_FRAMES {
            let mut called = false;
            let (_, transmit) = self.from.split();
            match transmit.send(Outgoing::new(60), |frame| {
                called = true;
                frame.put(&bytes);
            }) {
                Ok(()) => transmit.flush(),
                Err(SendError::Full) => {
                    assert!(!called, "a full device must not call `fill`");
                    full = true;
                    break;
                }
                Err(error) => panic!("a frame of 60 bytes was refused: {error}"),
            }
        }
        if full {
            let (_, transmit) = self.from.split();
            let waits = transmit.poll_ready(&mut Context::from_waker(wakes.waker())).is_pending();
            let mut ready = !waits;
            for _ in 0..PATIENCE {
                (self.settle)();
                self.drain();
                let (_, transmit) = self.from.split();
                if transmit.poll_ready(&mut Context::from_waker(wakes.waker())).is_ready() {
                    ready = true;
                    break;
                }
            }
            assert!(ready, "a full device must be ready again when the other side made room");
            assert!(!waits || wakes.count() > 0, "who waits for room must be woken");
        }
        for _ in 0..3 {
            (self.settle)();
            self.drain();
        }
        let frame = self.frame(60, 0xf1);
        self.send(&frame);
        self.expect(&frame, "a device must work again after it was full");
    }

    fn a_waiting_receiver_is_woken(&mut self) {
        self.drain();
        let wakes = Wakes::new();
        let mut left = MOST_FRAMES;
        let (receive, _) = self.to.split();
        while receive.poll_frame(&mut Context::from_waker(wakes.waker()), |_| ()).is_ready() {
            assert!(left > 0, "frames come without end");
            left -= 1;
        }
        let before = wakes.count();
        let frame = self.frame(60, 0xf2);
        self.send(&frame);
        let woken = (0..PATIENCE).any(|_| {
            (self.settle)();
            wakes.count() > before
        });
        assert!(woken, "a receiver that waits must be woken when a frame comes");
        self.expect(&frame, "the frame that woke the receiver must be there");
    }

    fn a_frame_is_answered_where_it_lies(&mut self) {
        let question = self.frame(60, 0xf3);
        let mut answer = question.clone();
        answer[..6].copy_from_slice(&question[6..12]);
        answer[6..12].copy_from_slice(&question[..6]);
        self.send(&question);
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..PATIENCE {
            (self.settle)();
            let (receive, transmit) = self.to.split();
            let answered = receive.poll_frame(&mut cx, |frame| {
                let ours = frame.bytes.get(..60) == Some(&question[..]);
                ours.then(|| {
                    transmit.send(Outgoing::new(60), |out| {
                        out.put(&frame.bytes[6..12]);
                        out.put(&frame.bytes[..6]);
                        out.put(&frame.bytes[12..60]);
                    })
                })
            });
            transmit.flush();
            match answered {
                Poll::Ready(Ok(Some(Err(error)))) => panic!("an empty device must take an answer: {error}"),
                Poll::Ready(Ok(Some(Ok(())))) => {
                    let mut back = Way { from: self.to, to: self.from, settle: self.settle };
                    return back.expect(&answer, "an answer must arrive as it was written");
                }
                _ => {}
            }
        }
        panic!("a frame must arrive to be answered");
    }

    fn statistics_count(&mut self) {
        let (sent, received) = (self.from.stats(), self.to.stats());
        for round in 0..3 {
            let frame = self.frame(100, round);
            self.send(&frame);
            self.expect(&frame, "a frame must arrive as it was written");
        }
        let (sent_now, received_now) = (self.from.stats(), self.to.stats());
        assert!(sent_now.tx_frames >= sent.tx_frames + 3, "frames sent are counted");
        assert!(sent_now.tx_bytes >= sent.tx_bytes + 300, "bytes sent are counted");
        assert!(received_now.rx_frames >= received.rx_frames + 3, "frames received are counted");
        assert!(received_now.rx_bytes >= received.rx_bytes + 300, "bytes received are counted");
    }
}

/// Devices may take a frame with a tag at their MTU.
const VLAN_TAG: usize = 4;
