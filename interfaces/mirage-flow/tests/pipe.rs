//! The pipe takes the exam, and the exam finds broken flows; needs the feature `testing`.
#![cfg(feature = "testing")]

use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mirage_flow::testing::{Pipe, examine, examine_deaf_reader, examine_drop, join, pipe, poll_once};
use mirage_flow::{Direction, ErrorKind, ErrorType, Read, ReadReady, Shutdown, Split, Write, WriteReady};

/// Runs a future that needs nobody from outside.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..1_000_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
    panic!("it hangs");
}

#[test]
fn a_pipe_passes_its_exams_whatever_its_capacity() {
    for capacity in [16, 1000, 100_000] {
        let (a, b) = pipe(capacity);
        run(examine(a, b));
        let (a, b) = pipe(capacity);
        run(examine_drop(a, b));
        let (a, b) = pipe(capacity);
        run(examine_deaf_reader(a, b));
    }
}

#[test]
fn a_full_pipe_takes_what_fits_and_then_waits() {
    run(async {
        let (mut a, mut b) = pipe(4);
        assert_eq!(a.write(b"abcdef").await, Ok(4));
        assert_eq!(a.write_ready(), Ok(false));
        assert_eq!(poll_once(a.write(b"ef")).await, None);
        let mut bytes = [0; 10];
        assert_eq!(b.read(&mut bytes[..2]).await, Ok(2));
        assert_eq!(a.write(b"ef").await, Ok(2));
        assert_eq!(b.read(&mut bytes).await, Ok(4));
        assert_eq!(&bytes[..4], b"cdef");
    });
}

#[test]
fn a_pipe_without_room_has_room_for_a_byte() {
    run(async {
        let (mut a, mut b) = pipe(0);
        join(async { a.write_all(b"one by one").await.unwrap() }, async {
            let mut bytes = [0; 10];
            b.read_exact(&mut bytes).await.unwrap();
            assert_eq!(&bytes, b"one by one");
        })
        .await;
    });
}

#[test]
fn a_writer_that_waits_hears_that_the_reader_is_gone() {
    let (mut a, b) = pipe(1);
    run(async {
        a.write_all(b"x").await.unwrap();
        let (written, ()) = join(a.write(b"y"), async { drop(b) }).await;
        assert_eq!(written, Err(ErrorKind::BrokenPipe));
    });
}

#[test]
fn join_polls_only_who_was_woken() {
    let (first, second) = (Cell::new(0), Cell::new(0));
    let waker = Cell::new(None);
    run(join(
        poll_fn(|cx| {
            first.set(first.get() + 1);
            if first.get() == 1 {
                waker.set(Some(cx.waker().clone()));
                return Poll::Pending;
            }
            Poll::Ready(())
        }),
        poll_fn(|cx| {
            second.set(second.get() + 1);
            if second.get() < 5 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            waker.take().into_iter().for_each(Waker::wake);
            Poll::Ready(())
        }),
    ));
    assert_eq!((first.get(), second.get()), (2, 5));
}

/// A pipe with a defect.
struct Broken {
    pipe: Pipe,
    defect: Defect,
}

#[derive(Clone, Copy, PartialEq)]
enum Defect {
    /// A byte that a dropped read has taken is lost.
    LosesOnDrop,
    /// Says that it is ready when it is not.
    ReadyLies,
    /// Ending the writing direction does not end it.
    NeverEnds,
    /// Changes a byte now and then.
    Corrupts,
}

impl ErrorType for Broken {
    type Error = ErrorKind;
}

impl Read for Broken {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        if self.defect == Defect::LosesOnDrop && buffer.len() == 1 {
            let count = self.pipe.read(buffer).await?;
            let mut polled = false;
            poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if core::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            return Ok(count);
        }
        let count = self.pipe.read(buffer).await?;
        if self.defect == Defect::Corrupts && count > 4000 {
            buffer[3999] ^= 1;
        }
        Ok(count)
    }
}

impl ReadReady for Broken {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        if self.defect == Defect::LosesOnDrop { Ok(false) } else { self.pipe.read_ready() }
    }
}

impl Write for Broken {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        self.pipe.write(bytes).await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl WriteReady for Broken {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        if self.defect == Defect::ReadyLies { Ok(true) } else { self.pipe.write_ready() }
    }
}

impl Shutdown for Broken {
    async fn shutdown(&mut self, direction: Direction) -> Result<(), ErrorKind> {
        if self.defect == Defect::NeverEnds { Ok(()) } else { self.pipe.shutdown(direction).await }
    }
}

impl Split for Broken {
    type Reader<'a> = mirage_flow::testing::PipeReader<'a>;
    type Writer<'a> = mirage_flow::testing::PipeWriter<'a>;

    fn split(&mut self) -> (Self::Reader<'_>, Self::Writer<'_>) {
        self.pipe.split()
    }
}

fn examine_broken(defect: Defect) {
    let (a, b) = pipe(10_000);
    run(examine(Broken { pipe: a, defect }, Broken { pipe: b, defect }));
}

#[test]
#[should_panic(expected = "assertion")]
fn the_exam_finds_a_dropped_read_that_loses_a_byte() {
    examine_broken(Defect::LosesOnDrop);
}

#[test]
#[should_panic(expected = "write_ready said yes and write waits")]
fn the_exam_finds_a_lie_about_being_ready() {
    examine_broken(Defect::ReadyLies);
}

#[test]
#[should_panic(expected = "a write after the end of writing")]
fn the_exam_finds_a_direction_that_does_not_end() {
    examine_broken(Defect::NeverEnds);
}

#[test]
#[should_panic(expected = "byte ")]
fn the_exam_finds_a_changed_byte() {
    examine_broken(Defect::Corrupts);
}
