//! Says why the branch gives nothing to keep, and what to type.

use crate::cli::exit::CommandError;
use crate::cli::load::unusable;
use crate::controller::BranchProblem;

/// Makes a sentence of a problem.
pub(super) fn describe(problem: &BranchProblem) -> String {
    match problem {
        BranchProblem::Source(error) => CommandError::from_source(error).in_one_line(),
        BranchProblem::Silent { minutes, outage } => {
            format!("the repository has not answered for more than {minutes} minutes: {outage}")
        }
        BranchProblem::Unreadable { commit, error } => format!("{} cannot be read: {error}", commit.short()),
        BranchProblem::Unusable { commit, why } => {
            format!("{}: {}", commit.short(), unusable(why, Some(*commit)).in_one_line())
        }
        BranchProblem::InstanceChanged { commit } => format!(
            "{}: instance, runtime or namespace of pintle.yaml have changed; start pintle run anew",
            commit.short()
        ),
    }
}
