//! One direction of a cable: a ring of frame buffers that are lent in place.

use core::cell::{Cell, RefCell};
use core::num::NonZeroU16;
use core::task::{Context, Waker};

use mirage_net::ReceivedChecksum;

use super::buffer::Buffer;

/// A ring with one sender and one receiver on the same thread.
///
/// Each slot is borrowed on its own, so a frame can be sent while another one is lent.
pub(super) struct Ring {
    slots: Box<[Slot]>,
    /// `slots.len() - 1`; the length is a power of two.
    mask: u64,
    /// Frames received so far. Invariant: `tail - head <= slots.len()`.
    head: Cell<u64>,
    /// Their bytes.
    bytes: Cell<u64>,
    /// Frames published so far.
    tail: Cell<u64>,
    up: Cell<bool>,
    /// Whether one of the two ends is gone.
    closed: Cell<bool>,
    receiver: Cell<Option<Waker>>,
    sender: Cell<Option<Waker>>,
    /// Whether there may be one: for each frame that is received this is asked.
    sender_waits: Cell<bool>,
}

pub(super) struct Slot {
    buffer: RefCell<Buffer>,
    frame: Cell<Stored>,
}

impl Slot {
    /// Lends its buffer, and stores the frame that `fill` makes of it, if any.
    #[inline(always)]
    pub(super) fn fill<E>(&self, fill: impl FnOnce(&mut [u8]) -> Result<Stored, E>) -> Result<usize, E> {
        let stored = fill(self.buffer.borrow_mut().frame_mut())?;
        self.frame.set(stored);
        Ok(stored.len)
    }
}

/// What a slot holds besides the bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Stored {
    pub(super) len: usize,
    pub(super) checksum: ReceivedChecksum,
    pub(super) segment_size: Option<NonZeroU16>,
}

impl Ring {
    pub(super) fn new(slots: usize, size: usize) -> Self {
        let slots: Box<[Slot]> = (0..slots.max(1).next_power_of_two())
            .map(|_| Slot { buffer: RefCell::new(Buffer::new(size)), frame: Cell::default() })
            .collect();
        Self {
            mask: slots.len() as u64 - 1,
            slots,
            head: Cell::new(0),
            bytes: Cell::new(0),
            tail: Cell::new(0),
            up: Cell::new(true),
            closed: Cell::new(false),
            receiver: Cell::new(None),
            sender: Cell::new(None),
            sender_waits: Cell::new(false),
        }
    }

    /// Whether the sender, who has filled frames up to `written`, finds no free slot.
    #[inline]
    pub(super) fn is_full(&self, written: u64) -> bool {
        written.wrapping_sub(self.head.get()) > self.mask
    }

    /// The free slots, the next first and those at the start of the ring behind them, for a sender who has filled frames up to
    /// `written`.
    #[inline]
    pub(super) fn free(&self, written: u64) -> [&[Slot]; 2] {
        let room = self.slots.len() - (written.wrapping_sub(self.head.get()) as usize).min(self.slots.len());
        let (start, next) = self.slots.split_at((written & self.mask) as usize);
        let next = next.get(..room).unwrap_or(next);
        [next, start.get(..room - next.len()).unwrap_or_default()]
    }

    /// Lends the buffer of slot `written`, which is free; stores the frame that `fill` makes of it, if any.
    #[inline(always)]
    pub(super) fn fill<E>(&self, written: u64, fill: impl FnOnce(&mut [u8]) -> Result<Stored, E>) -> Result<usize, E> {
        self.slots[(written & self.mask) as usize].fill(fill)
    }

    /// Lends the oldest frame, if there is one; afterwards its slot is free. `take` may put another buffer of the same size in
    /// the place of its own.
    #[inline(always)]
    pub(super) fn take<R>(&self, take: impl FnOnce(&mut Buffer, Stored) -> R) -> Option<R> {
        let head = self.head.get();
        if head == self.tail.get() {
            return None;
        }
        let slot = &self.slots[(head & self.mask) as usize];
        let stored = slot.frame.get();
        self.bytes.set(self.bytes.get() + stored.len as u64);
        // Nobody else has it, whoever only reads. To find that out is less work so.
        let mut buffer = slot.buffer.borrow_mut();
        let result = take(&mut buffer, stored);
        drop(buffer);
        self.head.set(head.wrapping_add(1));
        if self.sender_waits.get() {
            self.wake_sender();
        }
        Some(result)
    }

    /// Whether the oldest frame is so long that to copy it would be more work than to keep it.
    #[inline]
    pub(super) fn has_long(&self) -> bool {
        let head = self.head.get();
        head != self.tail.get() && self.slots[(head & self.mask) as usize].frame.get().len >= LONG
    }

    /// How many frames were received.
    pub(super) fn taken(&self) -> u64 {
        self.head.get()
    }

    /// How many bytes they were.
    pub(super) fn bytes_taken(&self) -> u64 {
        self.bytes.get()
    }

    /// Hands everything up to `written` to the receiver.
    #[inline]
    pub(super) fn publish(&self, written: u64) {
        if self.tail.get() != written {
            self.tail.set(written);
            self.wake_receiver();
        }
    }

    pub(super) fn wait_for_frame(&self, cx: &Context<'_>) {
        register(&self.receiver, cx);
    }

    pub(super) fn wait_for_slot(&self, cx: &Context<'_>) {
        register(&self.sender, cx);
        self.sender_waits.set(true);
    }

    #[inline]
    pub(super) fn is_up(&self) -> bool {
        self.up.get()
    }

    pub(super) fn set_up(&self, up: bool) {
        if self.up.replace(up) != up {
            self.wake_receiver();
        }
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    pub(super) fn close(&self) {
        self.closed.set(true);
        self.wake_receiver();
        self.wake_sender();
    }

    #[cold]
    fn wake_sender(&self) {
        self.sender_waits.set(false);
        if let Some(sender) = self.sender.take() {
            sender.wake();
        }
    }

    #[inline]
    fn wake_receiver(&self) {
        if let Some(receiver) = self.receiver.take() {
            receiver.wake();
        }
    }
}

/// Bytes of a frame that is worth keeping.
const LONG: usize = 512;

/// Keeps `cx`'s waker in `cell`; a waker that is there already is not cloned again.
fn register(cell: &Cell<Option<Waker>>, cx: &Context<'_>) {
    let waker = match cell.take() {
        Some(old) if old.will_wake(cx.waker()) => old,
        _ => cx.waker().clone(),
    };
    cell.set(Some(waker));
}
