//! Running a stack as a task.

use core::convert::Infallible;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use mirage_clock::{Instant, Monotonic, Sleep};
use mirage_net::{Disconnected, Net};

use crate::Stack;

impl<N: Net> Stack<'_, N> {
    /// Moves frames for as long as the device lives. One task runs it; any number use the stack meanwhile.
    ///
    /// Cancel-safe: dropping the future stops the stack where it is, and it can be run again.
    ///
    /// # Errors
    /// [`Disconnected`] when the device is gone for good.
    pub async fn run(&self, clock: &impl Monotonic, sleep: &impl Sleep) -> Result<Infallible, Disconnected> {
        loop {
            let progress = poll_fn(|cx| Poll::Ready(self.poll(clock.now(), cx))).await?;
            let mut timer = pin!(sleep.sleep_until(progress.next.unwrap_or(Instant::MAX)));
            let mut first = true;
            // Any wake of this task ends the wait: the device, a handle or the timer.
            poll_fn(|cx| {
                if !core::mem::take(&mut first) {
                    return Poll::Ready(());
                }
                if progress.more {
                    // Other tasks run, then it goes on at once.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                timer.as_mut().poll(cx)
            })
            .await;
        }
    }
}
