//! Place and message, with the feature `panic-text`.

use core::panic::PanicInfo;

use crate::target::Machine;
use crate::text::Line;

/// Prints where it panicked and why.
pub(in super::super) fn show(info: &PanicInfo<'_>) {
    let mut line = Line::new();
    line.put("panicked");
    if let Some(place) = info.location() {
        line.put(" at ").put(place.file()).put(":").number(place.line().into(), 1);
        line.put(":").number(place.column().into(), 1);
    }
    Machine::complain(line.put(":").as_str());
    Machine::complain(Line::new().show(&info.message()).as_str());
}
