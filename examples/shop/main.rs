//! A shop of five small HTTP services, and a tour that shows what Pintle does with it: `make demo`.
//!
//! ```text
//! shop [--short]                                      the tour
//! shop checkout --version 1.8.2 --port 8081 …         one service of it; see `service`
//! shop pintle …                                       `pintle`, as the tour types it
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what a service prints is its log; a tour prints")]
#![expect(clippy::disallowed_methods, reason = "an example waits, reads the clock, and starts programs")]

mod api;
mod http;
mod load;
mod picture;
mod pins;
mod service;
mod tour;

use std::process::ExitCode;

fn main() -> ExitCode {
    let typed: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = typed.iter().skip(1).map(String::as_str).collect();
    match words[..] {
        [] => run(tour::tour(tour::Pace::Long)),
        ["--short"] => run(tour::tour(tour::Pace::Short)),
        ["pintle", ..] => pintle(typed[1..].to_vec()),
        // The local runtime starts the shim of each process with the program that it runs in itself.
        ["shim", ..] => pintle(typed),
        _ => run(service::serve(&words)),
    }
}

fn run(what: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime.block_on(what),
        Err(error) => {
            eprintln!("shop: {error}");
            ExitCode::FAILURE
        }
    }
}

fn pintle(typed: Vec<String>) -> ExitCode {
    match pintle::cli::parse(typed.into_iter().map(Into::into)) {
        Ok(typed) => pintle::cli::run(&typed).into(),
        Err(refused) => pintle::cli::refuse(&refused).into(),
    }
}
