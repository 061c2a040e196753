//! The `pintle` command: TLS gets its provider, what was typed is read and carried out, the exit code says how it went.

use std::process::ExitCode;

use pintle::cli;

fn main() -> ExitCode {
    // Fails only where another provider was installed first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match cli::parse(std::env::args_os()) {
        Ok(typed) => cli::run(&typed).into(),
        Err(refused) => cli::refuse(&refused).into(),
    }
}
