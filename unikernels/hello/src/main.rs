//! The hello unikernel.
fn main() {}
