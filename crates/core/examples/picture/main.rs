//! Draws the picture of the README: a release goes one way, its revert the other.
//!
//! ```text
//! cargo run -p pintle-core --example picture > docs/order.svg
//! ```
//!
//! The planner decides the order; nothing here knows it.

mod rollout;
mod svg;

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn main() {
    print!("{}", svg::picture());
}
