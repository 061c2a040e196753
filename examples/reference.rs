//! Prints the command reference of the documents: `cargo run --example reference > docs/commands.md`.

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn main() {
    print!("{}", pintle::cli::reference());
}
