//! Runs images for spt: this process becomes the guest, confined; a network of its own needs no privileges.

mod cable;
mod gateway;
mod options;
mod run;

pub(crate) use gateway::main as gateway;
pub(crate) use options::{Disk, Net, Options};
pub(crate) use run::run;
