//! What can be typed.

mod block;
mod forward;
mod launch;
mod net;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use block::Block;
pub(crate) use forward::Forward;
pub(crate) use launch::{Launch, Machine, Tender};
pub(crate) use net::{Attachment, Net};

/// Configures, builds and runs unikernels.
#[derive(Parser)]
#[command(name = "mirage", version)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Makes a new unikernel in a folder of its own.
    New(New),
    /// Remembers how an application is to be built and run.
    Configure(Configure),
    /// Builds an image into dist/.
    Build(Build),
    /// Builds an image if need be, and runs it.
    Run(Run),
    /// Tells what is in an image.
    Describe(Describe),
    /// Removes images, what was built for them, and what `configure` remembered.
    Clean(Clean),
    /// Turns the addresses of a panic into functions, files and lines.
    Symbolize(Symbolize),
}

#[derive(Args)]
pub(crate) struct New {
    /// The folder to make; its last part is the application's name.
    pub(crate) name: PathBuf,
    /// Take Mirage's crates from this checkout instead of the package registry.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) path_dependencies: Option<PathBuf>,
}

/// Which application.
#[derive(Args)]
pub(crate) struct Which {
    /// The application; the one of the current folder if not given.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) package: Option<String>,
}

#[derive(Args)]
pub(crate) struct Configure {
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) launch: Launch,
}

#[derive(Args)]
pub(crate) struct Build {
    #[command(flatten)]
    pub(crate) which: Which,
    /// What it boots on: unix, spt, hvt or virtio.
    #[arg(short, long)]
    pub(crate) target: Option<crate::target::Target>,
    /// Use exactly the dependencies of Cargo.lock, or fail.
    #[arg(long)]
    pub(crate) locked: bool,
}

#[derive(Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Run this image as it is, built or not by this tool; nothing is built and nothing remembered is looked at.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["package", "target", "locked"])]
    pub(crate) image: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) launch: Launch,
    /// Use exactly the dependencies of Cargo.lock, or fail.
    #[arg(long)]
    pub(crate) locked: bool,
}

#[derive(Args)]
pub(crate) struct Describe {
    /// An image, or the name of an application whose image is in dist/.
    pub(crate) image: Option<String>,
    /// For which target, if an application is named.
    #[arg(short, long)]
    pub(crate) target: Option<crate::target::Target>,
}

#[derive(Args)]
pub(crate) struct Clean {
    #[command(flatten)]
    pub(crate) which: Which,
}

#[derive(Args)]
pub(crate) struct Symbolize {
    /// An image, or the name of an application whose image is in dist/.
    pub(crate) image: String,
    /// For which target, if an application is named.
    #[arg(short, long)]
    pub(crate) target: Option<crate::target::Target>,
    /// Addresses like 0x101a3c; without any, text is read from standard input and given back with its addresses explained.
    pub(crate) addresses: Vec<String>,
}
