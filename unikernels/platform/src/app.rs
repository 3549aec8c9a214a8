//! What an application says about itself, so that every target can boot it.

use core::future::Future;

use mirage_stack::Stack;

use crate::tcpip::TcpIp;
use crate::{Argument, Arguments, BadArgument, Context, Device, Exit};

/// What `--help` and `--version` say.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The image's name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
}

/// An application: its name, its boot arguments and how it is made of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an application",
    note = "implement `App` and `Networked` or `Local`"
)]
pub trait App: Sized + 'static {
    /// What it is.
    const ABOUT: About;

    /// Its own boot arguments, beside those of the platform.
    const ARGUMENTS: &'static [Argument] = &[];

    /// The devices that it cannot do without, beside the network device of [`Networked`]. Bootable targets tell their
    /// tender; on Unix the platform's arguments name what stands for them.
    const DEVICES: &'static [Device] = &[];

    /// Whether there is a log. Without it nobody reads what is logged, and `--logs` is not known: for images that would never
    /// write a line of note. They are 2.8 KB smaller.
    const LOGS: bool = true;

    /// Makes the application; every value is checked here, before anything starts.
    ///
    /// # Errors
    /// The argument that makes no sense; the image ends with [`Exit::BAD_ARGUMENT`].
    fn new(arguments: &Arguments) -> Result<Self, BadArgument>;
}

/// An application without a network.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot run without a network", note = "implement `Local`")]
pub trait Local: App {
    /// Runs until it is done. A request to stop drops the future.
    fn run(self, context: Context) -> impl Future<Output = Exit>;
}

/// An application with a network. It is compiled once for each kind of stack that the target has.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot run with a network", note = "implement `Networked`")]
pub trait Networked: App {
    /// Where the host offers the application's services by default, as `--forward` takes it: `8080:80`, `udp:5353:53`.
    /// Only targets that have a host beside them use it.
    const FORWARDS: &'static [&'static str] = &[];

    /// Which TCP/IP stack of ours an image has: [`Whole`](crate::tcpip::Whole) for all there is, [`Tiny`](crate::tcpip::Tiny)
    /// where each byte counts. What it leaves out is not linked. An ordinary process always has all of it.
    type TcpIp: TcpIp;

    /// Runs until it is done. A request to stop drops the future.
    fn run<S: Stack + 'static>(self, stack: S, context: Context) -> impl Future<Output = Exit>;
}
