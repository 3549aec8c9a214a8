//! The command `mirage`.

fn main() {}
