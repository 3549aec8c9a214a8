//! The timer of the PC (8254): its third channel, which only counts.

use crate::machine::cpu::port::Port;

/// Its ticks a second.
pub(super) const HERTZ: u64 = 1_193_182;

/// Lets it count down from 65535, again and again.
pub(super) fn start() {
    // The gate of the channel open, the loudspeaker off.
    GATE.write8(GATE.read8() & !0b10 | 0b01);
    // Channel 2, both bytes, rate generator.
    COMMAND.write8(0b1011_0100);
    CHANNEL.write8(0xff);
    CHANNEL.write8(0xff);
}

/// How much is left to count.
pub(super) fn left() -> u16 {
    // Hold the count of channel 2 for reading.
    COMMAND.write8(0b1000_0000);
    let low = CHANNEL.read8();
    u16::from_le_bytes([low, CHANNEL.read8()])
}

// SAFETY: a timer does not touch memory.
const CHANNEL: Port = unsafe { Port::new(0x42) };
// SAFETY: as above.
const COMMAND: Port = unsafe { Port::new(0x43) };
// SAFETY: as above, and neither does a loudspeaker.
const GATE: Port = unsafe { Port::new(0x61) };
