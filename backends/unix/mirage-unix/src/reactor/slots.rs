//! Who waits for which descriptor.

use std::os::fd::AsFd;
use std::rc::Rc;
use std::task::Waker;

use super::Direction;

/// A descriptor's place, with a generation so that a late event does not reach the place's next owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl Token {
    /// No descriptor has it: it marks the interrupt.
    pub(super) const INTERRUPT: Self = Self { index: u32::MAX, generation: u32::MAX };
    /// No descriptor has it either: it marks the timer.
    #[cfg(target_os = "linux")]
    pub(super) const TIMER: Self = Self { index: u32::MAX, generation: 0 };

    pub(super) const fn to_bits(self) -> u64 {
        (self.index as u64) << 32 | self.generation as u64
    }

    pub(super) const fn from_bits(bits: u64) -> Self {
        Self { index: (bits >> 32) as u32, generation: bits as u32 }
    }
}

/// What became possible.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    pub(super) read: bool,
    pub(super) write: bool,
}

#[derive(Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    /// Indices of slots without a descriptor.
    free: Vec<u32>,
}

struct Slot {
    generation: u32,
    fd: Option<Rc<dyn AsFd>>,
    readers: Vec<Waker>,
    writers: Vec<Waker>,
}

impl Slot {
    fn wakers(&mut self, direction: Direction) -> &mut Vec<Waker> {
        match direction {
            Direction::Read => &mut self.readers,
            Direction::Write => &mut self.writers,
        }
    }
}

impl Slots {
    /// A place for `fd`.
    pub(super) fn insert(&mut self, fd: Rc<dyn AsFd>) -> Token {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, fd: None, readers: Vec::new(), writers: Vec::new() });
            // The kernel's limit on descriptors keeps this below 2^31.
            (self.slots.len() - 1) as u32
        });
        let slot = &mut self.slots[index as usize];
        slot.fd = Some(fd);
        Token { index, generation: slot.generation }
    }

    /// Empties the place and gives the wakers that waited back to the caller, to be dropped where nothing is borrowed.
    pub(super) fn remove(&mut self, token: Token) -> [Vec<Waker>; 2] {
        let Some(slot) = self.slot(token) else { return [Vec::new(), Vec::new()] };
        slot.fd = None;
        slot.generation = slot.generation.wrapping_add(1);
        let wakers = [core::mem::take(&mut slot.readers), core::mem::take(&mut slot.writers)];
        self.free.push(token.index);
        wakers
    }

    /// Keeps `waker` until the descriptor is ready; a waker of the same task is kept once.
    pub(super) fn keep(&mut self, token: Token, direction: Direction, waker: &Waker) {
        if !self.keeps(token, direction, waker)
            && let Some(slot) = self.slot(token)
        {
            slot.wakers(direction).push(waker.clone());
        }
    }

    /// Whether a waker of the same task is kept already: it was not taken since, so the descriptor has not become ready.
    pub(super) fn keeps(&mut self, token: Token, direction: Direction, waker: &Waker) -> bool {
        self.slot(token).is_some_and(|slot| slot.wakers(direction).iter().any(|kept| kept.will_wake(waker)))
    }

    /// Moves the wakers of those for whom `token` is now ready to `woken`.
    pub(super) fn take(&mut self, token: Token, ready: Ready, woken: &mut Vec<Waker>) {
        let Some(slot) = self.slot(token) else { return };
        if ready.read {
            woken.append(&mut slot.readers);
        }
        if ready.write {
            woken.append(&mut slot.writers);
        }
    }

    /// Every descriptor that somebody waits for, and what for.
    #[cfg(any(test, not(target_os = "linux")))]
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Token, &Rc<dyn AsFd>, Ready)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let ready = Ready { read: !slot.readers.is_empty(), write: !slot.writers.is_empty() };
            let token = Token { index: index as u32, generation: slot.generation };
            (ready.read || ready.write).then_some(())?;
            Some((token, slot.fd.as_ref()?, ready))
        })
    }

    fn slot(&mut self, token: Token) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(token.index as usize)?;
        (slot.generation == token.generation && slot.fd.is_some()).then_some(slot)
    }
}
