//! How an application names what it holds.

/// A connection. It carries a generation: once the connection is closed, its identifier names nothing any more, even
/// when the slot is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// A listener; it carries a generation as a [`ConnectionId`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenerId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// No index: the end of a list.
pub(crate) const NONE: u32 = u32::MAX;
