//! A disk in memory that can lose its power.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::noise::Noise;
use crate::{Block, Discard, ErrorKind, ErrorType, Flush, Info};

/// A disk in memory, full of zeros at first, that loses what was not flushed when its power goes.
///
/// Clones are the same disk, so a test keeps one and gives the other to what it tests. Of each sector that was written
/// since the last flush a coin decides, seeded by [`set_seed`](Self::set_seed), which of its versions survives: a write
/// of several sectors is torn, a later write may survive an earlier one, and a sector is never torn within itself.
///
/// It holds twice its size in memory. Discarded sectors read as `0xd5` until they are written again.
///
/// ```
/// # use core::{future::Future, pin::pin, task::{Context, Poll, Waker}};
/// # fn block_on<T>(future: impl Future<Output = T>) -> T {
/// #     let Poll::Ready(value) = pin!(future).poll(&mut Context::from_waker(Waker::noop())) else { panic!() };
/// #     value
/// # }
/// use mirage_block::{Block, ErrorKind, Flush, testing::FakeDisk};
///
/// let mut disk = FakeDisk::new(512, 8);
/// block_on(disk.write(3, &[1; 512]))?;
/// block_on(disk.flush())?;
/// block_on(disk.write(3, &[2; 512]))?;
/// disk.cut_power();
/// let mut sector = [0; 512];
/// assert_eq!(block_on(disk.read(3, &mut sector)), Err(ErrorKind::Disconnected));
/// disk.restore_power();
/// block_on(disk.read(3, &mut sector))?;
/// assert!(sector == [1; 512] || sector == [2; 512]);
/// # Ok::<(), ErrorKind>(())
/// ```
#[derive(Clone, Debug)]
pub struct FakeDisk {
    state: Rc<RefCell<State>>,
}

#[derive(Debug)]
struct State {
    info: Info,
    /// What is read.
    current: Vec<u8>,
    /// What is there after the power came back. Invariant: equal to `current` after a flush.
    survives: Vec<u8>,
    coins: Noise,
    powered: bool,
    /// How many sectors may still be written before the power goes.
    left: Option<u64>,
}

impl FakeDisk {
    /// A disk of `sectors` sectors of `sector_size` bytes.
    ///
    /// # Panics
    /// When `sector_size` is not a power of two or below 512, and when the disk fits no memory.
    pub fn new(sector_size: u32, sectors: u64) -> Self {
        assert!(
            sector_size.is_power_of_two() && sector_size >= 512,
            "a sector is a power of two of at least 512 bytes"
        );
        let bytes = usize::try_from(sectors).ok().and_then(|sectors| sectors.checked_mul(sector_size as usize));
        let bytes = bytes.expect("a disk in memory fits the memory");
        Self {
            state: Rc::new(RefCell::new(State {
                info: Info { sector_size, sectors, read_only: false },
                current: vec![0; bytes],
                survives: vec![0; bytes],
                coins: Noise::new(0),
                powered: true,
                left: None,
            })),
        }
    }

    /// Makes the disk refuse writes, or take them again.
    pub fn set_read_only(&self, read_only: bool) {
        self.state.borrow_mut().info.read_only = read_only;
    }

    /// Sets how the coins fall from now on.
    pub fn set_seed(&self, seed: u64) {
        self.state.borrow_mut().coins = Noise::new(seed);
    }

    /// Takes the power away: every request says [`ErrorKind::Disconnected`] until [`restore_power`](Self::restore_power).
    pub fn cut_power(&self) {
        self.state.borrow_mut().cut_power();
    }

    /// Takes the power away when `sectors` more sectors were written, be it in the midst of a request.
    ///
    /// A test that runs once for each number cuts its store at every write.
    pub fn cut_power_after(&self, sectors: u64) {
        self.state.borrow_mut().left = Some(sectors);
    }

    /// Gives the power back: the disk holds what survived.
    pub fn restore_power(&self) {
        let mut state = self.state.borrow_mut();
        state.powered = true;
        state.left = None;
    }

    /// Whether the disk has power.
    pub fn is_powered(&self) -> bool {
        self.state.borrow().powered
    }
}

impl State {
    fn cut_power(&mut self) {
        self.current.clone_from(&self.survives);
        self.powered = false;
    }

    fn powered(&self) -> Result<(), ErrorKind> {
        if self.powered { Ok(()) } else { Err(ErrorKind::Disconnected) }
    }

    fn writable(&self) -> Result<(), ErrorKind> {
        if self.info.read_only { Err(ErrorKind::ReadOnly) } else { Ok(()) }
    }

    /// Where a sector that was checked begins.
    fn offset(&self, sector: u64) -> usize {
        usize::try_from(sector).expect("a sector of a disk in memory is in memory") * self.info.sector_size as usize
    }

    fn write_sector(&mut self, sector: u64, data: &[u8]) -> Result<(), ErrorKind> {
        if self.left == Some(0) {
            self.cut_power();
            return Err(ErrorKind::Disconnected);
        }
        self.left = self.left.map(|left| left - 1);
        let place = self.offset(sector)..self.offset(sector) + data.len();
        self.current[place.clone()].copy_from_slice(data);
        if self.coins.coin() {
            self.survives[place].copy_from_slice(data);
        }
        Ok(())
    }
}

impl ErrorType for FakeDisk {
    type Error = ErrorKind;
}

impl Block for FakeDisk {
    fn info(&self) -> Info {
        self.state.borrow().info
    }

    async fn read(&mut self, start: u64, buffer: &mut [u8]) -> Result<(), ErrorKind> {
        let state = self.state.borrow();
        state.powered()?;
        state.info.check(start, buffer.len())?;
        let offset = state.offset(start);
        buffer.copy_from_slice(&state.current[offset..offset + buffer.len()]);
        Ok(())
    }

    async fn write(&mut self, start: u64, data: &[u8]) -> Result<(), ErrorKind> {
        let mut state = self.state.borrow_mut();
        state.powered()?;
        state.writable()?;
        state.info.check(start, data.len())?;
        let size = state.info.sector_size as usize;
        (start..).zip(data.chunks(size)).try_for_each(|(sector, data)| state.write_sector(sector, data))
    }
}

impl Flush for FakeDisk {
    async fn flush(&mut self) -> Result<(), ErrorKind> {
        let mut state = self.state.borrow_mut();
        state.powered()?;
        let State { current, survives, .. } = &mut *state;
        survives.clone_from(current);
        Ok(())
    }
}

impl Discard for FakeDisk {
    async fn discard(&mut self, start: u64, count: u64) -> Result<(), ErrorKind> {
        let mut state = self.state.borrow_mut();
        state.powered()?;
        state.writable()?;
        state.info.check_sectors(start, count)?;
        let place = state.offset(start)..state.offset(start + count);
        state.current[place.clone()].fill(DISCARDED);
        state.survives[place].fill(DISCARDED);
        Ok(())
    }
}

/// What a discarded sector is full of: who counts on zeros, or on the old bytes, is found out.
const DISCARDED: u8 = 0xd5;
