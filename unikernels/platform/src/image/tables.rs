//! The tables of the stack, in memory that is cut off the end of the heap for good.
//!
//! What makes one of these tables is the same for all of them, but for a pattern that is repeated: a loop for each type, as
//! `Vec` has it, is three kilobytes more.

use core::alloc::Layout;
use core::mem::ManuallyDrop;
use core::ptr;
use core::slice;

use managed::ManagedSlice;
use mirage_tcpip::Tables;
use zerocopy::FromZeros;

use super::cut;
use crate::target::Machine;

/// Memory from the end of the heap.
pub(super) struct Cut;

impl Tables for Cut {
    fn table<T>(&mut self, count: usize, empty: fn() -> T) -> ManagedSlice<'static, T> {
        let empty = ManuallyDrop::new(empty());
        let start = repeated(ptr::from_ref(&empty).cast(), Layout::new::<T>(), count);
        // SAFETY: there are `count` copies of the bits of `empty`, each as good as `empty` itself by the promise of
        // `Tables::table`, aligned for `T`, in memory that is nobody else's and stays.
        ManagedSlice::Borrowed(unsafe { slice::from_raw_parts_mut(start.cast(), count) })
    }

    fn zeroes<T: FromZeros>(&mut self, count: usize) -> ManagedSlice<'static, T> {
        let start = zeroes(Layout::new::<T>(), count);
        // SAFETY: there are enough zeroes for `count` entries, each of which may be all zeroes, aligned for `T`, in memory
        // that is nobody else's and stays.
        ManagedSlice::Borrowed(unsafe { slice::from_raw_parts_mut(start.cast(), count) })
    }
}

/// `count` copies, one behind the other, of what lies at `one`.
#[inline(never)]
fn repeated(one: *const u8, layout: Layout, count: usize) -> *mut u8 {
    let (start, _) = room(layout, count);
    for index in 0..count {
        // SAFETY: `one` has as many bytes as `layout` says and there is room for `count` times as many; the two do not
        // overlap, for the room is new.
        unsafe { start.add(index * layout.size()).copy_from_nonoverlapping(one, layout.size()) };
    }
    start
}

#[inline(never)]
fn zeroes(layout: Layout, count: usize) -> *mut u8 {
    let (start, untouched) = room(layout, count);
    if !(untouched && Machine::BEGINS_ZEROED) {
        // SAFETY: there is room for as much.
        unsafe { start.write_bytes(0, layout.size() * count) };
    }
    start
}

/// Room for `count` of these, and whether nobody has touched it.
#[inline(never)]
fn room(layout: Layout, count: usize) -> (*mut u8, bool) {
    let size = layout.size().saturating_mul(count);
    match Layout::from_size_align(size, layout.align()) {
        Ok(layout) if size > 0 => cut(layout),
        Ok(layout) => (ptr::without_provenance_mut(layout.align()), false),
        Err(_) => super::heap::exhausted(size),
    }
}
