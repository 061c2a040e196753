//! A terminal, which `script` makes.

use std::process::{Command, Output, Stdio};

/// Runs a program on a terminal, with a line of the shell before it; nothing where there is no `script`.
pub(crate) fn on_terminal(before: &str, program: &Command) -> Option<Output> {
    let words = [program.get_program()].into_iter().chain(program.get_args()).map(|word| word.to_str().unwrap());
    let line = format!("{before} {}", words.collect::<Vec<_>>().join(" "));
    let mut script = Command::new("script");
    script.env_clear().envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    script.current_dir(program.get_current_dir().unwrap()).args(["-qec", &line, "/dev/null"]).stdin(Stdio::null());
    script.output().ok()
}
