#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod list;
mod pool;
mod slot;

pub use list::WaitList;
pub use managed::ManagedSlice;
pub use pool::WakerPool;
pub use slot::Slot;
