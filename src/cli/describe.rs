//! Sentences for people, made of typed reasons. Only these modules know the names of commands and flags.

mod rollback;

pub(super) use rollback::{advised, remedy};
