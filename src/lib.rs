//! Pintle: see README.md.
