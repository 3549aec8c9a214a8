//! Received bytes that stay in the device's frame until they are read.

use core::marker::PhantomData;

use mirage_clock::Instant;
use mirage_net::{FrameId, FrameSet, Receive};
use mirage_protocols::Received;
use zerocopy::FromZeros;

use crate::{Discard, Profile, Tcp};

/// A device that keeps frames.
pub trait Keeper {
    /// The bytes of a frame that is kept.
    fn kept(&self, frame: FrameId) -> &[u8];
}

impl<R: Receive> Keeper for R {
    #[inline]
    fn kept(&self, frame: FrameId) -> &[u8] {
        Receive::kept(self, frame)
    }
}

/// The way to a device that keeps frames, for who has it only at times.
pub trait Frames {
    /// Calls `visit` with the device, once.
    fn visit(&self, visit: &mut dyn FnMut(&dyn Keeper));
}

/// There is none.
pub(crate) struct NoFrames;

impl Frames for NoFrames {
    fn visit(&self, _: &mut dyn FnMut(&dyn Keeper)) {}
}

/// Those of `F` where the profile's machine ever leaves anything in frames: for others no code is made that looks for it.
pub(crate) struct FramesOf<'f, P, F: ?Sized>(&'f F, PhantomData<P>);

impl<'f, P: Profile, F: Frames + ?Sized> FramesOf<'f, P, F> {
    #[inline]
    pub(crate) fn new(frames: &'f F) -> Self {
        Self(frames, PhantomData)
    }
}

impl<P: Profile, F: Frames + ?Sized> Frames for FramesOf<'_, P, F> {
    #[inline]
    fn visit(&self, visit: &mut dyn FnMut(&dyn Keeper)) {
        if P::STRAIGHT {
            self.0.visit(visit);
        }
    }
}

/// Where a segment lies that may stay there: see [`Tcp::input_in_frame`](crate::Tcp::input_in_frame).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFrame {
    /// The frame.
    pub frame: FrameId,
    /// How many bytes before the segment's first there are in it.
    pub offset: u16,
}

impl InFrame {
    /// `count` bytes further on; `None` where a frame is too long for that.
    #[inline]
    pub(crate) fn behind(self, count: usize) -> Option<Self> {
        Some(Self { offset: self.offset.checked_add(u16::try_from(count).ok()?)?, ..self })
    }
}

/// Bytes of a block that are not in it yet: they lie in a frame, and their place in the block is free.
#[derive(Clone, Copy, Debug, FromZeros)]
pub(crate) struct Piece {
    /// The frame's number and one more; 0 if there is no such piece.
    number: u8,
    /// Whether the frame holds no piece behind this one.
    is_last: bool,
    /// Where it begins in the frame.
    offset: u16,
    /// Where it begins in the block.
    at: u16,
    len: u16,
}

impl Piece {
    pub(crate) const NONE: Self = Self { number: 0, is_last: false, offset: 0, at: 0, len: 0 };

    fn frame(&self) -> Option<FrameId> {
        FrameId::new(self.number.checked_sub(1)?)
    }

    /// Its bytes; `None` from a device that has lost them.
    #[inline]
    pub(crate) fn bytes<'d>(&self, device: &'d dyn Keeper) -> Option<&'d [u8]> {
        device.kept(self.frame()?).get(self.offset.into()..)?.get(..self.len.into())
    }
}

/// The pieces of a block that lie in frames, in order.
#[derive(Clone, Copy, Debug, FromZeros)]
pub(crate) struct Pieces([Piece; 2]);

/// What is at the front of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// So many bytes in the block.
    Here { len: usize },
    /// So many in a frame, from `offset` on.
    InFrame { frame: FrameId, offset: usize, len: usize },
}

/// A piece that is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) frame: FrameId,
    /// Whether its frame is, too.
    pub(crate) is_last: bool,
}

impl Pieces {
    pub(crate) const NONE: Self = Self([Piece::NONE; 2]);

    /// Whether there are none.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0[0].number == 0
    }

    /// Whether another one can be noted.
    #[inline]
    pub(crate) fn have_room(&self) -> bool {
        self.0[1].number == 0
    }

    /// Notes `len` bytes from place `at` of the block on; there is room for that.
    #[inline]
    pub(crate) fn push(&mut self, place: InFrame, at: u16, len: u16, is_last: bool) {
        let piece = Piece { number: place.frame.number() + 1, is_last, offset: place.offset, at, len };
        let [first, second] = &mut self.0;
        *(if first.number == 0 { first } else { second }) = piece;
    }

    /// What begins at place `start` of the block, which holds bytes up to place `end`.
    pub(crate) fn front(&self, start: u16, end: u16) -> Front {
        let piece = &self.0[0];
        match piece.frame() {
            Some(frame) if start >= piece.at => {
                let skip = start - piece.at;
                let offset = usize::from(piece.offset) + usize::from(skip);
                Front::InFrame { frame, offset, len: usize::from(piece.len.saturating_sub(skip)) }
            }
            Some(_) => Front::Here { len: usize::from(piece.at - start) },
            None => Front::Here { len: usize::from(end - start) },
        }
    }

    /// The piece that begins at place `start` of the block.
    #[inline]
    pub(crate) fn at_front(&self, start: u16) -> Option<Piece> {
        let piece = self.0[0];
        (piece.number > 0 && piece.at == start).then_some(piece)
    }

    /// Takes the first piece out.
    #[inline]
    pub(crate) fn take_front(&mut self) -> Option<Used> {
        let [piece, second] = self.0;
        self.0 = [second, Piece::NONE];
        Some(Used { frame: piece.frame()?, is_last: piece.is_last })
    }

    /// The block now begins at place `start`: the first piece, if nothing is left of it.
    pub(crate) fn used_up_to(&mut self, start: u16) -> Option<Used> {
        let piece = self.0[0];
        if start < piece.at + piece.len { None } else { self.take_front() }
    }

    /// Takes the piece out that lies in `frame`: where it begins there and in the block, its length, and whether it is the last.
    pub(crate) fn take(&mut self, frame: FrameId) -> Option<(usize, usize, usize, bool)> {
        let place = self.0.iter().position(|piece| piece.frame() == Some(frame))?;
        let piece = self.0[place];
        self.0 = if place == 0 { [self.0[1], Piece::NONE] } else { [self.0[0], Piece::NONE] };
        Some((piece.offset.into(), piece.at.into(), piece.len.into(), piece.is_last))
    }

    /// Takes all out.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = Used> + use<> {
        let pieces = core::mem::replace(self, Self::NONE);
        pieces.0.into_iter().filter_map(|piece| Some(Used { frame: piece.frame()?, is_last: piece.is_last }))
    }
}

/// The frames that are kept for us.
#[derive(Debug)]
pub(crate) struct Keeping {
    /// All of them.
    pub(crate) frames: FrameSet,
    /// Those with pieces that nobody has read.
    pub(crate) unread: FrameSet,
    /// The block with the first piece of each.
    pub(crate) blocks: [u32; FrameId::COUNT],
    /// Where the segment lies that is being taken in, if it may stay there.
    pub(crate) offered: Option<InFrame>,
    /// How many segments are copied at once, because what was kept before was not read in time.
    pub(crate) pause: u8,
}

/// After frames that were not read in time so many segments are copied at once: the bytes are gone through twice otherwise.
pub(crate) const PAUSE: u8 = 64;

impl Keeping {
    pub(crate) const NONE: Self = Self {
        frames: FrameSet::EMPTY,
        unread: FrameSet::EMPTY,
        blocks: [crate::pool::NONE; FrameId::COUNT],
        offered: None,
        pause: 0,
    };

    /// Whether the next segment may stay in its frame.
    #[inline(always)]
    pub(crate) fn may_keep(&mut self) -> bool {
        if self.pause > 0 {
            self.pause -= 1;
        }
        self.pause == 0
    }

    /// The first piece of `frame` is in `block`.
    #[inline]
    pub(crate) fn keep(&mut self, frame: FrameId, block: u32) {
        self.frames.insert(frame);
        self.unread.insert(frame);
        self.begins(frame, block);
    }

    /// A piece is used up, and what is left of its frame begins in block `next`.
    pub(crate) fn used(&mut self, used: Used, next: u32) {
        match used.is_last {
            true => self.unread.remove(used.frame),
            false => self.begins(used.frame, next),
        }
    }

    /// The first piece of `frame` that is left is in `block`.
    #[inline]
    pub(crate) fn begins(&mut self, frame: FrameId, block: u32) {
        if let Some(place) = self.blocks.get_mut(usize::from(frame.number())) {
            *place = block;
        }
    }
}

impl<P: Profile> Tcp<'_, P> {
    /// Takes a segment in as [`input`](Self::input) does. Its bytes may stay at their `place`, and then [the frame is
    /// kept](Self::keeps): its device must keep it until [`fetch_kept`](Self::fetch_kept) gives it back, and meanwhile
    /// connections are read by the methods that are told of frames.
    ///
    /// # Errors
    /// Those of [`input`](Self::input).
    #[inline]
    pub fn input_in_frame(
        &mut self,
        now: Instant,
        received: &Received<'_>,
        place: Option<InFrame>,
    ) -> Result<(), Discard> {
        self.resources.pool.keeping.offered = place.filter(|_| P::STRAIGHT);
        let result = self.input(now, received);
        self.resources.pool.keeping.offered = None;
        result
    }

    /// Whether bytes stay in `frame`.
    #[inline]
    pub fn keeps(&self, frame: FrameId) -> bool {
        P::STRAIGHT && self.resources.pool.keeping.frames.contains(frame)
    }

    /// Whether bytes stay in any frame.
    #[inline]
    pub fn keeps_any(&self) -> bool {
        P::STRAIGHT && !self.resources.pool.keeping.frames.is_empty()
    }

    /// Takes what nobody has read yet out of the frames that `device` keeps, and gives those that are not needed any more: all.
    /// To be called before the device is asked for more.
    #[inline(never)]
    pub fn fetch_kept(&mut self, device: &impl Keeper) -> FrameSet {
        self.resources.pool.fetch(device)
    }
}
