//! The devices of the machine.

mod slot;

pub(crate) use slot::Slot;
