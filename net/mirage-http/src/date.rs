//! Dates as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
//!
//! The two obsolete forms are not read: what is not understood is treated as absent, which only costs a cache hit.

use crate::writer::parse_decimal;

const DAYS: &[u8; 21] = b"ThuFriSatSunMonTueWed";
const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
const DAY: i64 = 86_400;

/// The date `seconds` after 1970-01-01 00:00:00 UTC; `None` outside the years 1 to 9999.
///
/// ```
/// assert_eq!(mirage_http::date::format(784_111_777).as_ref(), Some(b"Sun, 06 Nov 1994 08:49:37 GMT"));
/// ```
pub fn format(seconds: i64) -> Option<[u8; 29]> {
    let days = seconds.div_euclid(DAY);
    let time = seconds.rem_euclid(DAY) as usize;
    let (year, month, day) = civil(days)?;
    let mut text = *b"___, __ ___ ____ __:__:__ GMT";
    let weekday = days.rem_euclid(7) as usize;
    text[..3].copy_from_slice(DAYS.get(weekday * 3..)?.get(..3)?);
    two(&mut text, 5, day);
    text[8..11].copy_from_slice(MONTHS.get(month * 3..)?.get(..3)?);
    two(&mut text, 12, year / 100);
    two(&mut text, 14, year % 100);
    two(&mut text, 17, time / 3600);
    two(&mut text, 20, time / 60 % 60);
    two(&mut text, 23, time % 60);
    Some(text)
}

/// The seconds from 1970-01-01 00:00:00 UTC to the date; `None` for everything that is not a date in this form. A
/// leap second counts as the one after it.
///
/// ```
/// assert_eq!(mirage_http::date::parse(b"Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
/// ```
pub fn parse(text: &[u8]) -> Option<i64> {
    let text: &[u8; 29] = text.try_into().ok()?;
    let number = |from: usize, to: usize| text.get(from..to).and_then(parse_decimal);
    let month = MONTHS.chunks_exact(3).position(|month| *month == text[8..11])?;
    let (year, day) = (number(12, 16)?, number(5, 7)?);
    let (hour, minute, second) = (number(17, 19)?, number(20, 22)?, number(23, 25)?);
    let days = days(year as i64, month as i64, day as i64);
    let punctuation = text[3..5] == *b", "
        && text[7] == b' '
        && text[11] == b' '
        && text[16] == b' '
        && text[19] == b':'
        && text[22] == b':'
        && text[25..] == *b" GMT";
    let weekday = days.rem_euclid(7) as usize;
    let real = civil(days) == Some((year as usize, month, day as usize))
        && DAYS.get(weekday * 3..weekday * 3 + 3) == Some(&text[..3]);
    (punctuation && real && hour < 24 && minute < 60 && second <= 60)
        .then_some(days * DAY + (hour * 3600 + minute * 60 + second) as i64)
}

fn two(text: &mut [u8; 29], at: usize, number: usize) {
    text[at] = b'0' + (number / 10 % 10) as u8;
    text[at + 1] = b'0' + (number % 10) as u8;
}

/// Days from 1970-01-01 to the day, in the Gregorian calendar; `month` from 0, `day` from 1.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last of its year.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // March to July and August to December have 31 30 31 30 31 days: 153 in five months.
    year * 365 + leaps + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// The year, the month from 0 and the day from 1; `None` outside the years 1 to 9999.
fn civil(since_1970: i64) -> Option<(usize, usize, usize)> {
    if !(days(1, 0, 1)..days(10_000, 0, 1)).contains(&since_1970) {
        return None;
    }
    // An estimate that is right or one too large; then the day in a year that begins in March.
    let estimate = (since_1970 + 719_468 + 366) * 400 / 146_097;
    let year = (estimate - 2..=estimate).rev().find(|year| days(*year, 2, 1) <= since_1970)?;
    let day = since_1970 - days(year, 2, 1);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 2) } else { (year + 1, month - 10) };
    Some((year as usize, month as usize, day as usize))
}
