/// In sync: nothing is written, and nothing asked for that a watch does not tell.
mod quiet;
/// Random commits, drift and restarts, for a while.
mod soak;
