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
            let mut first = true;
            if progress.more {
                // Let other tasks run, then come back at once.
                poll_fn(|cx| {
                    if !core::mem::take(&mut first) {
                        return Poll::Ready(());
                    }
                    cx.waker().wake_by_ref();
                    Poll::Pending
                })
                .await;
                continue;
            }
            let mut timer = pin!(sleep.sleep_until(progress.next.unwrap_or(Instant::MAX)));
            // Any wake of this task ends the wait: the device, a handle or the timer.
            poll_fn(|cx| {
                if core::mem::take(&mut first) && timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                Poll::Ready(())
            })
            .await;
        }
    }
}
