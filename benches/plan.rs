//! How long the plan takes.
fn main() {}
