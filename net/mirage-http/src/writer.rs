//! Writing text into a lent buffer by hand: the formatting machinery of `core` is slow and large.

/// A buffer and how far it is written. Beyond its end everything is dropped and remembered.
pub(crate) struct Writer<'a> {
    buffer: &'a mut [u8],
    at: usize,
    full: bool,
}

impl<'a> Writer<'a> {
    #[inline]
    pub(crate) fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, at: 0, full: false }
    }

    #[inline(never)]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        match self.buffer.get_mut(self.at..).and_then(|rest| rest.get_mut(..bytes.len())) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.at += bytes.len();
            }
            None => self.full = true,
        }
    }

    pub(crate) fn put_decimal(&mut self, number: u64) {
        let mut digits = [0; 20];
        self.put(decimal(number, &mut digits));
    }

    /// How much was written; `None` when it did not fit.
    #[inline]
    pub(crate) fn finish(self) -> Option<usize> {
        (!self.full).then_some(self.at)
    }
}

/// The decimal digits of `number`.
pub(crate) fn decimal(number: u64, digits: &mut [u8; 20]) -> &[u8] {
    written::<10>(number, digits)
}

/// The hexadecimal digits of `number`, in lower case.
pub(crate) fn hex(number: u64, digits: &mut [u8; 16]) -> &[u8] {
    written::<16>(number, digits)
}

/// The digits of `number`, for all of which there is room.
fn written<const BASE: u64>(mut number: u64, digits: &mut [u8]) -> &[u8] {
    let mut first = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit = nibble((number % BASE) as u8);
        number /= BASE;
        first = at;
        if number == 0 {
            break;
        }
    }
    digits.get(first..).unwrap_or_default()
}

/// One hexadecimal digit; `value` is below 16.
pub(crate) const fn nibble(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' - 10 + value }
}

/// The number that `digits` spell: one digit or more and nothing else.
pub(crate) fn parse_decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

/// The value of one hexadecimal digit.
pub(crate) const fn parse_nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
