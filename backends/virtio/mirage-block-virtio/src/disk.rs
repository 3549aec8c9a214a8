//! The device.

use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};

use mirage_block::{Block, Discard, ErrorKind, ErrorType, Flush, Info};
use mirage_virtio::Bell;
use mirage_virtqueue::{Broken, Memory, Piece, Queue, accept, begin, finish, reset};
use virtio_drivers::Hal;
use virtio_drivers::transport::{DeviceStatus, DeviceType, Transport};

use crate::Error;
use crate::features::FLUSH;
use crate::request::{HEADER, Kind, RANGE, UNANSWERED, answer, header, range};
use crate::shape::{Shape, UNIT};

/// The number of the queue, and how many descriptors it needs: header, data, status, and a power of two.
const QUEUE: u16 = 0;
const DESCRIPTORS: u16 = 4;
/// Where in the memory the header, the status and the data lie. Data is aligned for devices that like pages.
const STATUS_AT: usize = HEADER;
const DATA_AT: usize = 4096;
/// Bytes of a request where nobody says otherwise.
const BYTES: usize = 64 * 1024;

/// A virtio block device.
///
/// One request is on its way at a time, from and to memory of the disk's own: a future that is dropped leaves the device
/// writing there and not into the caller's buffer. The next request waits for it.
pub struct Disk<H: Hal, T: Transport, B: Bell> {
    transport: T,
    bell: B,
    queue: Queue<H>,
    memory: Memory<H>,
    shape: Shape,
    /// The device holds a request.
    busy: bool,
    /// Somebody waits for it.
    waits: bool,
    gone: bool,
}

impl<H: Hal, T: Transport, B: Bell> Disk<H, T, B> {
    /// Agrees with the device behind `transport` and lets it begin; requests have at most 64 KiB. `bell` rings when it
    /// wants attention.
    ///
    /// # Errors
    /// [`Error`]; the device is then reset.
    pub fn new(transport: T, bell: B) -> Result<Self, Error> {
        Self::with_memory(transport, bell, BYTES)
    }

    /// The same with requests of at most `bytes` bytes, at least one sector. Longer reads and writes are several requests.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_memory(mut transport: T, bell: B, bytes: usize) -> Result<Self, Error> {
        if transport.device_type() != DeviceType::Block {
            return Err(Error::NotABlockDevice);
        }
        match agree(&mut transport, bytes) {
            Ok((shape, queue, memory)) => {
                finish(&mut transport);
                Ok(Self { transport, bell, queue, memory, shape, busy: false, waits: false, gone: false })
            }
            Err(error) => {
                reset(&mut transport);
                Err(error)
            }
        }
    }

    /// Whether [`Discard`] does something: the device offers it.
    pub fn can_discard(&self) -> bool {
        self.shape.most_discarded != 0
    }

    /// Whether [`Flush`] can keep its promise: the device offers it.
    pub fn can_flush(&self) -> bool {
        self.shape.features & FLUSH != 0
    }

    fn per_sector(&self) -> u64 {
        u64::from(self.shape.info.sector_size / UNIT)
    }

    /// Waits for a request whose future was dropped.
    async fn idle(&mut self) -> Result<(), ErrorKind> {
        if self.busy {
            // What became of it, its caller did not want to know.
            poll_fn(|cx| self.poll_done(cx)).await?;
        }
        if self.gone { Err(ErrorKind::Disconnected) } else { Ok(()) }
    }

    /// Has a request done whose data, `len` bytes, lies in our memory or will lie there.
    async fn request(&mut self, kind: Kind, unit: u64, len: usize) -> Result<(), ErrorKind> {
        debug_assert!(!self.busy, "one request at a time");
        // SAFETY: the device holds no request.
        if let Some(place) = unsafe { self.memory.bytes_mut(0, HEADER + 1) } {
            place[..HEADER].copy_from_slice(&header(kind, unit));
            place[STATUS_AT] = UNANSWERED;
        }
        let piece = |at, len: usize, written| Piece { address: self.memory.address(at), len: len as u32, written };
        let chain = [piece(0, HEADER, false), piece(DATA_AT, len, kind == Kind::Read), piece(STATUS_AT, 1, true)];
        let dataless = [chain[0], chain[2]];
        let pieces = if len == 0 { &dataless[..] } else { &chain[..] };
        // SAFETY: the memory lives until we are dropped, which resets the device first; nobody touches it while `busy`.
        let added = unsafe { self.queue.add(pieces, 0) };
        // There are as many descriptors as a request needs, and no other request.
        if added.is_err() {
            return Err(ErrorKind::Device);
        }
        self.busy = true;
        self.queue.notify(&mut self.transport);
        poll_fn(|cx| self.poll_done(cx)).await?;
        // SAFETY: the device holds no request.
        answer(unsafe { self.memory.bytes(STATUS_AT, 1) }.map_or(UNANSWERED, |status| status[0]))
    }

    /// Ready when the device is done with its request.
    fn poll_done(&mut self, cx: &Context<'_>) -> Poll<Result<(), ErrorKind>> {
        // The second look is for what came while we prepared to wait.
        for _ in 0..2 {
            if self.gone {
                return Poll::Ready(Err(ErrorKind::Disconnected));
            }
            match self.queue.take() {
                Ok(Some(_)) => {
                    self.busy = false;
                    self.waits = false;
                    self.queue.disarm();
                    return Poll::Ready(Ok(()));
                }
                Ok(None) => {}
                Err(Broken) => {
                    self.give_up();
                    continue;
                }
            }
            // Woken for nothing, or because the device failed. To ask costs an exit from the virtual machine.
            let again = core::mem::replace(&mut self.waits, true);
            if again && self.transport.get_status().contains(DeviceStatus::DEVICE_NEEDS_RESET) {
                self.give_up();
                continue;
            }
            self.bell.set_waker(cx.waker());
            match self.queue.arm(1) {
                Ok(true) => {}
                Ok(false) => return Poll::Pending,
                Err(Broken) => self.give_up(),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Takes everything back from the device, for good.
    fn give_up(&mut self) {
        self.gone = true;
        self.busy = false;
        reset(&mut self.transport);
    }
}

fn agree<H: Hal>(transport: &mut impl Transport, bytes: usize) -> Result<(Shape, Queue<H>, Memory<H>), Error> {
    let offered = begin(transport);
    let shape = Shape::of(transport, offered, bytes)?;
    accept(transport, shape.features)?;
    let queue = Queue::new(transport, QUEUE, DESCRIPTORS, shape.features)?;
    if queue.size() < DESCRIPTORS {
        return Err(Error::Refused);
    }
    let memory = Memory::new(DATA_AT + shape.most_bytes.max(RANGE)).ok_or(Error::NoMemory)?;
    Ok((shape, queue, memory))
}

impl<H: Hal, T: Transport, B: Bell> ErrorType for Disk<H, T, B> {
    type Error = ErrorKind;
}

impl<H: Hal, T: Transport, B: Bell> Block for Disk<H, T, B> {
    fn info(&self) -> Info {
        self.shape.info
    }

    async fn read(&mut self, start: u64, buffer: &mut [u8]) -> Result<(), ErrorKind> {
        self.shape.info.check(start, buffer.len())?;
        self.idle().await?;
        let mut unit = start * self.per_sector();
        for part in buffer.chunks_mut(self.shape.most_bytes) {
            self.request(Kind::Read, unit, part.len()).await?;
            // SAFETY: the device holds no request.
            if let Some(bytes) = unsafe { self.memory.bytes(DATA_AT, part.len()) } {
                // The one copy: the device never holds the caller's buffer.
                part.copy_from_slice(bytes);
            }
            unit += part.len() as u64 / u64::from(UNIT);
        }
        Ok(())
    }

    async fn write(&mut self, start: u64, data: &[u8]) -> Result<(), ErrorKind> {
        self.shape.info.check(start, data.len())?;
        if self.shape.info.read_only {
            return Err(ErrorKind::ReadOnly);
        }
        self.idle().await?;
        let mut unit = start * self.per_sector();
        for part in data.chunks(self.shape.most_bytes) {
            // SAFETY: the device holds no request.
            if let Some(place) = unsafe { self.memory.bytes_mut(DATA_AT, part.len()) } {
                // The one copy, as in `read`.
                place.copy_from_slice(part);
            }
            self.request(Kind::Write, unit, part.len()).await?;
            unit += part.len() as u64 / u64::from(UNIT);
        }
        Ok(())
    }
}

impl<H: Hal, T: Transport, B: Bell> Flush for Disk<H, T, B> {
    /// # Errors
    /// Also [`ErrorKind::Device`] where [`can_flush`](Disk::can_flush) says no: such a device promises nothing.
    async fn flush(&mut self) -> Result<(), ErrorKind> {
        self.idle().await?;
        if self.shape.info.read_only {
            // Nothing was written.
            return Ok(());
        }
        if !self.can_flush() {
            return Err(ErrorKind::Device);
        }
        self.request(Kind::Flush, 0, 0).await
    }
}

impl<H: Hal, T: Transport, B: Bell> Discard for Disk<H, T, B> {
    /// # Errors
    /// Also [`ErrorKind::Device`] where [`can_discard`](Disk::can_discard) says no.
    async fn discard(&mut self, start: u64, count: u64) -> Result<(), ErrorKind> {
        let info = self.shape.info;
        match start.checked_add(count) {
            Some(end) if end <= info.sectors => {}
            _ => return Err(ErrorKind::OutOfRange),
        }
        if info.read_only {
            return Err(ErrorKind::ReadOnly);
        }
        self.idle().await?;
        if !self.can_discard() {
            return Err(ErrorKind::Device);
        }
        let (mut unit, mut left) = (start * self.per_sector(), count * self.per_sector());
        while left > 0 {
            let now = left.min(self.shape.most_discarded.into());
            // SAFETY: the device holds no request.
            if let Some(place) = unsafe { self.memory.bytes_mut(DATA_AT, RANGE) } {
                place.copy_from_slice(&range(unit, now as u32));
            }
            self.request(Kind::Discard, 0, RANGE).await?;
            unit += now;
            left -= now;
        }
        Ok(())
    }
}

impl<H: Hal, T: Transport, B: Bell> Drop for Disk<H, T, B> {
    fn drop(&mut self) {
        // Before the memory goes away.
        reset(&mut self.transport);
    }
}

impl<H: Hal, T: Transport, B: Bell> fmt::Debug for Disk<H, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disk")
    }
}
