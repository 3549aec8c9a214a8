//! Who called whom, without tables and without frame pointers.
//!
//! Every word on the stack that points into the code, right behind a call instruction, is taken for a return address. A
//! stale one may be among them; none that matters is missing.

use core::ops::Range;

/// Addresses shown at most.
const MOST: usize = 32;
/// Words looked at, at most.
const WORDS: usize = 8_192;

/// The addresses of the calls that led to those in `stack`, the innermost first. `code` is where code lies and `byte`
/// reads it.
pub(super) fn calls<'s>(
    stack: impl Iterator<Item = usize> + 's,
    code: Range<usize>,
    byte: impl Fn(usize) -> u8 + 's,
) -> impl Iterator<Item = usize> + 's {
    // The shortest call has two bytes; the address of the call itself is what a line table knows.
    stack.take(WORDS).filter(move |&word| follows_a_call(word, &code, &byte)).map(|word| word - 1).take(MOST)
}

/// Whether the instruction before `address` is a call (Intel SDM, CALL): `E8` with four bytes, or `FF /2` with none to
/// six.
fn follows_a_call(address: usize, code: &Range<usize>, byte: &impl Fn(usize) -> u8) -> bool {
    let before = |distance: usize| address.checked_sub(distance).filter(|at| code.contains(at)).map(byte);
    if !code.contains(&address) {
        return false;
    }
    let indirect =
        |distance: usize| before(distance) == Some(0xff) && before(distance - 1).is_some_and(|byte| byte >> 3 & 7 == 2);
    before(5) == Some(0xe8) || [2, 3, 4, 6, 7].into_iter().any(indirect)
}

/// Shows the address of each call that led here to `show`.
#[cfg(not(any(feature = "unix", test)))]
pub(super) fn each_call(show: impl FnMut(usize)) {
    use core::ptr;

    unsafe extern "C" {
        static __text_start: u8;
        static __text_end: u8;
    }
    let code = (&raw const __text_start).addr()..(&raw const __text_end).addr();
    let here = 0_usize;
    let bottom = ptr::from_ref(&here).addr();
    let top = super::stack_top();
    let stack = (bottom..top.saturating_sub(7)).step_by(8);
    // SAFETY: from a variable of this function up to the stack's top all is stack, aligned to eight bytes because the
    // variable is.
    let words = stack.map(|at| unsafe { ptr::with_exposed_provenance::<usize>(at).read() });
    // SAFETY: only addresses between the two symbols are asked for, and there is the image's code.
    calls(words, code, |at| unsafe { ptr::with_exposed_provenance::<u8>(at).read() }).for_each(show);
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// `call rel32` at 100, `call rax` at 110, `call [rax+8]` at 120, `call [rip+disp32]` at 130, jumps elsewhere.
    fn code(at: usize) -> u8 {
        match at {
            100 => 0xe8,
            110 | 120 | 130 => 0xff,
            111 => 0xd0,
            121 => 0x50,
            131 => 0x15,
            // `jmp rax`: FF /4.
            140 => 0xff,
            141 => 0xe0,
            _ => 0x90,
        }
    }

    #[test]
    fn only_words_behind_calls_are_return_addresses() {
        let stack = [0, 105, 7, 112, 123, 136, 142, 150, usize::MAX, 99];
        let found: Vec<usize> = calls(stack.into_iter(), 90..200, code).collect();
        assert_eq!(found, [104, 111, 122, 135]);
    }

    #[test]
    fn what_lies_outside_the_code_is_never_read() {
        let stack = [90, 91, 92, 93, 94, 95, 96, 200, 0, usize::MAX];
        let inside = |at| {
            assert!((90..200).contains(&at));
            0x90
        };
        assert_eq!(calls(stack.into_iter(), 90..200, inside).count(), 0);
    }

    #[test]
    fn there_is_an_end_to_it() {
        assert_eq!(calls(core::iter::repeat(105), 90..200, code).count(), MOST);
        assert_eq!(calls(core::iter::repeat(0), 90..200, code).count(), 0);
    }
}
