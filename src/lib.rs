//! Pintle: see README.md.
pub mod version;
