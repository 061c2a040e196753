//! End-to-end tests, in one binary.

/// Repositories and servers that the others use.
mod common;
/// Repositories made by git, read by Pintle: names, files, the working tree.
mod source;
