//! A simulated path, and senders on it whose only judgement is their controller's: the exam for controllers.
//!
//! One bottleneck with a queue that drops what does not fit, and losses at random besides. A sender knows exactly what arrived
//! (as if every acknowledgement carried any number of blocks), finds losses by RACK and tail loss probes, measures delivery
//! rates, shares out the window by Proportional Rate Reduction where the controller wants it, and paces. Nothing depends on
//! anything but the arguments: a run is repeatable to the byte.

mod link;
mod path;
mod random;
mod receiver;
mod reduction;
mod sender;
mod simulation;
mod transmission;

pub use path::Path;
pub use sender::{Demand, Point, Sender};
pub use simulation::Simulation;
