//! The echo unikernel.
fn main() {}
