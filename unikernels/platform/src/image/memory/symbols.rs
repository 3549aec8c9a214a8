//! The names under which the compiler looks for them.

use core::ffi::c_int;

use super::x86_64::{compare, copy, fill};

/// # Safety
/// As C's `memcpy`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the caller's conditions.
    unsafe { copy(to, from, len) };
    to
}

/// # Safety
/// As C's `memmove`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the caller's conditions.
    unsafe { copy(to, from, len) };
    to
}

/// # Safety
/// As C's `memset`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: c_int, len: usize) -> *mut u8 {
    // SAFETY: the caller's conditions.
    unsafe { fill(to, byte as u8, len) };
    to
}

/// # Safety
/// As C's `memcmp`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, len: usize) -> c_int {
    // SAFETY: the caller's conditions.
    unsafe { compare(a, b, len) }
}

/// # Safety
/// As C's `bcmp`.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, len: usize) -> c_int {
    // SAFETY: the caller's conditions.
    unsafe { compare(a, b, len) }
}

/// # Safety
/// As C's `strlen`.
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut len = 0;
    // SAFETY: the caller promises a zero, and this stops there. Volatile: otherwise the loop would become a call to
    // `strlen`.
    while unsafe { text.add(len).read_volatile() } != 0 {
        len += 1;
    }
    len
}
