//! What the image prints.

mod serial;

/// Prints `bytes`.
pub fn write(bytes: &[u8]) {
    serial::write(bytes);
}
