//! Whether bytes are text: the library's answer is made for speed and is ten times as long.

/// Whether `bytes` are UTF-8.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let mut bytes = bytes.iter();
    while let Some(&first) = bytes.next() {
        // The Unicode Standard, table 3-6.
        let (len, mut code) = match first {
            0..0x80 => continue,
            0xc0..0xe0 => (2, u32::from(first & 0x1f)),
            0xe0..0xf0 => (3, u32::from(first & 0xf)),
            0xf0..0xf8 => (4, u32::from(first & 7)),
            _ => return false,
        };
        for _ in 1..len {
            match bytes.next() {
                Some(byte @ 0x80..0xc0) => code = code << 6 | u32::from(byte & 0x3f),
                _ => return false,
            }
        }
        // No surrogate, none above the last, and none that has a shorter form.
        if char::from_u32(code).is_none_or(|character| character.len_utf8() != len) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_character_and_what_is_none_are_told_apart() {
        for code in 0..0x20_0000_u32 {
            let form = match code {
                0..0x80 => alloc::vec![code as u8],
                0x80..0x800 => alloc::vec![0xc0 | (code >> 6) as u8, 0x80 | (code & 0x3f) as u8],
                0x800..0x1_0000 => {
                    alloc::vec![0xe0 | (code >> 12) as u8, 0x80 | (code >> 6 & 0x3f) as u8, 0x80 | (code & 0x3f) as u8]
                }
                _ => alloc::vec![
                    0xf0 | (code >> 18) as u8,
                    0x80 | (code >> 12 & 0x3f) as u8,
                    0x80 | (code >> 6 & 0x3f) as u8,
                    0x80 | (code & 0x3f) as u8
                ],
            };
            assert_eq!(is_text(&form), char::from_u32(code).is_some(), "{code:x}");
        }
    }

    proptest! {
        #[test]
        fn it_says_what_the_library_says(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x7f_u8..0xc3, 0xdf_u8..0xf6], 0..8),
        ) {
            prop_assert_eq!(is_text(&bytes), core::str::from_utf8(&bytes).is_ok());
        }
    }
}
