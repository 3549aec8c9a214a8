#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

extern crate alloc;

mod cable;
mod impairments;
mod network;
mod recorder;

pub use cable::{Cable, CableEnd, CableReceive, CableTransmit, cable};
pub use impairments::{Impairments, Loss};
pub use network::{
    Bounds, LaneCounts, Network, Node, NodeConfig, NodeId, NodeReceive, NodeTransmit, SwitchCounts, Way,
};
pub use recorder::{Recorder, SaveOnPanic};
