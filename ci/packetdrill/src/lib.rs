#![doc = include_str!("../README.md")]
#![allow(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "a shared object for people's machines: std is all it knows"
)]

mod calls;
mod errno;
mod interface;
mod memory;
mod profile;
mod socket;
mod stack;
mod tcp_info;
mod wire;
mod world;
