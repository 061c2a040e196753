/// Every fault of a table, at many points of one story: the same end, as many writes, and always in order.
mod faults;
/// What people do by hand: how long it stands, and who is not fought.
mod hands;
/// Who may write: one process of an instance, and the next one when it is gone.
mod lease;
/// Commits, drift, and what a run does about them.
pub(crate) mod story;
