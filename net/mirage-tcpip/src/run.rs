//! Running a stack as a task.

use core::convert::Infallible;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use mirage_clock::{Instant, Monotonic, Sleep};
use mirage_net::{Disconnected, Net};
use mirage_tcp::Profile;

use crate::ingress::Came;
use crate::{Progress, Stack};

impl<N: Net, P: Profile> Stack<'_, N, P> {
    /// Moves frames for as long as the device lives. One task runs it; any number use the stack meanwhile.
    ///
    /// Cancel-safe: dropping the future stops the stack where it is, and it can be run again.
    ///
    /// # Errors
    /// [`Disconnected`] when the device is gone for good.
    pub async fn run(&self, clock: &impl Monotonic, sleep: &impl Sleep) -> Result<Infallible, Disconnected> {
        let take_in = || poll_fn(|cx| Poll::Ready(self.poll_ingress(clock.now(), cx)));
        let send_out = || poll_fn(|cx| Poll::Ready(self.poll_egress(clock.now(), cx)));
        // What the last sending said, when nothing was waited for since.
        let mut last = None::<Progress>;
        loop {
            let came = take_in().await?;
            let progress = match last.take() {
                Some(last) if came == Came::Nothing && !last.more => last,
                before => {
                    if came != Came::Nothing || before.is_some() {
                        // Whoever was waiting reads and writes before anything leaves: one segment then carries the
                        // answer, the acknowledgement and the window that reading has opened.
                        others_first().await;
                    }
                    let progress = send_out().await?;
                    if came != Came::Nothing || progress.more {
                        // The device may have told of more meanwhile, and tells once.
                        last = Some(progress);
                        continue;
                    }
                    progress
                }
            };
            let mut timer = pin!(sleep.sleep_until(progress.next.unwrap_or(Instant::MAX)));
            let mut first = true;
            // Any wake of this task ends the wait: the device, a handle or the timer.
            poll_fn(|cx| if core::mem::take(&mut first) { timer.as_mut().poll(cx) } else { Poll::Ready(()) }).await;
        }
    }
}

/// Lets every task run that can, then goes on.
async fn others_first() {
    let mut first = true;
    poll_fn(|cx| {
        if core::mem::take(&mut first) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}
