//! The exam for receivers that may keep frames.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::num::NonZeroU16;
use core::task::{Context, Poll, Waker};

use super::way::{MOST_FRAMES, PATIENCE, Way};
use super::{Wakes, packet};
use crate::{
    ChecksumOffload, FrameId, FrameSet, Net, Outgoing, Receive, ReceivedChecksum, SegmentationOffload, SendError,
    Transmit,
};

/// Examines how two devices that are connected to each other [keep](Receive::poll_frame_to_keep) frames, and says how many
/// each of them kept at most: 0 for one that keeps none, which is right, too. So the test of a device that should keep
/// insists on what comes back.
///
/// `settle` is the same as for [`examine_pair`](super::examine_pair), and so is what is passed over. The frames to keep are
/// as long as the MTU lets them be.
///
/// What is asked:
///
/// 1. bytes, checksum and segment size are those that [`poll_frame`](Receive::poll_frame) would have told;
/// 2. what is kept stays byte for byte as it was, however many frames come after it, until it is released;
/// 3. what is not kept, or has no number, is gone, and takes no number;
/// 4. the number of a frame that is kept is not offered again;
/// 5. when nothing more can be kept, frames still come;
/// 6. what is released is gone, the others stay, and as many as before can be kept again;
/// 7. to release what is not kept changes nothing;
/// 8. what is not kept has no bytes;
/// 9. frames that are kept are counted like others;
/// 10. a frame can be answered and kept at once, and a receiver that waits for one to keep is woken;
/// 11. [frames that are lent in one call](Receive::poll_frames_to_keep) are those that come next, no more than were asked for,
///     and each is kept as if it were alone.
///
/// ```
/// use mirage_net::FrameId;
/// use mirage_net::testing::{FakeNet, examine_keeping};
///
/// let (mut a, mut b) = FakeNet::pair();
/// assert_eq!(examine_keeping(&mut a, &mut b, || ()), [FrameId::COUNT; 2]);
/// ```
///
/// # Panics
/// When a device fails; the message says at what.
pub fn examine_keeping(a: &mut impl Net, b: &mut impl Net, mut settle: impl FnMut()) -> [usize; 2] {
    let b_keeps = examine_way(a, b, &mut settle);
    let a_keeps = examine_way(b, a, &mut settle);
    [a_keeps, b_keeps]
}

/// How many frames `to` keeps at most.
fn examine_way(from: &mut impl Net, to: &mut impl Net, settle: &mut impl FnMut()) -> usize {
    let mut keeper =
        Keeper { way: Way { from, to, settle }, kept: Box::new([const { None }; FrameId::COUNT]), serial: 0 };
    keeper.frames_are_told_of_in_the_same_words();
    keeper.what_is_not_kept_is_gone();
    let most = keeper.keep_as_many_as_can_be();
    keeper.frames_still_come();
    if most > 0 {
        keeper.what_was_released_can_be_kept_again(most);
        keeper.what_is_not_kept_is_not_released(most);
        keeper.a_frame_is_answered_and_kept();
    }
    keeper.a_waiting_receiver_is_woken();
    keeper.release(FrameSet::ALL);
    keeper.several_are_lent_in_one_call();
    keeper.release(FrameSet::ALL);
    most
}

/// Who keeps frames, and knows what was in them.
struct Keeper<'a, A, B, S> {
    way: Way<'a, A, B, S>,
    /// What is kept, by number.
    kept: Box<[Option<Vec<u8>>; FrameId::COUNT]>,
    /// Frames sent so far: no two are the same.
    serial: u32,
}

/// A frame that came.
struct Came {
    told: Told,
    /// The number that was offered.
    number: Option<FrameId>,
}

/// What a device tells of a frame.
#[derive(PartialEq)]
struct Told {
    bytes: Vec<u8>,
    checksum: ReceivedChecksum,
    segment_size: Option<NonZeroU16>,
}

impl<A: Net, B: Net, S: FnMut()> Keeper<'_, A, B, S> {
    fn frames_are_told_of_in_the_same_words(&mut self) {
        let link = self.link();
        let capabilities = self.way.from.split().1.capabilities();
        let plain = self.next_frame();
        let mut outgoing = Vec::from([(plain.clone(), Outgoing::new(plain.len()))]);
        if capabilities.checksum.contains(ChecksumOffload::UDP_V4) {
            outgoing.push(packet::datagram(&link));
        }
        let large = packet::large_segment(&link);
        if capabilities.checksum.contains(ChecksumOffload::TCP_V4)
            && capabilities.segmentation.contains(SegmentationOffload::TCP_V4)
            && capabilities.max_large_frame >= large.0.len()
        {
            outgoing.push(large);
        }
        for (bytes, outgoing) in outgoing {
            self.send(&bytes, outgoing);
            let lent = self.all(Self::lend);
            self.send(&bytes, outgoing);
            let kept = self.all(|keeper| keeper.poll_to_keep(true).map(|came| came.told));
            let same = |one: fn(&Told) -> &[u8]| lent.iter().map(one).eq(kept.iter().map(one));
            assert!(same(|told| &told.bytes), "a frame to keep must have the bytes that `poll_frame` lends");
            assert!(lent == kept, "a frame to keep must be told of as by `poll_frame`: checksum and segment size");
            self.check();
            self.release(FrameSet::ALL);
        }
    }

    fn what_is_not_kept_is_gone(&mut self) {
        let offers = self.pass(false).is_some();
        for _ in 0..FrameId::COUNT {
            let offered = self.pass(false).is_some();
            assert_eq!(offers, offered, "a frame that was not kept must take no number");
        }
    }

    /// Returns how many that are.
    fn keep_as_many_as_can_be(&mut self) -> usize {
        let (before, mut passed) = (self.way.to.stats(), 1);
        while self.pass(true).is_some() {
            passed += 1;
        }
        let now = self.way.to.stats();
        let bytes = passed * self.way.longest() as u64;
        assert!(now.rx_frames - before.rx_frames >= passed, "frames that are kept are counted");
        assert!(now.rx_bytes - before.rx_bytes >= bytes, "bytes of frames that are kept are counted");
        self.out().len()
    }

    /// More than a ring has places, one by one and several at once, while others are kept.
    fn frames_still_come(&mut self) {
        for _ in 0..RING {
            self.pass(false);
        }
        for _ in 0..RING / BURST {
            for frame in self.send_several() {
                self.expect(&frame, false);
            }
        }
    }

    /// Asks for fewer than wait, and keeps each other one if it can.
    fn several_are_lent_in_one_call(&mut self) {
        let (link, sent) = (self.link(), self.send_several());
        let most = BURST - 1;
        let mut rest = sent.iter();
        for _ in 0..PATIENCE {
            (self.way.settle)();
            let mut lent = Vec::new();
            let (receive, _) = self.way.to.split();
            let came = receive.poll_frames_to_keep(&mut Context::from_waker(Waker::noop()), most, |frame, number| {
                let ours = frame.bytes.starts_with(&link);
                let number = number.filter(|_| ours && lent.len() % 2 == 0);
                lent.push((frame.bytes.to_vec(), number));
                number.is_some()
            });
            match came {
                Poll::Ready(Ok(count)) => assert_eq!(count, lent.len(), "a device must know how many frames it lent"),
                Poll::Ready(Err(_)) => panic!("the device went away during its exam"),
                Poll::Pending => assert!(lent.is_empty(), "a device must know that it lent a frame"),
            }
            assert!(lent.len() <= most, "no more frames must be lent than were asked for");
            for (bytes, number) in lent.into_iter().filter(|(bytes, _)| bytes.starts_with(&link)) {
                assert!(Some(&bytes) == rest.next(), "frames lent in one call must be those that come next");
                if let Some(number) = number {
                    self.kept[usize::from(number.number())] = Some(bytes);
                }
                self.check();
            }
            if rest.len() == 0 {
                return;
            }
        }
        panic!("frames that were sent must be lent");
    }

    /// Sends several frames before the first is taken; which, if not all had room.
    fn send_several(&mut self) -> Vec<Vec<u8>> {
        let mut frames: Vec<_> = (0..BURST).map(|_| self.next_frame()).collect();
        let (_, transmit) = self.way.from.split();
        let send = |frame: &&Vec<u8>| transmit.send(Outgoing::new(frame.len()), |out| out.put(frame)).is_ok();
        let sent = frames.iter().take_while(send).count();
        transmit.flush();
        frames.truncate(sent);
        frames
    }

    fn what_was_released_can_be_kept_again(&mut self, most: usize) {
        for nth in [1, 2, 3] {
            self.release(self.out().into_iter().step_by(nth).collect());
            self.pass(false);
            assert_eq!(self.keep_as_many_as_can_be(), most, "what was released must be offered again");
        }
    }

    fn what_is_not_kept_is_not_released(&mut self, most: usize) {
        let mut others = FrameSet::ALL;
        for frame in self.out() {
            others.remove(frame);
        }
        self.release(others);
        let first: FrameSet = self.out().first().into_iter().collect();
        for _ in 0..3 {
            self.release(first);
            self.release(FrameSet::EMPTY);
        }
        assert_eq!(self.keep_as_many_as_can_be(), most, "to release twice must not make one number two");
        for _ in 0..2 {
            self.release(FrameSet::ALL);
        }
        assert_eq!(self.keep_as_many_as_can_be(), most, "what was released must be offered again");
        self.release(FrameSet::ALL);
    }

    fn a_frame_is_answered_and_kept(&mut self) {
        let question = self.next_frame();
        let mut answer = question[..60].to_vec();
        answer[..6].copy_from_slice(&question[6..12]);
        answer[6..12].copy_from_slice(&question[..6]);
        self.send(&question, Outgoing::new(question.len()));
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..PATIENCE {
            (self.way.settle)();
            let (receive, transmit) = self.way.to.split();
            let answered = receive.poll_frame_to_keep(&mut cx, |frame, number| {
                let number = number.filter(|_| frame.bytes == question);
                let sent = number.map(|number| (number, transmit.send(Outgoing::new(60), |out| out.put(&answer))));
                (sent, number.is_some())
            });
            transmit.flush();
            if let Poll::Ready(Ok(Some((number, sent)))) = answered {
                assert_eq!(sent, Ok(()), "an empty device must take an answer");
                self.kept[usize::from(number.number())] = Some(question);
                self.check();
                let mut back = Way { from: self.way.to, to: self.way.from, settle: self.way.settle };
                return back.expect(&answer, "an answer must arrive as it was written");
            }
        }
        panic!("a frame must arrive to be answered and kept");
    }

    fn a_waiting_receiver_is_woken(&mut self) {
        let wakes = Wakes::new();
        let mut cx = Context::from_waker(wakes.waker());
        let (receive, _) = self.way.to.split();
        let quiet = (0..MOST_FRAMES).any(|_| receive.poll_frame_to_keep(&mut cx, |_, _| ((), false)).is_pending());
        assert!(quiet, "frames come without end");
        let before = wakes.count();
        let frame = self.next_frame();
        self.send(&frame, Outgoing::new(frame.len()));
        let woken = (0..PATIENCE).any(|_| {
            (self.way.settle)();
            wakes.count() > before
        });
        assert!(woken, "a receiver that waits for a frame to keep must be woken");
        self.expect(&frame, true);
    }

    /// Sends one frame, and keeps it if that is possible and `keep` says so. The number that was offered.
    fn pass(&mut self, keep: bool) -> Option<FrameId> {
        let frame = self.next_frame();
        self.send(&frame, Outgoing::new(frame.len()));
        self.expect(&frame, keep)
    }

    fn send(&mut self, bytes: &[u8], outgoing: Outgoing) {
        for _ in 0..PATIENCE {
            let (_, transmit) = self.way.from.split();
            let sent = transmit.send(outgoing, |frame| frame.put(bytes));
            transmit.flush();
            match sent {
                Ok(()) => return,
                Err(SendError::Full) => (self.way.settle)(),
                Err(error) => panic!("a frame of {} bytes was refused: {error}", bytes.len()),
            }
        }
        panic!("the device stays full while its peer is empty");
    }

    /// The next that comes is `frame`.
    fn expect(&mut self, frame: &[u8], keep: bool) -> Option<FrameId> {
        for _ in 0..PATIENCE {
            if let Some(Came { told, number }) = self.poll_to_keep(keep) {
                assert!(told.bytes == frame, "while frames are kept, the next must arrive as it was written");
                self.check();
                return number;
            }
            (self.way.settle)();
        }
        panic!("while frames are kept, the next must come");
    }

    /// What comes until no more does.
    fn all(&mut self, next: impl Fn(&mut Self) -> Option<Told>) -> Vec<Told> {
        let mut came = Vec::new();
        for _ in 0..PATIENCE {
            (self.way.settle)();
            let before = came.len();
            came.extend(core::iter::from_fn(|| next(self)).take(MOST_FRAMES));
            if !came.is_empty() && came.len() == before {
                return came;
            }
        }
        panic!("a frame must arrive, and that once");
    }

    fn lend(&mut self) -> Option<Told> {
        let link = self.link();
        let (receive, _) = self.way.to.split();
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            let frame = receive.poll_frame(&mut cx, |frame| {
                let (bytes, checksum, segment_size) = (frame.bytes.to_vec(), frame.checksum, frame.segment_size);
                bytes.starts_with(&link).then_some(Told { bytes, checksum, segment_size })
            });
            match frame {
                Poll::Ready(Ok(Some(told))) => return Some(told),
                Poll::Ready(Ok(None)) => {}
                Poll::Ready(Err(_)) => panic!("the device went away during its exam"),
                Poll::Pending => return None,
            }
        }
    }

    /// The oldest frame of the exam. It is kept if it may be and `keep` says so; what has no number is asked for, too.
    fn poll_to_keep(&mut self, keep: bool) -> Option<Came> {
        let link = self.link();
        let (receive, _) = self.way.to.split();
        let mut cx = Context::from_waker(Waker::noop());
        let came = loop {
            let frame = receive.poll_frame_to_keep(&mut cx, |frame, number| {
                let (bytes, checksum, segment_size) = (frame.bytes.to_vec(), frame.checksum, frame.segment_size);
                let ours = bytes.starts_with(&link);
                let came = ours.then_some(Came { told: Told { bytes, checksum, segment_size }, number });
                (came, ours && (keep || number.is_none()))
            });
            match frame {
                Poll::Ready(Ok(Some(came))) => break came,
                Poll::Ready(Ok(None)) => {}
                Poll::Ready(Err(_)) => panic!("the device went away during its exam"),
                Poll::Pending => return None,
            }
        };
        if let Some(number) = came.number {
            let kept = &mut self.kept[usize::from(number.number())];
            assert!(kept.is_none(), "the number of a frame that is kept must not be offered again: {number:?}");
            *kept = keep.then(|| came.told.bytes.clone());
        }
        Some(came)
    }

    fn release(&mut self, frames: FrameSet) {
        self.way.to.split().0.release(frames);
        for frame in frames {
            self.kept[usize::from(frame.number())] = None;
        }
        self.check();
    }

    /// The numbers of what is kept.
    fn out(&self) -> FrameSet {
        let is_kept = |frame: &FrameId| self.kept[usize::from(frame.number())].is_some();
        FrameSet::ALL.into_iter().filter(is_kept).collect()
    }

    /// Whether the device still has what is kept, and nothing else.
    fn check(&mut self) {
        let (receive, _) = self.way.to.split();
        for frame in FrameSet::ALL {
            let bytes = receive.kept(frame);
            match &self.kept[usize::from(frame.number())] {
                Some(kept) => assert!(bytes == kept, "what is kept must stay as it is: {frame:?}"),
                None => assert!(bytes.is_empty(), "what is not kept must have no bytes: {frame:?}"),
            }
        }
    }

    /// What each frame of the exam begins with.
    fn link(&mut self) -> Vec<u8> {
        let (to, from) = (self.way.to.split().1.mac(), self.way.from.split().1.mac());
        [to.octets(), from.octets()].concat()
    }

    /// As long as both devices take, and like no other.
    fn next_frame(&mut self) -> Vec<u8> {
        self.serial += 1;
        let longest = self.way.longest();
        let mut frame = self.way.frame(longest, self.serial as u8);
        frame[14..18].copy_from_slice(&self.serial.to_be_bytes());
        frame
    }
}

/// More than the rings of most devices have places.
const RING: usize = 300;

/// Frames that are sent before the first of them is taken, where there is room for them.
const BURST: usize = 3;
