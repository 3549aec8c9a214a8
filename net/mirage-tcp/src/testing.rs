//! Two machines on a hostile link, driven by bytes: for property tests and fuzzing.
//!
//! This module needs the `testing` feature, which needs an allocator.
//!
//! Every byte string is a list of operations. Whatever they do (segments lost, doubled, swapped, damaged or forged, time
//! that passes, full devices, applications that write, read, end and break off), the same must hold: what was written on
//! one end is read on the other exactly once and in order, or an error is reported; bounds are kept; and when all is
//! closed, nothing is left.

mod device;
mod link;
mod operation;
mod pair;
mod peer;
mod side;
mod world;

pub use operation::Operation;

/// Drives two machines by the operations that `bytes` stand for.
///
/// # Panics
/// When a machine breaks its promise.
pub fn drive(bytes: &[u8]) {
    run(&Operation::read_all(bytes));
}

/// Drives two machines by `operations`.
///
/// # Panics
/// When a machine breaks its promise.
pub fn run(operations: &[Operation]) {
    let blocks = 4 + operations.len() % 29;
    let (mut here, mut there) = (side::Arena::new(blocks), side::Arena::new(blocks));
    let mut world = world::World::new(here.machine([10, 0, 0, 1]), there.machine([10, 0, 0, 2]));
    for operation in operations {
        world.apply(operation);
    }
    world.finish(operations.iter().all(Operation::is_harmless));
}

/// Plays the peer of one machine, who sends what `bytes` stand for: segments that nearly fit, with options of every kind, and
/// ICMP errors. Whatever it says, bounds are kept, no segment costs more than a walk or two along what is under way, and in
/// the end nothing is left.
///
/// # Panics
/// When the machine breaks its promise.
pub fn face(bytes: &[u8]) {
    let mut arena = side::Arena::new(4 + bytes.len() % 29);
    peer::Play::new(arena.machine([10, 0, 0, 1]), bytes).run();
}
