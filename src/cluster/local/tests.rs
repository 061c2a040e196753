//! Decisions on what is known of a service, told by what would be done.
