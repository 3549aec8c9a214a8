//! One group that we are in, or are leaving.

use core::net::Ipv4Addr;

use mirage_clock::Instant;

/// Room for one group.
#[derive(Clone, Copy, Debug)]
pub struct GroupSlot {
    pub(crate) group: Ipv4Addr,
    /// How many joined; 0 for one that we are leaving, or for a free slot.
    pub(crate) users: u32,
    /// What is still to be said of it.
    pub(crate) saying: Saying,
    /// How often it is to be said again after the next time.
    pub(crate) repeats: u8,
    /// When to say it; at once where that is past.
    pub(crate) due: Instant,
}

/// What routers are to hear of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saying {
    Nothing,
    /// We are in it now.
    Joined,
    /// We are in it, since you ask.
    Present,
    /// We are in it no more.
    Left,
}

impl GroupSlot {
    /// A slot as it is lent.
    pub const EMPTY: Self =
        Self { group: Ipv4Addr::UNSPECIFIED, users: 0, saying: Saying::Nothing, repeats: 0, due: Instant::MAX };

    pub(crate) fn is_free(&self) -> bool {
        self.users == 0 && self.saying == Saying::Nothing
    }

    /// Says something from now on, instead of whatever was to be said.
    pub(crate) fn say(&mut self, saying: Saying, repeats: u8, due: Instant) {
        (self.saying, self.repeats, self.due) = (saying, repeats, due);
    }

    /// Has nothing more to say.
    pub(crate) fn be_silent(&mut self) {
        self.say(Saying::Nothing, 0, Instant::MAX);
    }
}
