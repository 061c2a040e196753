//! How a command ends: the exit codes, and what is said where it fails.

use std::process::ExitCode;

use crate::cli::config::ConfigError;
use crate::source::{LandError, SourceError};

/// How a command ended; the number is the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum CommandExit {
    /// Done; in sync.
    Ok = 0,
    /// It failed, or what was checked has errors.
    Error = 1,
    /// There are changes, for those who asked.
    Changes = 2,
    /// Applied, but not everything is healthy.
    Unhealthy = 3,
    /// A rule of the pins refuses it.
    Refused = 4,
    /// What was typed means nothing; 2 is taken.
    Usage = 64,
}

/// Why a command failed, at the edge of the program.
#[derive(Debug)]
pub struct CommandError {
    /// The kind, which is the exit code.
    pub exit: CommandExit,
    /// What failed, without a full stop.
    pub message: String,
    /// One way out.
    pub hint: Option<String>,
    /// What was looked for may lie before where a shallow clone begins.
    pub may_need_unshallow: bool,
}

impl CommandExit {
    /// For `--help`.
    fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "done",
            Self::Error => "it failed, or the pins have errors",
            Self::Changes => "there are changes (with --exit-code)",
            Self::Unhealthy => "applied, but not everything is healthy",
            Self::Refused => "held or refused by a rule of the pins",
            Self::Usage => "wrong arguments",
        }
    }
}

impl From<CommandExit> for ExitCode {
    fn from(exit: CommandExit) -> Self {
        Self::from(exit as u8)
    }
}

/// What follows the flags in `--help`: examples, and the exit codes that the command can give.
pub(super) fn help(examples: &str, exits: &[CommandExit]) -> String {
    let examples: Vec<String> = examples.lines().map(|line| format!("  {}", line.trim())).collect();
    let exits: Vec<String> = exits.iter().map(|exit| format!("  {:<2}  {}", *exit as u8, exit.meaning())).collect();
    format!("Examples:\n{}\n\nExit codes:\n{}", examples.join("\n"), exits.join("\n"))
}

impl CommandError {
    /// It failed.
    pub fn error(message: impl Into<String>) -> Self {
        Self { exit: CommandExit::Error, message: message.into(), hint: None, may_need_unshallow: false }
    }

    /// A rule of the pins refuses it.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { exit: CommandExit::Refused, ..Self::error(message) }
    }

    /// What was typed means nothing.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: CommandExit::Usage, ..Self::error(message) }
    }

    /// What there is not may lie before where a shallow clone begins.
    #[must_use]
    pub fn suspect_shallow_clone(self) -> Self {
        let message = format!("{}; and this is a shallow clone, whose history begins late", self.message);
        let hint = Some("git fetch --unshallow, then type it again".to_owned());
        Self { exit: self.exit, message, hint, may_need_unshallow: true }
    }

    /// Message and hint in one line, for a log.
    pub fn in_one_line(self) -> String {
        self.message + &self.hint.map(|hint| format!("; {hint}")).unwrap_or_default()
    }

    /// Says how to get out of it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<SourceError> for CommandError {
    fn from(error: SourceError) -> Self {
        Self::from_source(&error)
    }
}

impl CommandError {
    /// Builds a failure of an error that others go on to hold.
    pub(super) fn from_source(error: &SourceError) -> Self {
        let exit = match error {
            SourceError::Location { .. } | SourceError::BranchName { .. } => CommandExit::Usage,
            _ => CommandExit::Error,
        };
        let may_need_unshallow = matches!(error, SourceError::Revision { may_be_before_shallow: true, .. });
        Self { exit, message: error.to_string(), hint: error.hint(), may_need_unshallow }
    }
}

impl From<LandError> for CommandError {
    fn from(error: LandError) -> Self {
        match error {
            LandError::Source(error) => error.into(),
            error => Self { hint: error.hint(), ..Self::error(error.to_string()) },
        }
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        let message = error.to_string();
        match error {
            ConfigError::Source(error) => error.into(),
            ConfigError::PinFolder(_) => {
                Self::usage(message).hint("name a folder of the repository, such as envs/prod")
            }
            ConfigError::CurrentFolder(_) => {
                Self::error(message).hint("go to a folder that exists, or name --repo <path|url>")
            }
            ConfigError::NoCacheFolder => Self::usage(message).hint("name one: --cache-dir <dir>"),
        }
    }
}
