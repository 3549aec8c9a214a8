//! The order of the table: by segments, so that a dictionary is one run and its names ascend.

use core::cmp::Ordering;

/// Compares two paths segment by segment.
///
/// The slash counts as the smallest byte: `a/x` comes before `a-b`, as the name `a` comes before `a-b`. No name has a
/// NUL byte, so this is the order of the lists of segments.
pub(crate) const fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let mut at = 0;
    while at < left.len() && at < right.len() {
        let (l, r) = (rank(left[at]), rank(right[at]));
        if l != r {
            return if l < r { Ordering::Less } else { Ordering::Greater };
        }
        at += 1;
    }
    if left.len() == right.len() {
        Ordering::Equal
    } else if left.len() < right.len() {
        Ordering::Less
    } else {
        Ordering::Greater
    }
}

/// Whether `path` is `ancestor` or lies below it.
pub(crate) const fn is_at_or_below(path: &[u8], ancestor: &[u8]) -> bool {
    let mut at = 0;
    while at < ancestor.len() {
        if at >= path.len() || path[at] != ancestor[at] {
            return false;
        }
        at += 1;
    }
    ancestor.is_empty() || path.len() == ancestor.len() || path[at] == b'/'
}

/// Whether `path` is spelled as a key is stored: no empty segment, none that is `.` or `..`, no NUL.
pub(crate) const fn is_canonical(path: &[u8]) -> bool {
    let mut start = 0;
    let mut at = 0;
    while at <= path.len() {
        if at == path.len() || path[at] == b'/' {
            let length = at - start;
            let dots = length > 0 && path[start] == b'.' && (length == 1 || (length == 2 && path[start + 1] == b'.'));
            if length == 0 || dots {
                return false;
            }
            start = at + 1;
        } else if path[at] == 0 {
            return false;
        }
        at += 1;
    }
    true
}

const fn rank(byte: u8) -> u8 {
    if byte == b'/' { 0 } else { byte }
}
