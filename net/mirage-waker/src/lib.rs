#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod lent;
mod list;
mod pool;
mod slot;

pub use lent::lent;
pub use list::WaitList;
pub use managed::ManagedSlice;
pub use pool::WakerPool;
pub use slot::Slot;
