//! The way from one device to another, for the exams.

use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};

use crate::{MacAddress, Net, Outgoing, Receive, SendError, Transmit};

/// Two devices that are connected to each other: frames of an exam go from one to the other.
pub(super) struct Way<'a, A, B, S> {
    pub(super) from: &'a mut A,
    pub(super) to: &'a mut B,
    pub(super) settle: &'a mut S,
}

impl<A: Net, B: Net, S: FnMut()> Way<'_, A, B, S> {
    /// The longest frame that both devices take.
    pub(super) fn longest(&mut self) -> usize {
        LINK_HEADER + self.from.split().1.mtu().min(self.to.split().1.mtu())
    }

    /// A frame of the exam: `len` bytes that depend on their place and on `salt`, never zero.
    pub(super) fn frame(&mut self, len: usize, salt: u8) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len);
        bytes.extend(self.to.split().1.mac().octets());
        bytes.extend(self.from.split().1.mac().octets());
        bytes.extend(EXPERIMENT);
        bytes.extend((bytes.len()..len).map(|at| (at as u8).wrapping_mul(7).wrapping_add(salt) | 1));
        bytes
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.send_reserving(bytes.len(), bytes);
    }

    pub(super) fn send_reserving(&mut self, reserved: usize, bytes: &[u8]) {
        for _ in 0..PATIENCE {
            let (_, transmit) = self.from.split();
            let sent = transmit.send(Outgoing::new(reserved), |frame| {
                assert!(frame.is_empty(), "a writer starts empty");
                assert!(frame.remaining() >= reserved, "the device must lend what was asked for");
                frame.put(bytes);
            });
            transmit.flush();
            match sent {
                Ok(()) => return,
                Err(SendError::Full) => (self.settle)(),
                Err(error) => panic!("a frame of {} bytes was refused: {error}", bytes.len()),
            }
        }
        panic!("the device stays full while its peer is empty");
    }

    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        let ours = |bytes: &[u8]| bytes.get(12..14) == Some(&EXPERIMENT[..]);
        let (receive, _) = self.to.split();
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..MOST_FRAMES {
            match receive.poll_frame(&mut cx, |frame| ours(frame.bytes).then(|| frame.bytes.to_vec())) {
                Poll::Ready(Ok(Some(bytes))) => return Some(bytes),
                Poll::Ready(Ok(None)) => {}
                Poll::Ready(Err(_)) => panic!("the device went away during its exam"),
                Poll::Pending => return None,
            }
        }
        None
    }

    pub(super) fn expect(&mut self, bytes: &[u8], demand: &str) {
        for _ in 0..PATIENCE {
            if let Some(came) = self.next() {
                assert!(came.len() >= bytes.len(), "{demand}: {} of {} bytes came", came.len(), bytes.len());
                let (same, padding) = came.split_at(bytes.len());
                assert_eq!(same, bytes, "{demand}");
                // Devices may pad to Ethernet's 60 bytes.
                assert!(came.len() == bytes.len() || came.len() <= 60, "{demand}: {} bytes came", came.len());
                assert!(padding.iter().all(|byte| *byte == 0), "{demand}: behind it came {padding:02x?}");
                return;
            }
            (self.settle)();
        }
        panic!("{demand}: it never came");
    }

    pub(super) fn nothing_came(&mut self, demand: &str) {
        for _ in 0..3 {
            (self.settle)();
            assert_eq!(self.next(), None, "{demand}");
        }
    }

    pub(super) fn drain(&mut self) {
        let mut left = MOST_FRAMES;
        while self.next().is_some() {
            assert!(left > 0, "frames come without end");
            left -= 1;
        }
    }
}

/// Station, station, EtherType.
pub(super) const LINK_HEADER: usize = 2 * size_of::<MacAddress>() + EXPERIMENT.len();

/// IEEE 802 local experimental EtherType 1.
pub(super) const EXPERIMENT: [u8; 2] = [0x88, 0xb5];

/// How often the world may settle before something that should happen has failed to.
pub(super) const PATIENCE: usize = 100;

/// More frames than any device keeps.
pub(super) const MOST_FRAMES: usize = 8192;
