//! What several tests share: real repositories and real servers on loopback.

pub mod git;
