//! Says why the history guard lets nothing be written, and what to type.

use pintle_core::git::CommitId;

use super::exit::CommandError;
use crate::controller::HistoryRefusal;

impl From<HistoryRefusal> for CommandError {
    fn from(refusal: HistoryRefusal) -> Self {
        failure(&refusal)
    }
}

/// Returns the failure in one line, for a log.
pub(super) fn in_one_line(refusal: &HistoryRefusal) -> String {
    failure(refusal).in_one_line()
}

fn failure(refusal: &HistoryRefusal) -> CommandError {
    match refusal {
        HistoryRefusal::Older { written, tip } => CommandError::refused(format!(
            "{} is older than {}, which the cluster was last written at: nothing is done",
            tip.short(),
            written.short()
        ))
        .hint(format!("git pull, or revert with a commit; if the branch was really set back, {}", go_on(*written, *tip))),
        HistoryRefusal::Rewritten { written, tip } => CommandError::refused(format!(
            "the branch was rewritten: the cluster was last written at {}, which {} does not go on from; nothing is done",
            written.short(),
            tip.short()
        ))
        .hint(go_on(*written, *tip)),
        HistoryRefusal::Unknown { written, tip, repository } => CommandError::refused(format!(
            "the cluster was last written at {}, a commit that is not in {repository}; nothing is done",
            written.short()
        ))
        .hint(format!("git pull or fetch it; if the branch was rewritten, {}", go_on(*written, *tip))),
        HistoryRefusal::NotARange(range) => CommandError::usage(format!("--accept-rewrite {range:?} is not OLD..NEW")),
        HistoryRefusal::OtherTip { accepted, tip } => CommandError::refused(format!(
            "--accept-rewrite names {accepted}, but the branch is at {} by now",
            tip.short()
        ))
        .hint("look again at what it would do: pintle plan"),
        HistoryRefusal::NotWritten(commit) => {
            CommandError::usage(format!("--accept-rewrite names {commit}, which no workload was written at"))
        }
        HistoryRefusal::Source(error) => CommandError::from_source(error),
    }
}

fn go_on(written: CommitId, tip: CommitId) -> String {
    format!("look at both, then go on with --accept-rewrite {}..{}", written.short(), tip.short())
}
