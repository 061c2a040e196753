//! The `pintle` command: installs the TLS provider, parses the arguments, runs the command and returns its exit code.

use std::process::ExitCode;

use pintle::cli;

fn main() -> ExitCode {
    // Fails only if another provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match cli::parse(std::env::args_os()) {
        Ok(typed) => cli::run(&typed).into(),
        Err(refused) => cli::refuse(&refused).into(),
    }
}
