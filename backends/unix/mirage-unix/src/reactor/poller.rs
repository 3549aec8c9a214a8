//! The system call that waits: epoll where there is one, `poll` elsewhere.

#[cfg(target_os = "linux")]
mod epoll;
#[cfg(any(test, not(target_os = "linux")))]
mod poll;

#[cfg(target_os = "linux")]
pub(super) use epoll::Poller;
#[cfg(not(target_os = "linux"))]
pub(super) use poll::Poller;

use mirage_clock::Instant;

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// Only look.
    Now,
    /// Until a descriptor is ready, at the latest until then.
    Time(Instant),
    /// Until a descriptor is ready.
    Ready,
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::rc::Rc;
    use std::task::Waker;

    use super::super::{Direction, Slots, interrupt::Interrupt};

    /// The same walk for both: what one finds, the other must find.
    macro_rules! walk {
        ($poller:ty) => {{
            let (_interrupt, heard) = Interrupt::pair().expect("a pair of sockets");
            let poller = <$poller>::new(&heard).expect("a poller");
            let slots = RefCell::new(Slots::default());
            let (near, mut far) = UnixStream::pair().expect("a pair of sockets");
            near.set_nonblocking(true).expect("non-blocking");
            let near = Rc::new(near);
            let token = slots.borrow_mut().insert(near.clone());
            poller.add(near.as_fd(), token).expect("added");
            let look = || {
                let mut woken = Vec::new();
                poller.wait(super::Until::Now, &slots, &mut woken).expect("looked");
                woken.len()
            };
            let keep = |direction| slots.borrow_mut().keep(token, direction, Waker::noop());

            assert_eq!(look(), 0, "nobody waits");
            keep(Direction::Read);
            assert_eq!(look(), 0, "nothing has come");
            far.write_all(b"x").expect("room");
            assert_eq!(look(), 1, "a byte has come");
            assert_eq!((&*near).read(&mut [0; 4]).expect("a byte"), 1);
            keep(Direction::Read);
            assert_eq!(look(), 0, "it was taken");
            keep(Direction::Write);
            poller.add_write(near.as_fd(), token).expect("added");
            assert_eq!(look(), 1, "there is room");
            drop(far);
            assert_eq!(look(), 1, "the end has come");
            poller.remove(near.as_fd()).expect("removed");
            slots.borrow_mut().remove(token);
            assert_eq!(look(), 0, "nobody is registered");
        }};
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn epoll_tells_what_came_and_that_it_ended() {
        walk!(super::epoll::Poller);
    }

    #[test]
    fn poll_tells_what_came_and_that_it_ended() {
        walk!(super::poll::Poller);
    }
}
