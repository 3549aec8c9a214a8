//! The web unikernel.
fn main() {}
