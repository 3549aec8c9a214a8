//! What this project asks of itself, as `cargo ci …`.

#![allow(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "a program for people's machines: std is all it knows"
)]

mod bench;
mod boot;
mod check;
mod command;
mod floors;
mod fuzz;
mod kernel;
mod links;
mod no_std;
mod package;
mod packetdrill;
mod size;
mod tally;
mod test;
mod tools;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks, tests, benchmarks, fuzzes and packages the workspace.
#[derive(Parser)]
#[command(name = "cargo ci")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Formatting, clippy, documentation and its links, the floor rule, and that `no_std` crates are free of std.
    Check,
    /// Every test: unit, documentation, conformance, simulation, property, of images that boot, and against the Linux
    /// kernel (as root).
    Test {
        /// Only the tests against the Linux kernel whose name contains this.
        #[arg(long)]
        kernel: Option<String>,
        /// Only the tests of images that boot whose name contains this.
        #[arg(long)]
        boot: Option<String>,
    },
    /// A benchmark, or the list of them without a name.
    Bench {
        /// Which one.
        name: Option<String>,
    },
    /// A fuzz target, or the list of them without a name. Needs a nightly toolchain and cargo-fuzz.
    Fuzz {
        /// Which one; `all` for one after the other.
        name: Option<String>,
        /// How long, in seconds.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Builds every publishable crate from its package alone.
    Package,
    /// packetdrill's scripts against our TCP (as root). Both packetdrill and its scripts are built and kept elsewhere.
    Packetdrill {
        /// The program.
        #[arg(long)]
        bin: Option<PathBuf>,
        /// A folder of scripts; those below it are run.
        #[arg(long)]
        scripts: Option<PathBuf>,
        /// Shows the first error of each that failed.
        #[arg(long)]
        verbose: bool,
        /// Runs those on the exclusion list too.
        #[arg(long)]
        all: bool,
    },
    /// Builds every image for every target: bytes of the file and its parts, and the least memory it runs in (as root).
    Size,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Check => check::run(),
        Task::Test { kernel, boot } => test::run(kernel.as_deref(), boot.as_deref()),
        Task::Bench { name } => bench::run(name.as_deref()),
        Task::Fuzz { name, seconds } => fuzz::run(name.as_deref(), seconds),
        Task::Package => package::run(),
        Task::Packetdrill { bin, scripts, verbose, all } => {
            packetdrill::run(&packetdrill::Request { bin, scripts, verbose, all })
        }
        Task::Size => size::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("cargo ci: {reason}");
            ExitCode::FAILURE
        }
    }
}
