//! Many writes by one system call (`io_uring(7)`).
//!
//! Whoever a frame is for is woken by its `write` and runs before the next is written; behind one call all frames have come
//! before it runs. That saves more than the calls themselves.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use io_uring::squeue::Entry;
use io_uring::{IoUring, Probe, opcode, types};
use rustix::io::{Errno, ReadWriteFlags};

/// Most writes in one call.
const BATCH: usize = 64;

/// A ring, as long as the kernel has one for us. Where it has none the caller makes one call for each frame.
pub(crate) struct Ring {
    ring: Option<Registered>,
    outcomes: [Outcome; BATCH],
}

/// What came of a write, as the kernel says it: bytes, or an error below zero.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome(i32);

impl Outcome {
    pub(crate) fn bytes(self) -> Result<usize, Errno> {
        usize::try_from(self.0).map_err(|_| Errno::from_raw_os_error(-self.0))
    }
}

impl Ring {
    /// A ring for `fd`; none where the kernel is older than 5.6 or forbids it (`kernel.io_uring_disabled`, a filter).
    pub(crate) fn new(fd: BorrowedFd<'_>) -> Self {
        let ring = IoUring::new(BATCH as u32).ok().filter(|ring| {
            let mut probe = Probe::new();
            let asked = ring.submitter().register_probe(&mut probe).is_ok();
            asked
                && probe.is_supported(opcode::Write::CODE)
                && ring.submitter().register_files(&[fd.as_raw_fd()]).is_ok()
        });
        Self { ring: ring.map(Registered), outcomes: [Outcome::default(); BATCH] }
    }

    /// Writes each of `frames`, up to [`BATCH`], and says what came of each, in their order. Nothing waits: what would is
    /// [`Errno::AGAIN`]. No outcomes: there is no ring any more, and nothing was written.
    pub(crate) fn write<'f>(&mut self, frames: impl Iterator<Item = &'f [u8]>) -> &[Outcome] {
        let entry =
            |frame: &[u8]| opcode::Write::new(THE_FD, frame.as_ptr(), frame.len() as u32).rw_flags(NO_WAIT).build();
        self.run(frames.map(entry))
    }

    /// Has the kernel do what `entries` say, and waits until it is done.
    fn run(&mut self, entries: impl Iterator<Item = Entry>) -> &[Outcome] {
        let Some(Registered(ring)) = &mut self.ring else { return &[] };
        let done = finish(ring, entries, &mut self.outcomes).unwrap_or_default();
        let outcomes = self.outcomes.get(..done).unwrap_or_default();
        // An old kernel whose tap devices cannot promise not to wait.
        let refused = outcomes.first().is_some_and(|outcome| outcome.bytes() == Err(Errno::OPNOTSUPP));
        if outcomes.is_empty() || refused {
            self.ring = None;
            return &[];
        }
        outcomes
    }
}

/// Hands over `entries` and waits for all of them. `None` when the ring is of no more use; nothing is under way then.
fn finish(ring: &mut IoUring, entries: impl Iterator<Item = Entry>, outcomes: &mut [Outcome; BATCH]) -> Option<usize> {
    let mut pushed = 0;
    let mut submission = ring.submission();
    for entry in entries.take(BATCH) {
        // SAFETY: the kernel uses the memory that `entry` names until it has completed. That memory is borrowed by the
        // iterator of `write` for longer than this function runs, which returns only when everything that the kernel has
        // taken is completed. What it has not taken it cannot reach any more: the caller drops the ring then.
        if unsafe { submission.push(&entry.user_data(pushed as u64)) }.is_err() {
            break;
        }
        pushed += 1;
    }
    drop(submission);
    let mut completed = 0;
    while completed < pushed {
        let outcome = ring.submit_and_wait(pushed - completed);
        for completion in ring.completion() {
            if let Some(outcome) = outcomes.get_mut(completion.user_data() as usize) {
                *outcome = Outcome(completion.result());
            }
            completed += 1;
        }
        if let Err(error) = outcome
            && !matches!(
                error.kind(),
                io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock | io::ErrorKind::ResourceBusy
            )
            && pushed - ring.submission().len() == completed
        {
            return None;
        }
    }
    Some(pushed)
}

/// A ring that knows one descriptor.
struct Registered(IoUring);

impl Drop for Registered {
    /// The kernel takes a ring apart later than it says. The device shall be closed as soon as its descriptor is.
    fn drop(&mut self) {
        // Refused only when there is none.
        let _ = self.0.submitter().unregister_files();
    }
}

/// The only descriptor that the ring knows.
const THE_FD: types::Fixed = types::Fixed(0);
/// The kernel does it at once, in order, or says that it would have to wait.
const NO_WAIT: i32 = ReadWriteFlags::NOWAIT.bits() as i32;

impl core::fmt::Debug for Ring {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Ring").field("is_there", &self.ring.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_is_written_comes_in_order_and_what_would_wait_is_not_written() {
        let (near, mut far) = UnixStream::pair().expect("a pair");
        let mut ring = Ring::new(near.as_fd());
        if ring.ring.is_none() {
            eprintln!("skipped: no io_uring here");
            return;
        }
        let frames: Vec<[u8; 3]> = (0..100).map(|number| [number; 3]).collect();
        let written = ring.write(frames.iter().map(|frame| &frame[..]));
        assert_eq!(written.iter().map(|outcome| outcome.bytes()).collect::<Vec<_>>(), [Ok(3); BATCH]);
        let mut came = [0; BATCH * 3];
        far.read_exact(&mut came).expect("all came");
        assert_eq!(came, *frames[..BATCH].as_flattened());
        let block = [0; 1 << 20];
        let outcomes = ring.write([&block[..]; 3].into_iter());
        assert_eq!(outcomes.last().map(|outcome| outcome.bytes()), Some(Err(Errno::AGAIN)));
    }

    #[test]
    fn a_descriptor_that_was_closed_at_the_other_end_says_so() {
        let (near, far) = UnixStream::pair().expect("a pair");
        drop(far);
        let mut ring = Ring::new(near.as_fd());
        let written = ring.write([&b"x"[..]].into_iter());
        assert!(written.iter().all(|outcome| outcome.bytes() == Err(Errno::PIPE)));
    }

    #[test]
    fn without_a_ring_nothing_is_written() {
        let mut ring = Ring { ring: None, outcomes: [Outcome(1); BATCH] };
        assert!(ring.write([&b"x"[..]].into_iter()).is_empty());
    }
}
