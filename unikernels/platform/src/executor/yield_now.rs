//! Letting others go first.

use core::future::poll_fn;
use core::task::Poll;

/// Lets every other task that can go on do so first.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if core::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
