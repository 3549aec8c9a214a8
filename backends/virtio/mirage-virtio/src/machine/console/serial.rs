//! The first serial port (16550).

use super::super::cpu::port::Port;

/// Writes `bytes` as fast as the port takes them.
///
/// Never waits for good: without a port, or when it stays busy, bytes are lost.
pub(super) fn write(bytes: &[u8]) {
    for &byte in bytes {
        if !ready() {
            return;
        }
        DATA.write8(byte);
    }
}

/// Waits until a byte can be written. `false` when there is no port (it reads as all ones) or it stays busy.
fn ready() -> bool {
    (0..PATIENCE).map(|_| LINE_STATUS.read8()).take_while(|status| *status != 0xff).any(|status| status & 0x20 != 0)
}

/// Looks at the port before giving up: each takes at least a microsecond.
const PATIENCE: u32 = 1_000_000;

// SAFETY: a serial port does not touch memory.
const DATA: Port = unsafe { Port::new(0x3f8) };
const LINE_STATUS: Port = DATA.offset(5);
