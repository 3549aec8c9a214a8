//! What a tender does for an image, whichever tender it is.

use core::fmt;

use crate::{Boot, Handle, ReadySet};

/// Why the host did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Nothing is there to read now, or no room to write: try again later.
    Again,
    /// There is no such device, or the request does not fit it; nothing was done.
    Invalid,
    /// The host's own device failed.
    Unspecified,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Again => "not now",
            Self::Invalid => "no such device, or the request does not fit it",
            Self::Unspecified => "the host's device failed",
        })
    }
}

impl core::error::Error for Error {}

/// A Solo5 target, as an image sees it: version 2 of the interface.
///
/// Functions and no values: an image runs on one target, and a device that asked for its target by reference would
/// carry a pointer to nothing. Tests have targets of their own.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a Solo5 target", note = "targets: `Spt`, `Hvt`")]
pub trait Abi: Copy + Default + fmt::Debug + 'static {
    /// Takes over from the tender: keeps what later calls need and says what the image was started with.
    ///
    /// # Safety
    /// `info` is what the tender gave to the entry point of this image. To be called once, before everything else.
    unsafe fn start(info: *const u8) -> Boot;

    /// Nanoseconds since some start; never goes back.
    fn monotonic() -> u64;

    /// Nanoseconds since 1970-01-01 00:00:00 UTC, or `None` where the host has no such clock. The host is asked each
    /// time, so it is right at once after a suspension.
    fn wall() -> Option<u64>;

    /// Writes to the console. What the host does not take is lost.
    fn write(bytes: &[u8]);

    /// Waits until a network device has a frame or the monotonic clock shows `deadline`, in nanoseconds. One that has
    /// passed only looks; 0 does so without asking for the time.
    fn poll(deadline: u64) -> ReadySet;

    /// Sends one frame.
    ///
    /// # Errors
    /// All; after [`Error::Unspecified`] the frame is lost.
    fn net_write(handle: Handle, frame: &[u8]) -> Result<(), Error>;

    /// Receives one frame and says how long it is; what is longer than `buffer` is cut.
    ///
    /// # Errors
    /// All; [`Error::Unspecified`] when the device is gone.
    fn net_read(handle: Handle, buffer: &mut [u8]) -> Result<usize, Error>;

    /// Reads one block, `offset` bytes from the start of the device.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `buffer` is not one block, or `offset` not at the start of one;
    /// [`Error::Unspecified`].
    fn block_read(handle: Handle, offset: u64, buffer: &mut [u8]) -> Result<(), Error>;

    /// Writes one block, `offset` bytes from the start of the device.
    ///
    /// # Errors
    /// Those of [`block_read`](Self::block_read).
    fn block_write(handle: Handle, offset: u64, data: &[u8]) -> Result<(), Error>;

    /// Ends the machine; `code` is the exit code of the tender.
    fn exit(code: u8) -> !;

    /// Ends the machine after a failure of its own: the exit code is 255.
    fn abort() -> ! {
        Self::exit(ABORT)
    }
}

/// The exit code of a tender whose guest gave up.
const ABORT: u8 = 255;
