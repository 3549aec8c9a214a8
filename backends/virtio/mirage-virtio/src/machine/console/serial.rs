//! The first serial port (16550).

use core::cell::OnceCell;

use crate::machine::cpu::port::Port;
use crate::machine::single::Single;

/// Writes `bytes` as fast as the port takes them.
///
/// Never waits for good: without a port, or when it stays busy, bytes are lost.
pub(super) fn write(bytes: &[u8]) {
    let room = *ROOM.get_or_init(room);
    for piece in bytes.chunks(room) {
        if !is_empty() {
            return;
        }
        for &byte in piece {
            DATA.write8(byte);
        }
    }
}

/// Turns the port's queue on: how many bytes it takes when it is empty. Old ones have none.
fn room() -> usize {
    FIFO.write8(1);
    if FIFO.read8() >> 6 == 0b11 { 16 } else { 1 }
}

/// Waits until the port has written all it took. `false` when there is no port (it reads as all ones) or it stays busy.
fn is_empty() -> bool {
    (0..PATIENCE).map(|_| LINE_STATUS.read8()).take_while(|status| *status != 0xff).any(|status| status & EMPTY != 0)
}

/// Looks at the port before giving up: each takes at least a microsecond.
const PATIENCE: u32 = 1_000_000;
const EMPTY: u8 = 0x20;

// SAFETY: only the one processor uses it.
static ROOM: Single<OnceCell<usize>> = unsafe { Single::new(OnceCell::new()) };

// SAFETY: a serial port does not touch memory.
const DATA: Port = unsafe { Port::new(0x3f8) };
/// Written: whether there is a queue. Read: whether there is one.
const FIFO: Port = DATA.offset(2);
const LINE_STATUS: Port = DATA.offset(5);
