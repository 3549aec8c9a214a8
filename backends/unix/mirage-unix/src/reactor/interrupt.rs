//! Ending a wait from outside its thread.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Ends a [`Reactor`](crate::Reactor)'s wait from another thread. Clones are the same interrupt.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// One of the three below.
    state: AtomicU8,
    bell: UnixStream,
}

/// The reactor's thread is at work and will look at its queues before it waits.
const AWAKE: u8 = 0;
/// It waits, or is about to.
const ASLEEP: u8 = 1;
/// It waits and the bell was rung.
const RUNG: u8 = 2;

impl Interrupt {
    /// An interrupt and the end that becomes readable when it is used.
    pub(super) fn pair() -> io::Result<(Self, UnixStream)> {
        let (bell, heard) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        heard.set_nonblocking(true)?;
        Ok((Self(Arc::new(Shared { state: AtomicU8::new(AWAKE), bell })), heard))
    }

    /// Ends the wait that goes on now, if one does. Costs one atomic operation otherwise: what was put into a queue
    /// before is seen by the reactor's thread before it waits (see
    /// [`wait_while`](crate::Reactor::wait_while)).
    pub fn interrupt(&self) {
        let Shared { state, bell } = &*self.0;
        if state.compare_exchange(ASLEEP, RUNG, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            // The socket holds at most this one byte, so there is room; and without its other end nobody waits.
            let _ = (&*bell).write(&[1]);
        }
    }

    pub(super) fn arm(&self) {
        self.0.state.store(ASLEEP, Ordering::SeqCst);
    }

    /// Whether the bell was rung since [`arm`](Self::arm).
    pub(super) fn disarm(&self) -> bool {
        self.0.state.swap(AWAKE, Ordering::SeqCst) == RUNG
    }
}

/// Takes the byte out of the bell.
///
/// The ringer may not have written it yet: then it ends the next wait early, which is harmless.
pub(super) fn drain(mut heard: &UnixStream) {
    let _ = heard.read(&mut [0; 8]);
}
