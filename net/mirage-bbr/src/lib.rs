#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

mod aggregation;
mod bandwidth;
mod bbr;
mod control;
mod full_pipe;
mod loss;
mod min_rtt;
mod probe_bw;
mod probe_rtt;
mod sample;
mod startup;
mod state;
mod undo;

pub use bbr::Bbr;
