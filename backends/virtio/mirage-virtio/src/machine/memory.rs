//! How memory is mapped: the first 4 GiB, each address where it is.

use core::cell::UnsafeCell;

use super::single::Single;

/// The page tables. The first instructions fill them.
#[derive(Debug)]
#[repr(C, align(4096))]
pub(super) struct Tables {
    /// 512 GiB an entry.
    top: [u64; 512],
    /// 1 GiB an entry.
    directory: [u64; 512],
    /// 2 MiB an entry.
    pages: [[u64; 512]; 4],
}

// SAFETY: only the one processor uses it.
pub(super) static TABLES: Single<UnsafeCell<Tables>> =
    unsafe { Single::new(UnsafeCell::new(Tables { top: [0; 512], directory: [0; 512], pages: [[0; 512]; 4] })) };
