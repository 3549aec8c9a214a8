//! Runs tasks that were woken, and nobody else: a waker that is lost shows as a hang.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

type Task<'t> = Pin<Box<dyn Future<Output = ()> + 't>>;

/// What runs beside the test.
#[derive(Default)]
pub struct Background<'t>(Vec<Task<'t>>);

impl<'t> Background<'t> {
    /// The same with one more task. Its output does not matter.
    pub fn with<T>(mut self, task: impl Future<Output = T> + 't) -> Self {
        self.0.push(Box::pin(async { drop(task.await) }));
        self
    }
}

/// Runs `main` to its end, with `background` beside it. `wait` is called whenever nobody can run; it makes something
/// happen or panics.
pub fn run<T>(background: Background<'_>, main: impl Future<Output = T>, mut wait: impl FnMut()) -> T {
    let output = Rc::new(RefCell::new(None));
    let result = output.clone();
    let main: Task<'_> = Box::pin(async move {
        let output = main.await;
        *result.borrow_mut() = Some(output);
    });
    let tasks = std::iter::once(main).chain(background.0);
    let mut tasks: Vec<_> = tasks.map(|task| (Some(task), Arc::new(Woken(AtomicBool::new(true))))).collect();
    loop {
        let mut busy = false;
        for (task, woken) in &mut tasks {
            let Some(future) = task.as_mut().filter(|_| woken.0.swap(false, Ordering::Relaxed)) else { continue };
            busy = true;
            if future.as_mut().poll(&mut Context::from_waker(&Waker::from(woken.clone()))).is_ready() {
                *task = None;
            }
        }
        if let Some(output) = output.borrow_mut().take() {
            return output;
        }
        if !busy {
            wait();
        }
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
