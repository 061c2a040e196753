//! What has become of a commit, for people and for programs.

use pintle_core::git::CommitId;
use serde::Serialize;
use serde_json::Value;

use crate::cli::diff::FileDiff;
use crate::cli::exit::CommandError;
use crate::cli::output::{Output, OutputFormat};
use crate::source::{LandedCommit, Landing, Outcome, PushedProposal};

/// What has become of a proposal.
pub(crate) struct CommitOutcome {
    report: CommitJson,
    /// The last words; none where all was so already.
    words: Option<String>,
}

/// `--output json`.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct CommitJson {
    /// None where all was so already.
    commit: Option<CommitId>,
    /// The branch that the commit is on.
    branch: String,
    pushed_to: Option<String>,
    /// Why the clone could not follow what was pushed.
    behind: Option<String>,
    /// The branch that a pull request is to merge it into.
    base: Option<String>,
    /// The page that opens the pull request; null where the forge is not known too.
    compare_url: Option<String>,
    files: Vec<FileDiff>,
    /// What goes back, as `--dry-run` has it; null where this is no rollback.
    rollback: Option<Value>,
}

impl CommitOutcome {
    /// All was so already.
    pub(super) fn nothing(landing: &Landing<'_>) -> Self {
        Self { report: CommitJson { branch: landing.branch().to_owned(), ..CommitJson::default() }, words: None }
    }

    pub(super) fn of(outcome: Outcome, landing: &Landing<'_>) -> Self {
        match outcome {
            Outcome::Landed(landed) => Self::landed(landed, landing),
            Outcome::Proposed(proposed) => Self::proposed(proposed),
            Outcome::Patch(patch) => Self::printed(&patch, landing),
        }
    }

    fn landed(landed: LandedCommit, landing: &Landing<'_>) -> Self {
        let words = Some(closing(&landed, landing));
        let LandedCommit { commit, branch, pushed_to, clone_not_updated_reason: behind } = landed;
        let report = CommitJson { commit: Some(commit), branch, pushed_to, behind, ..CommitJson::default() };
        Self { report, words }
    }

    /// The commit is there already.
    pub(super) fn arrived(commit: CommitId, landing: &Landing<'_>) -> Self {
        let pushed_to = landing.upstream().map(str::to_owned);
        Self::landed(
            LandedCommit { commit, branch: landing.branch().to_owned(), pushed_to, clone_not_updated_reason: None },
            landing,
        )
    }

    fn proposed(proposed: PushedProposal) -> Self {
        let words = Some(open(&proposed));
        let PushedProposal {
            commit,
            branch,
            base,
            pushed_to,
            already_existed: _,
            pull_request_page: compare_url,
            pull_command: _,
        } = proposed;
        let (commit, pushed_to, base) = (Some(commit), Some(pushed_to), Some(base));
        let report = CommitJson { commit, branch, pushed_to, base, compare_url, ..CommitJson::default() };
        Self { report, words }
    }

    /// A patch is the result itself.
    fn printed(patch: &str, landing: &Landing<'_>) -> Self {
        Self { words: Some(patch.trim_end_matches('\n').to_owned()), ..Self::nothing(landing) }
    }

    /// With what is told of it and what it changes; it warns where the clone could not follow.
    pub(super) fn with(self, (rollback, files): (Option<Value>, Vec<FileDiff>), output: &mut Output) -> Self {
        if let Some(why) = &self.report.behind {
            output.warn(format_args!("the commit is pushed, and this clone could not follow: {why}; git pull"));
        }
        Self { report: CommitJson { files, rollback, ..self.report }, ..self }
    }

    /// The last words of what has landed; none where all was so already.
    pub(crate) fn words(&self) -> Option<&str> {
        self.words.as_deref()
    }

    pub(super) fn print(&self, format: OutputFormat, output: &mut Output) -> Result<(), CommandError> {
        output.result(format, &self.report, |output| self.words.iter().for_each(|words| output.line(words)))
    }
}

fn closing(landed: &LandedCommit, landing: &Landing<'_>) -> String {
    let (commit, branch) = (landed.commit.short(), &landed.branch);
    match (&landed.pushed_to, landing.upstream()) {
        (Some(remote), _) if landing.is_clone() => format!("Committed {commit} on {branch}, pushed to {remote}."),
        (Some(remote), _) => format!("Pushed {commit} to {remote}."),
        (None, Some(upstream)) => format!("Committed {commit} on {branch}, not pushed to {upstream}: git push"),
        (None, None) => format!("Committed {commit} on {branch}, which has no upstream to push to."),
    }
}

/// How somebody takes what is proposed.
fn open(proposed: &PushedProposal) -> String {
    let PushedProposal {
        commit,
        branch,
        base,
        pushed_to,
        already_existed: known,
        pull_request_page: page,
        pull_command: pull,
    } = proposed;
    let there = match known {
        false => format!("Pushed {} as {pushed_to}.", commit.short()),
        true => format!("{pushed_to} is there already, with this change: {}.", commit.short()),
    };
    match page {
        Some(page) => format!("{there}\nOpen the pull request into {base}: {page}"),
        None => format!(
            "{there}\nOpen a pull request from {branch} into {base} where the repository is; or, on {base}: {pull}"
        ),
    }
}
