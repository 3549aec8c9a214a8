//! Stopping when asked to.

use alloc::sync::Arc;
use core::future::poll_fn;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::Poll;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;

use mirage_unix::{Direction, Reactor, Registered};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// Hears SIGINT and SIGTERM. The first asks the image to stop; the second ends the process at once.
pub(super) struct Signals {
    rung: Registered<UnixStream>,
    last: Arc<AtomicUsize>,
}

impl Signals {
    pub(super) fn new(reactor: &Reactor) -> io::Result<Self> {
        let (bell, rung) = UnixStream::pair()?;
        rung.set_nonblocking(true)?;
        let last = Arc::new(AtomicUsize::new(0));
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // First, so that it finds the flag of an earlier signal and not its own. 128 + n is what a shell makes of it.
            flag::register_conditional_shutdown(signal, 128 + signal, asked.clone())?;
            flag::register(signal, asked.clone())?;
            flag::register_usize(signal, last.clone(), signal.unsigned_abs() as usize)?;
            low_level::pipe::register(signal, bell.try_clone()?)?;
        }
        Ok(Self { rung: Registered::new(reactor, rung)?, last })
    }

    /// The name of the first signal that comes.
    pub(super) async fn first(&self) -> &'static str {
        // Before the first wait: from then on the pipe wakes this task, which is woken for other reasons all the time.
        let mut waits = false;
        poll_fn(|cx| {
            // A signal is noted before it is written to the pipe, so a look at the note costs no system call.
            if waits && self.last.load(Ordering::SeqCst) == 0 {
                return Poll::Pending;
            }
            waits = true;
            // Whatever comes out of the pipe, even an error: the image was asked to stop.
            self.rung.poll_io(cx, Direction::Read, |mut rung| rung.read(&mut [0; 1])).map(drop)
        })
        .await;
        if self.last.load(Ordering::SeqCst) == SIGTERM.unsigned_abs() as usize { "SIGTERM" } else { "SIGINT" }
    }
}
