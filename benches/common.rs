//! A watch for benches: the same work some times over; the fastest, the middle and the slowest are printed.
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(clippy::print_stdout, reason = "its numbers are what a bench is for")]

use std::hint::black_box;
use std::time::Instant;

/// Does `work` so often, after once to warm up, and prints how long it took. `cargo bench -- WORD` measures what has
/// the word in its name.
pub(crate) fn measure<T>(name: &str, times: usize, work: impl FnMut() -> T) {
    measure_after(name, times, || (), work);
}

/// The same, with something to be made ready each time, which does not count.
pub(crate) fn measure_after<T>(name: &str, times: usize, mut ready: impl FnMut(), mut work: impl FnMut() -> T) {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with('-')).peekable();
    if words.peek().is_some() && !words.any(|word| name.contains(&word)) {
        return;
    }
    let mut once = || {
        ready();
        let began = Instant::now();
        black_box(work());
        began.elapsed()
    };
    once();
    let mut took: Vec<_> = (0..times.max(1)).map(|_| once()).collect();
    took.sort_unstable();
    let (fastest, middle, slowest) = (took[0], took[took.len() / 2], took[took.len() - 1]);
    println!("{name:<50} min {fastest:>9.2?}  median {middle:>9.2?}  max {slowest:>9.2?}");
}
