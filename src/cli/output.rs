//! Where results and messages go: results to stdout as text, JSON or YAML, everything else to stderr.
//!
//! A reader that has seen enough (`| head`) is no error: the rest is dropped, and the command does what it was asked to.

use std::fmt::{Arguments, Display, Write as _};
use std::io::{self, BufRead as _, ErrorKind, IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::exit::CommandError;

/// `--output`, for commands that print results.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct OutputArgs {
    /// How results are printed
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub output: OutputFormat,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For both.
    Yaml,
}

/// Stdout and stderr, with the colours that were asked for.
pub struct Output {
    out: AutoStream<io::Stdout>,
    err: AutoStream<io::Stderr>,
    /// Columns of the terminal; none where stdout is none.
    width: Option<usize>,
    /// What went wrong on stdout, other than that nobody reads it.
    failed: Option<io::Error>,
    closed: bool,
    /// What is written is no result: it is collected here, and goes to stderr at once.
    redirected: Option<String>,
}

/// Good, done, healthy.
pub(super) const GOOD_STYLE: Style = AnsiColor::Green.on_default();
/// In progress, about to change, to be looked at.
pub(super) const BUSY_STYLE: Style = AnsiColor::Yellow.on_default();
/// Failed, refused, removed.
pub(super) const BAD_STYLE: Style = AnsiColor::Red.on_default();
/// A name that the eye looks for.
pub(super) const NAME_STYLE: Style = Style::new().bold();
/// What is there for completeness.
pub(super) const DIM_STYLE: Style = Style::new().dimmed();

/// `text` in a style.
pub(super) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

impl Output {
    /// With colours as typed.
    pub fn new(color: clap::ColorChoice) -> Self {
        let choice = match color {
            clap::ColorChoice::Auto => ColorChoice::Auto,
            clap::ColorChoice::Always => ColorChoice::Always,
            clap::ColorChoice::Never => ColorChoice::Never,
        };
        Self {
            out: AutoStream::new(io::stdout(), choice),
            err: AutoStream::new(io::stderr(), choice),
            width: terminal_width(),
            failed: None,
            closed: false,
            redirected: None,
        }
    }

    /// Nobody reads stdout any more.
    pub fn is_closed(&self) -> bool {
        self.closed || self.failed.is_some()
    }

    /// Columns of the terminal; none where stdout is none and nothing need be cut.
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether stdout shows colours.
    pub fn is_colored(&self) -> bool {
        self.out.current_choice() != ColorChoice::Never
    }

    /// Writes text to stdout.
    pub fn write(&mut self, text: Arguments<'_>) {
        if let Some(aside) = &mut self.redirected {
            let _ = aside.write_fmt(text);
            return;
        }
        if self.closed || self.failed.is_some() {
            return;
        }
        match self.out.write_fmt(text).and_then(|()| self.out.flush()) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.closed = true,
            Err(error) => self.failed = Some(error),
        }
    }

    /// Writes a line to stdout.
    pub fn line(&mut self, text: impl Display) {
        self.write(format_args!("{text}\n"));
    }

    /// Prints what a result would be printed by to stderr: it is to be looked at before the result.
    pub fn aside(&mut self, print: impl FnOnce(&mut Self)) {
        self.redirected = Some(String::new());
        print(self);
        let text = self.redirected.take().unwrap_or_default();
        self.say(&text);
    }

    /// To stderr in one piece: a thousand services are some thousand lines of many colours.
    fn say(&self, text: &str) {
        let _ = io::stderr().write_all(self.coloured(text).as_bytes());
    }

    /// As it is shown on stderr: without its colours where none were asked for.
    fn coloured(&self, text: &str) -> String {
        let plain = self.err.current_choice() == ColorChoice::Never;
        if plain { anstream::adapter::strip_str(text).to_string() } else { text.to_owned() }
    }

    /// Writes a line to stderr, whether or not anybody reads it.
    pub fn note(&mut self, text: impl Display) {
        let text = format!("{text}\n");
        match &mut self.redirected {
            Some(aside) => aside.push_str(&text),
            None => self.say(&text),
        }
    }

    /// Warns on stderr.
    pub fn warn(&mut self, text: impl Display) {
        self.note(format_args!("{}: {text}", styled(BUSY_STYLE.bold(), "warning")));
    }

    /// Asks on stderr, without a line end.
    fn ask(&mut self, question: &str) {
        let _ = write!(self.err, "{question}").and_then(|()| self.err.flush());
    }

    /// Asks whether to go on; without a terminal, nobody is there to answer. `look_at` says what to look at first.
    pub fn confirm(&mut self, look_at: &str) -> Result<bool, CommandError> {
        if !io::stdin().is_terminal() {
            let hint = format!("look at the {look_at}, then add --yes");
            return Err(CommandError::usage("there is no terminal to ask").hint(hint));
        }
        Ok(matches!(self.answer("Continue? [yN] ")?.as_str(), "y" | "Y" | "yes"))
    }

    /// Asks why; without a terminal, `flag` is the only way to say it.
    pub fn ask_reason(&mut self, flag: &str) -> Result<String, CommandError> {
        if !io::stdin().is_terminal() {
            return Err(CommandError::usage("there is no terminal to ask why").hint(format!("add {flag}")));
        }
        self.answer("Why? ")
    }

    fn answer(&mut self, question: &str) -> Result<String, CommandError> {
        self.ask(question);
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        read.map_err(|error| CommandError::error(format!("no answer: {error}")))?;
        Ok(answer.trim().to_owned())
    }

    /// Takes back so many lines of a terminal on stderr, and writes others there.
    pub fn redraw(&mut self, lines: usize, text: &str) {
        // ECMA-48: CPL, ED. They are no colours, and must not go with them.
        let back = if lines > 0 { format!("\u{1b}[{lines}F\u{1b}[J") } else { String::new() };
        let text = self.coloured(text);
        // DECAWM off: a line that is too long is cut at the edge, and counts as one.
        let cut = if text.is_empty() { text } else { format!("\u{1b}[?7l{text}\u{1b}[?7h") };
        let _ = io::stderr().write_all((back + &cut).as_bytes());
    }

    /// Whether stderr is a terminal, which can be drawn on.
    pub fn is_live(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Prints a result: `text` for people, else the value.
    pub fn result(
        &mut self,
        format: OutputFormat,
        value: &impl Serialize,
        text: impl FnOnce(&mut Self),
    ) -> Result<(), CommandError> {
        let unprintable = |error: &dyn Display| CommandError::error(format!("the result cannot be printed: {error}"));
        match format {
            OutputFormat::Table => text(self),
            OutputFormat::Json => self.line(serde_json::to_string_pretty(value).map_err(|error| unprintable(&error))?),
            OutputFormat::Yaml => {
                let yaml = serde_yaml::to_string(value).map_err(|error| unprintable(&error))?;
                self.write(format_args!("{yaml}"));
            }
        }
        Ok(())
    }

    /// Whether a result that is printed again takes the place of the one before.
    pub fn is_in_place(&self, format: OutputFormat) -> bool {
        format == OutputFormat::Table && io::stdout().is_terminal()
    }

    /// Makes way for a result that is printed again: on a terminal in place of the one before, elsewhere below it.
    pub fn start_redraw(&mut self, format: OutputFormat) {
        match format {
            // ECMA-48: CUP, ED. They are no colours, and must not go with them.
            OutputFormat::Table if self.is_in_place(format) => {
                let _ = io::stdout().write_all(b"\x1b[H\x1b[2J");
            }
            OutputFormat::Table => self.line(""),
            OutputFormat::Json => {}
            OutputFormat::Yaml => self.line("---"),
        }
    }

    /// Says why the command failed.
    pub fn failure(&mut self, failure: &CommandError) {
        self.note(format_args!("{}: {}", styled(BAD_STYLE.bold(), "error"), failure.message));
        if let Some(hint) = &failure.hint {
            self.note(format_args!("  {} {hint}", styled(DIM_STYLE, "hint:")));
        }
    }

    /// The end: what could not be written to stdout.
    pub fn take_stdout_error(&mut self) -> Result<(), CommandError> {
        self.failed
            .take()
            .map_or(Ok(()), |error| Err(CommandError::error(format!("stdout cannot be written: {error}"))))
    }
}

/// `COLUMNS` is what shells and tests say; else the terminal is asked.
fn terminal_width() -> Option<usize> {
    let terminal = || io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    terminal().map(|(terminal_size::Width(width), _)| usize::from(width))
}

/// `1 error`, `2 errors`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
