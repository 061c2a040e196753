//! Logs on stderr, as much as `-v` asks for.

use std::io::{self, IsTerminal as _};

use clap::ColorChoice;
use tracing_subscriber::EnvFilter;

/// Starts to log: warnings without `-v`, what is done with it, details with two, everything with three.
pub(super) fn start_logging(verbose: u8, color: ColorChoice) {
    let level = match verbose {
        // What its client says of broken connections is told as an event, once.
        0 => "warn,kube_client=off",
        1 => "pintle=info,warn,kube_client=off",
        2 => "pintle=debug,info",
        _ => "trace",
    };
    let ansi = match color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            io::stderr().is_terminal() && anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
        }
    };
    let logs =
        tracing_subscriber::fmt().with_env_filter(EnvFilter::new(level)).with_ansi(ansi).with_target(verbose > 1);
    // Fails only where a subscriber stands already, as in a process that runs several commands.
    let _ = logs.with_writer(io::stderr).try_init();
}
