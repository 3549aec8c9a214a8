//! One bulk transfer in virtual time, the same for every stack.

use super::line::{Line, Path};

/// One end of the way with its application.
pub(crate) trait End {
    /// Takes a frame in.
    fn receive(&mut self, now: u64, frame: &[u8]);
    /// Lets the application and the stack do what they can; `out` gets each frame and how much of the line it occupies.
    fn poll(&mut self, now: u64, out: &mut dyn FnMut(Vec<u8>, usize));
    /// When it wants to be polled at the latest.
    fn next(&mut self, now: u64) -> Option<u64>;
}

/// Lets `sender` send to `receiver` until `end`.
pub(crate) fn run(sender: &mut impl End, receiver: &mut impl End, path: Path, seed: u64, end: u64) {
    let mut forth = Line::new(path, seed);
    let mut back = Line::new(Path { loss: 0.0, ..path }, seed);
    let mut now = 0;
    while now < end {
        while let Some(frame) = forth.receive(now) {
            receiver.receive(now, &frame);
        }
        while let Some(frame) = back.receive(now) {
            sender.receive(now, &frame);
        }
        sender.poll(now, &mut |frame, len| forth.send(now, frame, len));
        receiver.poll(now, &mut |frame, len| back.send(now, frame, len));
        let next = [sender.next(now), receiver.next(now), forth.next(), back.next()].into_iter().flatten().min();
        // A stack that wants to be polled at once was just polled: a microsecond later is soon enough.
        now = next.unwrap_or(end).max(now + 1_000);
    }
}
