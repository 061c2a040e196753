//! Pins and a history in, problems out.
