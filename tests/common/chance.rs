//! Numbers by chance, the same in every run.

/// Xorshift.
pub(crate) struct Chance(pub u64);

impl Chance {
    /// The next number below `count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % count as u64).unwrap_or(0)
    }
}
