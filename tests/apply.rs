/// What is refused or held, and is left as it is.
mod bad_input;
/// A broken version: nothing that needs it starts, everything else does.
mod failures;
/// What people do to workloads while a rollout goes on.
mod hands;
/// Other kinds of workloads, several of them, and what only a human can move.
mod kinds;
/// The order of starts, by what the API server saw of the pods.
mod order;
