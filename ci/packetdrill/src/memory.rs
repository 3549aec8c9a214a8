//! The caller's memory. Addresses come from scripts, some of which are wrong on purpose, so the kernel copies: it answers
//! `EFAULT` where a plain access would end the process.

use std::mem::MaybeUninit;

use libc::{c_void, iovec};

use crate::errno::{Answer, Errno};

/// Bytes at an address of the caller's.
pub(crate) fn copy_in(address: usize, len: usize) -> Answer<Vec<u8>> {
    let mut bytes = vec![0; len.min(LONGEST)];
    let ours = iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let theirs = iovec { iov_base: address as *mut c_void, iov_len: bytes.len() };
    if bytes.is_empty() {
        return Ok(bytes);
    }
    // SAFETY: the kernel writes no more than `iov_len` bytes to `ours`, which are in `bytes`; it checks `theirs`.
    let count = unsafe { libc::process_vm_readv(libc::getpid(), &raw const ours, 1, &raw const theirs, 1, 0) };
    if count == bytes.len() as isize { Ok(bytes) } else { Err(Errno(libc::EFAULT)) }
}

/// Puts bytes to an address of the caller's, who says that it has room for them.
pub(crate) fn copy_out(address: usize, bytes: &[u8]) -> Answer<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    let ours = iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let theirs = iovec { iov_base: address as *mut c_void, iov_len: bytes.len() };
    // SAFETY: the kernel reads `ours` only. What it writes to `theirs` is a buffer that the caller of a socket call lends for
    // that, as with the call of the same name; where there is no memory it writes nothing.
    let count = unsafe { libc::process_vm_writev(libc::getpid(), &raw const ours, 1, &raw const theirs, 1, 0) };
    if count == bytes.len() as isize { Ok(()) } else { Err(Errno(libc::EFAULT)) }
}

/// A structure of C's that is valid whatever its bytes are.
///
/// # Safety
/// Every pattern of bits is a value of it.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: integers, and pointers that nobody follows.
unsafe impl Plain for iovec {}
// SAFETY: the same.
unsafe impl Plain for libc::msghdr {}
// SAFETY: the same.
unsafe impl Plain for libc::sockaddr_in {}
// SAFETY: the same.
unsafe impl Plain for libc::pollfd {}
// SAFETY: the same.
unsafe impl Plain for libc::epoll_event {}
// SAFETY: an integer.
unsafe impl Plain for u32 {}

/// A structure at an address of the caller's.
pub(crate) fn read<T: Plain>(address: usize) -> Answer<T> {
    let bytes = copy_in(address, size_of::<T>())?;
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: `bytes` has the size of `T`, and the two do not overlap.
    unsafe { value.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    // SAFETY: every byte of it was written, and `T` promises that they make a value.
    Ok(unsafe { value.assume_init() })
}

/// All the bytes that a list of pieces names.
pub(crate) fn gather(list: usize, count: usize) -> Answer<Vec<u8>> {
    let mut bytes = Vec::new();
    for piece in pieces(list, count)? {
        bytes.extend(copy_in(piece.iov_base as usize, piece.iov_len)?);
    }
    Ok(bytes)
}

/// Spreads bytes over a list of pieces.
pub(crate) fn scatter(list: usize, count: usize, mut bytes: &[u8]) -> Answer<()> {
    for piece in pieces(list, count)? {
        let (now, later) = bytes.split_at(piece.iov_len.min(bytes.len()));
        copy_out(piece.iov_base as usize, now)?;
        bytes = later;
    }
    Ok(())
}

/// How many bytes a list of pieces has room for.
pub(crate) fn room(list: usize, count: usize) -> Answer<usize> {
    Ok(pieces(list, count)?.iter().map(|piece| piece.iov_len).sum())
}

fn pieces(list: usize, count: usize) -> Answer<Vec<iovec>> {
    if count > 1024 {
        return Err(Errno(libc::EMSGSIZE));
    }
    (0..count).map(|at| read(list + at * size_of::<iovec>())).collect()
}

/// The longest copy: scripts do not write more at once.
const LONGEST: usize = 1 << 26;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_address_is_an_error() {
        assert_eq!(copy_in(8, 4), Err(Errno(libc::EFAULT)));
        assert_eq!(copy_out(8, &[1]), Err(Errno(libc::EFAULT)));
    }

    #[test]
    fn pieces_are_put_together_and_taken_apart() {
        let (mut a, mut b) = ([1_u8, 2, 3], [4_u8, 5]);
        let list = [
            iovec { iov_base: a.as_mut_ptr().cast(), iov_len: 3 },
            iovec { iov_base: b.as_mut_ptr().cast(), iov_len: 2 },
        ];
        let list = list.as_ptr() as usize;
        assert_eq!(gather(list, 2), Ok(vec![1, 2, 3, 4, 5]));
        assert_eq!(room(list, 2), Ok(5));
        assert_eq!(scatter(list, 2, &[9, 8, 7, 6]), Ok(()));
        assert_eq!(gather(list, 2), Ok(vec![9, 8, 7, 6, 5]));
    }
}
