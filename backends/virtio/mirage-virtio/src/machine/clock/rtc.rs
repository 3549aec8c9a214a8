//! The battery-backed clock of the PC (MC146818).

use crate::machine::cpu::port::Port;

/// Seconds since 1970, as the clock has them in UTC; `None` where there is no such clock.
///
/// Takes a few microseconds, or up to two milliseconds when the clock is just going on to the next second.
pub(super) fn read() -> Option<i64> {
    let mut last = None;
    for _ in 0..TRIES {
        if register(STATUS_A) & UPDATING != 0 {
            continue;
        }
        let fields = Fields {
            second: register(0),
            minute: register(2),
            hour: register(4),
            day: register(7),
            month: register(8),
            year: register(9),
            century: register(CENTURY),
            format: register(STATUS_B),
        };
        // Twice the same: it did not go on meanwhile.
        if last == Some(fields) {
            return fields.decode();
        }
        last = Some(fields);
    }
    None
}

/// The clock's registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fields {
    second: u8,
    minute: u8,
    hour: u8,
    day: u8,
    month: u8,
    year: u8,
    /// By convention of PCs; some leave it 0.
    century: u8,
    format: u8,
}

impl Fields {
    /// Seconds since 1970; `None` when this is no time.
    fn decode(self) -> Option<i64> {
        let number = |field: u8| if self.format & BINARY == 0 { decimal(field) } else { Some(field) };
        let afternoon = self.format & WITH_24_HOURS == 0 && self.hour & AFTERNOON != 0;
        let mut hour = number(if self.format & WITH_24_HOURS == 0 { self.hour & !AFTERNOON } else { self.hour })?;
        if self.format & WITH_24_HOURS == 0 {
            // Twelve comes before one.
            hour = (1..=12).contains(&hour).then_some(hour % 12 + if afternoon { 12 } else { 0 })?;
        }
        let (second, minute) = (number(self.second)?, number(self.minute)?);
        let (day, month, year) = (number(self.day)?, number(self.month)?, number(self.year)?);
        let century = number(self.century).filter(|century| (19..=30).contains(century)).unwrap_or(20);
        let year = i64::from(century) * 100 + i64::from(year);
        let valid = second < 61 && minute < 60 && hour < 24 && (1..=12).contains(&month) && (1..=31).contains(&day);
        if !valid || self.year > 0x99 {
            return None;
        }
        let days = days_since_1970(year, month.into(), day.into());
        Some(((days * 24 + i64::from(hour)) * 60 + i64::from(minute)) * 60 + i64::from(second))
    }
}

/// Two decimal digits.
fn decimal(field: u8) -> Option<u8> {
    let (tens, ones) = (field >> 4, field & 0xf);
    (tens < 10 && ones < 10).then_some(tens * 10 + ones)
}

/// The days from 1970-01-01 to a day of the Gregorian calendar, of which years from March on make the leap day the last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, months_since_march) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let days_since_march = (153 * months_since_march + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + days_since_march - DAYS_TO_1970
}

/// From 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

/// Reads a register.
fn register(number: u8) -> u8 {
    // The highest bit keeps non-maskable interrupts out of the register's way.
    SELECT.write8(0x80 | number);
    DATA.read8()
}

// SAFETY: a clock does not touch memory.
const SELECT: Port = unsafe { Port::new(0x70) };
// SAFETY: as above.
const DATA: Port = unsafe { Port::new(0x71) };

const STATUS_A: u8 = 10;
const STATUS_B: u8 = 11;
const CENTURY: u8 = 0x32;
const UPDATING: u8 = 0x80;
const BINARY: u8 = 4;
const WITH_24_HOURS: u8 = 2;
const AFTERNOON: u8 = 0x80;
/// An update takes 2 ms, a look at a register at least a microsecond.
const TRIES: u32 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: Fields =
        Fields { second: 0x56, minute: 0x34, hour: 0x12, day: 0x25, month: 0x11, year: 0x26, century: 0x20, format: 2 };

    #[test]
    fn decimal_digits_are_understood() {
        // date -d '2026-11-25 12:34:56 UTC' +%s
        assert_eq!(FIELDS.decode(), Some(1_795_610_096));
    }

    #[test]
    fn binary_numbers_are_understood() {
        let binary = Fields { second: 56, minute: 34, hour: 12, day: 25, month: 11, year: 26, century: 20, format: 6 };
        assert_eq!(binary.decode(), FIELDS.decode());
    }

    #[test]
    fn twelve_hours_are_understood() {
        let at = |hour, format| Fields { hour, format, ..FIELDS }.decode();
        assert_eq!(at(0x12 | AFTERNOON, 0), at(0x12, 2), "noon");
        assert_eq!(at(0x12, 0), at(0, 2), "midnight");
        assert_eq!(at(0x11 | AFTERNOON, 0), at(0x23, 2));
    }

    #[test]
    fn leap_days_and_the_first_day_are_right() {
        assert_eq!(days_since_1970(1970, 1, 1), 0);
        assert_eq!(days_since_1970(1969, 12, 31), -1);
        assert_eq!(days_since_1970(2000, 3, 1) - days_since_1970(2000, 2, 28), 2);
        assert_eq!(days_since_1970(2100, 3, 1) - days_since_1970(2100, 2, 28), 1);
        assert_eq!(days_since_1970(2026, 11, 25), 20_782);
    }

    #[test]
    fn a_century_that_is_none_is_this_one() {
        assert_eq!(Fields { century: 0, ..FIELDS }.decode(), FIELDS.decode());
        assert_eq!(Fields { century: 0xff, ..FIELDS }.decode(), FIELDS.decode());
    }

    #[test]
    fn a_machine_without_the_clock_reads_as_ones_and_has_no_time() {
        let ones = Fields {
            second: 0xff,
            minute: 0xff,
            hour: 0xff,
            day: 0xff,
            month: 0xff,
            year: 0xff,
            century: 0xff,
            format: 0xff,
        };
        assert_eq!(ones.decode(), None);
        assert_eq!(Fields { month: 0, ..FIELDS }.decode(), None);
        assert_eq!(Fields { month: 0x13, ..FIELDS }.decode(), None);
        assert_eq!(Fields { hour: 0x24, ..FIELDS }.decode(), None);
    }
}
